"""Undo the content encoding of a reply, in steps of a bounded size.

httpx's decoders return all that a piece expands to, which may be a million times its size, and its gzip ends
with the first of several members.
"""

from __future__ import annotations

import importlib
import zlib
from typing import TYPE_CHECKING, Protocol

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

# The most bytes that a step of gzip and deflate gives, and of brotli from Brotli 1.2 on.
STEP_BYTES = 256 * 1024
# Without a limit to ask for, few bytes are given at a time: one block of zstd has at most 128 KiB and takes
# no less than 3 bytes, one of brotli at most 16 MiB and may end with any byte.
_ZSTD_SLICE, _BROTLI_SLICE = 16, 1


class Decoder:
    """Undoes the encodings of one reply.

    Args:
        encodings: The value of the header `content-encoding`. What is unknown in it is ignored.

    Attributes:
        unknown: The encodings that stay as they are, as nothing is installed that undoes them.
    """

    def __init__(self, encodings: str) -> None:
        names = [name.strip().lower() for name in encodings.split(",")]
        steps = [_KINDS[name]() if name in _KINDS else None for name in names]
        self.unknown = [
            name
            for name, step in zip(names, steps, strict=True)
            if step is None and name not in ("", "identity")
        ]
        self._steps = [step for step in reversed(steps) if step is not None]

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Take the next bytes and yield what they expand to, in parts; iterate to the end.

        Raises:
            httpx.DecodingError: They are not what the encoding says.
        """
        return _through(self._steps, data)


def decoder_of(response: httpx.Response) -> Decoder | None:
    """Return what decodes a reply's raw bytes; None where they need no decoding."""
    encodings: str | None = response.headers.get("content-encoding")
    return None if encodings is None else Decoder(encodings)


def _through(steps: list[_Step], data: bytes) -> Iterator[bytes]:
    if not steps:
        yield data
        return
    for part in steps[0].decode(data):
        if part:
            yield from _through(steps[1:], part)


class _Step(Protocol):
    """Undoes one encoding."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Take the next bytes and yield what they expand to, in parts; iterate to the end."""
        ...


class _Deflate:
    """Undoes deflate, with or without zlib's header; many servers leave it out."""

    def __init__(self) -> None:
        self._decoder: zlib._Decompress | None = None
        self._start = b""  # until there are two bytes, which is zlib's header or is not

    def decode(self, data: bytes) -> Iterator[bytes]:
        if self._decoder is None:
            data = self._start + data
            if len(data) < 2:
                self._start = data
                return
            is_header = data[0] & 15 == 8 and int.from_bytes(data[:2], "big") % 31 == 0
            self._decoder = zlib.decompressobj(zlib.MAX_WBITS if is_header else -zlib.MAX_WBITS)
        yield from _mapped(_inflated(self._decoder, data), zlib.error)


class _GZip:
    """Undoes gzip, of any number of members; what follows the last one is ignored."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._ended = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        while data and not self._ended:
            if self._decoder.eof:
                if data[:1] != b"\x1f":  # as every member begins
                    self._ended = True
                    return
                self._decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
            yield from _mapped(_inflated(self._decoder, data), zlib.error)
            data = self._decoder.unused_data


def _inflated(decoder: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    while not decoder.eof:
        part = decoder.decompress(data, STEP_BYTES)
        yield part
        data = decoder.unconsumed_tail
        if not data and len(part) < STEP_BYTES:
            return


class _Brotli:
    """Undoes brotli."""

    def __init__(self, module: ModuleType) -> None:
        self._decoder = module.Decompressor()
        self._error = module.error

    def decode(self, data: bytes) -> Iterator[bytes]:
        return _mapped(self._parts(data), self._error)

    def _parts(self, data: bytes) -> Iterator[bytes]:
        decoder = self._decoder
        if hasattr(decoder, "can_accept_more_data"):
            part = data
            while part or not decoder.can_accept_more_data():
                part = decoder.process(data, output_buffer_limit=STEP_BYTES)
                yield part
                data = b""  # more may be within the decoder than what it was given
            return
        process = getattr(decoder, "process", None) or decoder.decompress  # the latter is brotlicffi's
        for at in range(0, len(data), _BROTLI_SLICE):
            yield process(data[at : at + _BROTLI_SLICE])


class _Zstd:
    """Undoes zstd, of any number of frames."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._decoder = module.ZstdDecompressor().decompressobj()

    def decode(self, data: bytes) -> Iterator[bytes]:
        return _mapped(self._parts(data), self._module.ZstdError)

    def _parts(self, data: bytes) -> Iterator[bytes]:
        for at in range(0, len(data), _ZSTD_SLICE):
            piece = data[at : at + _ZSTD_SLICE]
            while piece:
                if self._decoder.eof:
                    self._decoder = self._module.ZstdDecompressor().decompressobj()
                yield self._decoder.decompress(piece)
                piece = self._decoder.unused_data if self._decoder.eof else b""


class _StandardZstd:
    """Undoes zstd, of any number of frames, with the standard library."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._decoder = module.ZstdDecompressor()

    def decode(self, data: bytes) -> Iterator[bytes]:
        return _mapped(self._parts(data), self._module.ZstdError)

    def _parts(self, data: bytes) -> Iterator[bytes]:
        while True:
            if self._decoder.eof:
                if not data:
                    return
                self._decoder = self._module.ZstdDecompressor()
            yield self._decoder.decompress(data, STEP_BYTES)
            data = self._decoder.unused_data if self._decoder.eof else b""
            if not data and (self._decoder.eof or self._decoder.needs_input):
                return


def _mapped(parts: Iterator[bytes], kind: type[Exception]) -> Iterator[bytes]:
    try:
        yield from parts
    except kind as error:
        raise httpx.DecodingError(str(error)) from error


def _installed(*names: str) -> ModuleType | None:
    for name in names:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


# brotli and zstd are asked for where httpx finds the same packages.
def _brotli() -> _Step | None:
    module = _installed("brotli", "brotlicffi")
    return None if module is None else _Brotli(module)


def _zstd() -> _Step | None:
    if (module := _installed("zstandard")) is not None:
        return _Zstd(module)
    module = _installed("compression.zstd", "backports.zstd")  # the standard library's, from Python 3.14 on
    return None if module is None else _StandardZstd(module)


_KINDS: dict[str, Callable[[], _Step | None]] = {
    "gzip": _GZip,
    "x-gzip": _GZip,
    "deflate": _Deflate,
    "br": _brotli,
    "zstd": _zstd,
}
