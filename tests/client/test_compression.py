"""Compressed replies over real sockets: decoded whole, and in steps of a bounded size."""

import gzip
import importlib
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import brotli
import pytest
import zstandard

from anthropic_completions import APIResponseValidationError
from anthropic_completions._http import decoding
from anthropic_completions.types import Completion
from client.attacks import END, FIELDS, JSON, A, B, call, options, read, reply
from raw_server import CHUNKED, LAST, RawServer, Repeat, framed, head
from support import ARGUMENTS, PING, World

MEBIBYTE = 1024 * 1024
Pack = Callable[[bytes], bytes]


def zlib_packer(bits: int) -> Pack:
    packer = zlib.compressobj(9, wbits=bits)
    return lambda data: packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)


def brotli_packer() -> Pack:
    packer = brotli.Compressor(quality=5)
    return lambda data: packer.process(data) + packer.flush()


def zstd_packer() -> Pack:
    packer = zstandard.ZstdCompressor().compressobj()
    return lambda data: packer.compress(data) + packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)


class EarlierBrotli:
    """Brotli before 1.2, which has no limit for what a step gives."""

    error = brotli.error

    class Decompressor:
        def __init__(self) -> None:
            self.process = brotli.Decompressor().process


def earlier_brotli() -> object:
    return decoding._Brotli(EarlierBrotli)


def standard_zstd() -> object:
    """What the standard library has from Python 3.14 on."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return decoding._StandardZstd(importlib.import_module(name))
        except ImportError:
            continue
    pytest.skip("this Python has no zstd")


# By names: the encoding, what packs so, and a decoder in place of the one that is used here.
ENCODINGS: dict[str, tuple[str, Callable[[], Pack], Callable[[], object] | None]] = {
    "gzip": ("gzip", lambda: zlib_packer(31), None),
    "deflate": ("deflate", lambda: zlib_packer(15), None),
    "br": ("br", brotli_packer, None),
    "br, before 1.2": ("br", brotli_packer, earlier_brotli),
    "zstd": ("zstd", zstd_packer, None),
    "zstd, of the standard library": ("zstd", zstd_packer, standard_zstd),
}
PACKS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


@pytest.fixture(params=ENCODINGS)
def encoding(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each encoding with each decoder for it."""
    name, _, decoder = ENCODINGS[request.param]
    if decoder is not None:
        decoder()
        monkeypatch.setitem(decoding._KINDS, name, decoder)
    return name


@cache
def bomb(encoding: str, start: bytes, unit: bytes, count: int) -> bytes:
    """Return what expands to `start` and `count` times `unit`, without its end."""
    pack = ENCODINGS[encoding][1]()
    first = pack(start + unit)
    pieces = [pack(unit) for _ in range(4)]
    # From some piece on, each is the same as the one before it.
    assert pieces[-1] == pieces[-2]
    return first + b"".join(pieces) + pieces[-1] * (count - 5)


@pytest.fixture
def peak() -> Iterator[Callable[[], int]]:
    """Return a function that tells the most bytes that were in use at once."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


def compressed(encoding: str) -> bytes:
    return head("transfer-encoding: chunked", f"content-encoding: {encoding}")


# One piece, several, and every byte of its own.
CUTS = [1, 25, 10_000]


def cut_up(data: bytes, cut: int) -> list[bytes]:
    return [data[at : at + cut] for at in range(0, len(data), cut)]


@pytest.mark.parametrize("cut", CUTS)
class TestWhole:
    """What is compressed is read to its end, however it is cut."""

    def test_a_plain_reply(self, world: World, encoding: str, cut: int) -> None:
        body = PACKS[encoding](JSON)
        head_ = f"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-encoding: {encoding}\r\n\r\n"
        result = call(world, [head_.encode() + framed(*cut_up(body, cut)) + LAST])
        assert isinstance(result, Completion)
        assert result.to_dict() == FIELDS
        assert result.headers is not None
        assert result.headers["content-encoding"] == encoding

    def test_a_stream(self, world: World, encoding: str, cut: int) -> None:
        data = PACKS[encoding](A + PING + B + END)
        streamed = read(world, [compressed(encoding) + framed(*cut_up(data, cut)) + LAST])
        assert (streamed.error, streamed.texts) == (None, [" a", " b", ""])

    @pytest.mark.parametrize("name", ["gzip", "zstd", "zstd, of the standard library"])
    def test_several_members(
        self, world: World, monkeypatch: pytest.MonkeyPatch, name: str, cut: int
    ) -> None:
        """Plain and streamed, as some proxies send."""
        encoding, _, decoder = ENCODINGS[name]
        if decoder is not None:
            decoder()
            monkeypatch.setitem(decoding._KINDS, encoding, decoder)
        members = [PACKS[encoding](part) for part in (JSON[:20], JSON[20:])]
        body = compressed(encoding) + framed(*cut_up(b"".join(members), cut)) + LAST
        result = call(world, [body.replace(b"text/event-stream", b"application/json")])
        assert result.to_dict() == FIELDS
        data = b"".join(PACKS[encoding](piece) for piece in (A, PING, B, END))
        streamed = read(world, [compressed(encoding) + framed(*cut_up(data, cut)) + LAST])
        assert (streamed.error, streamed.texts) == (None, [" a", " b", ""])


@pytest.mark.parametrize("method", ["iter_bytes", "iter_lines", "iter_text", "read"])
def test_what_is_read_by_hand_is_whole(world: World, method: str) -> None:
    def joined(parts: list[Any]) -> bytes:
        return b"".join(part if isinstance(part, bytes) else part.encode() for part in parts)

    def blocking(client: Any) -> bytes:
        with client.completions.with_streaming_response.create(**ARGUMENTS) as raw:
            return raw.read() if method == "read" else joined(list(getattr(raw, method)()))

    async def awaiting(client: Any) -> bytes:
        async with client.completions.with_streaming_response.create(**ARGUMENTS) as raw:
            if method == "read":
                return await raw.read()
            return joined([part async for part in getattr(raw, method)()])

    members = PACKS["gzip"](JSON[:20]) + PACKS["gzip"](JSON[20:])
    with RawServer([reply(members, "content-encoding: gzip")]) as server:
        assert world.use(blocking, awaiting, **options(world, server)) == JSON


class TestBounded:
    """What expands to more than `max_reply_bytes` is refused before it fills the memory."""

    def test_a_plain_bomb(self, world: World, encoding: str, peak: Callable[[], int]) -> None:
        body = bomb(encoding, b"{", b" " * MEBIBYTE, 96)
        assert len(body) < MEBIBYTE / 2
        error = call(world, [reply(body, f"content-encoding: {encoding}")], max_reply_bytes=8_000_000)
        assert type(error) is APIResponseValidationError
        assert "max_reply_bytes" in str(error)
        assert "8000000" in str(error)
        assert peak() < 30_000_000

    def test_a_bomb_within_a_stream(self, world: World, encoding: str, peak: Callable[[], int]) -> None:
        """Of events that are each small enough."""
        unit = (PING + b": " + b" " * 10_000 + b"\n\n") * 100
        body = bomb(encoding, A, unit, 96)
        streamed = read(world, [compressed(encoding) + framed(body) + LAST], max_reply_bytes=8_000_000)
        assert type(streamed.error) is APIResponseValidationError
        assert "max_reply_bytes" in str(streamed.error)
        assert streamed.error.completion == " a"
        assert peak() < 30_000_000

    def test_a_reply_without_a_setting(self, world: World) -> None:
        body = bomb("gzip", b"{", b" " * MEBIBYTE, 65)
        error = call(world, [reply(body, "content-encoding: gzip")])
        assert "max_reply_bytes, which is 67108864" in str(error)

    def test_a_reply_that_is_not_compressed(self, world: World) -> None:
        error = call(world, [CHUNKED, Repeat(framed(b" " * 60_000))], max_reply_bytes=1_000_000)
        assert type(error) is APIResponseValidationError
        assert "max_reply_bytes" in str(error)
