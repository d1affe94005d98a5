"""`batch --http`: what sends."""

import sys

import pytest

from anthropic_completions import DefaultAioHttpClient, DefaultAsyncRustHttpClient
from anthropic_completions.cli._batch.command import _http


def test_names_a_client() -> None:
    assert _http("httpx") is None
    assert isinstance(_http("aiohttp"), DefaultAioHttpClient)
    assert isinstance(_http("rust"), DefaultAsyncRustHttpClient)


def test_tells_of_an_extra_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "anthropic_completions._http.transports.aio", raising=False)
    monkeypatch.setitem(sys.modules, "httpx_aiohttp", None)
    expected = r"^--http aiohttp: .* pip install 'anthropic-completions\[aiohttp\]'"
    with pytest.raises(ValueError, match=expected):
        _http("aiohttp")
