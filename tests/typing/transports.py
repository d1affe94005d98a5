"""What type checkers see of the ways to the network; this file is checked, never run."""

from typing import assert_type

import httpx

from anthropic_completions import (
    Anthropic,
    AsyncAnthropic,
    DefaultAioHttpClient,
    DefaultAsyncHttpxClient,
    DefaultAsyncRustHttpClient,
    DefaultHttpxClient,
    DefaultRustHttpClient,
)


def blocking() -> None:
    assert_type(Anthropic(http_client=DefaultHttpxClient(timeout=5)), Anthropic)
    assert_type(Anthropic(http_client=DefaultRustHttpClient(http2=True)), Anthropic)
    http: list[httpx.Client] = [DefaultHttpxClient(), DefaultRustHttpClient()]
    assert_type(http[0], httpx.Client)
    assert_type(Anthropic().copy(http_client=http[0]), Anthropic)
    with DefaultRustHttpClient() as entered:
        assert_type(entered, DefaultRustHttpClient)


async def awaiting() -> None:
    assert_type(AsyncAnthropic(http_client=DefaultAsyncHttpxClient()), AsyncAnthropic)
    assert_type(AsyncAnthropic(http_client=DefaultAioHttpClient()), AsyncAnthropic)
    assert_type(AsyncAnthropic(http_client=DefaultAsyncRustHttpClient()), AsyncAnthropic)
    http: list[httpx.AsyncClient] = [DefaultAioHttpClient(), DefaultAsyncRustHttpClient()]
    assert_type(http[0], httpx.AsyncClient)
    assert_type(AsyncAnthropic().with_options(http_client=http[0]), AsyncAnthropic)
    async with DefaultAioHttpClient() as entered:
        assert_type(entered, DefaultAioHttpClient)


def wrong() -> None:
    """Each of these is an error, or the comment would be one."""
    Anthropic(http_client=DefaultAioHttpClient())  # type: ignore[arg-type]  # pyright: ignore
    Anthropic(http_client=DefaultAsyncRustHttpClient())  # type: ignore[arg-type]  # pyright: ignore
    AsyncAnthropic(http_client=DefaultRustHttpClient())  # type: ignore[arg-type]  # pyright: ignore
