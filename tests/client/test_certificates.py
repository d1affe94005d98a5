"""Certificates are loaded once in a process, and only where a connection is encrypted."""

import ssl
from pathlib import Path

import pytest

from anthropic_completions import APIConnectionError, AsyncAnthropic
from anthropic_completions._http.transports import certificates
from anthropic_completions.batch import Result, acomplete_many, complete_many
from anthropic_completions.testing import StandIn
from raw_server import RawServer
from support import ARGUMENTS, World, completion_reply

DAMAGED = b"-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n"
BODY = completion_reply().content
REPLY = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY


@pytest.fixture
def loads(world: World, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return what was loaded, as it is loaded, in what is like a new process without variables."""
    if world.lent:
        pytest.skip("a lent httpx client loads certificates itself")
    certificates._trusted.cache_clear()
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    found: list[object] = []
    read, load = certificates._read, ssl.create_default_context
    reading: list[None] = []

    def noted_read(*names: str | None) -> ssl.SSLContext:
        found.append(names)
        reading.append(None)
        try:
            return read(*names)
        finally:
            reading.pop()

    def noted(*args: object, **kwargs: object) -> ssl.SSLContext:
        if not reading:  # by httpx itself
            found.append((args, kwargs))
        return load(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(certificates, "_read", noted_read)
    monkeypatch.setattr(ssl, "create_default_context", noted)
    return found


def test_nothing_is_loaded_for_http(world: World, loads: list[object]) -> None:
    with RawServer([REPLY]) as server:
        world.create(None, {"base_url": server.url})
    assert loads == []


def test_the_first_encrypted_connection_loads_for_all(world: World, loads: list[object]) -> None:
    with StandIn().serve() as url:  # which does not encrypt, and says so at once
        for _ in range(2):
            with pytest.raises(APIConnectionError):
                world.create(None, {"base_url": url.replace("http://", "https://"), "max_retries": 0})
    assert len(loads) == 1


def test_a_file_that_holds_no_certificates_is_named_at_once(
    world: World, loads: list[object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "empty.pem"
    file.write_bytes(b"none")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with pytest.raises(ValueError, match=r"^SSL_CERT_FILE: expected where certificates can be read, got"):
        world.create(None, {"base_url": "http://127.0.0.1:1"})


def test_a_file_whose_certificates_are_damaged_is_named_when_they_are_needed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "damaged.pem"
    file.write_bytes(DAMAGED)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = certificates.trusted(trust_env=True, http2=False)
    with pytest.raises(ValueError, match=r"^SSL_CERT_FILE: expected where certificates can be read, got"):
        certificates.loaded(context)


def many(world: World, base_url: str) -> list[Result]:
    """Complete two requests at a time, as many."""
    requests = [{**ARGUMENTS, "id": number} for number in range(2)]

    async def awaiting(client: AsyncAnthropic) -> list[Result]:
        return [result async for result in acomplete_many(client, requests)]

    found: list[Result] = world.use(
        lambda client: list(complete_many(client, requests)), awaiting, base_url=base_url, max_retries=0
    )
    return found


def test_certificates_that_cannot_be_used_are_told_once_before_many_calls(
    world: World, loads: list[object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "damaged.pem"
    file.write_bytes(DAMAGED)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with pytest.raises(ValueError, match=r"^SSL_CERT_FILE: expected where certificates can be read, got"):
        many(world, "https://127.0.0.1:1")
    assert [type(result.error) for result in many(world, "http://127.0.0.1:1")] == [APIConnectionError] * 2


def test_what_is_not_loaded_trusts_the_same_as_httpx_would(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    context = certificates.trusted(trust_env=True, http2=False)
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.cert_store_stats()["x509_ca"] == 0
    wrapped = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")
    assert wrapped.context.cert_store_stats()["x509_ca"] > 100
    assert wrapped.context.verify_mode == ssl.CERT_REQUIRED
    assert wrapped.context.check_hostname
    assert certificates.loaded(context) is wrapped.context
