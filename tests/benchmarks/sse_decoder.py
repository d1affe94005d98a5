"""How the decoder's time and memory grow: the same events, in pieces of one byte to 64 KiB, few and many.

    sse_decoder.py

For each size of piece it prints the time per byte of a short stream and of one 64 times as long, and their
ratio, which is 1 where the time is proportional to the bytes (held up to 1.5); and the most memory that the
decoder holds in each case, which one event bounds and not the stream. Last, the same for one long event.
"""

import statistics
import sys
import tracemalloc
from collections.abc import Iterator
from time import process_time

from anthropic_completions._stream.sse import SSEDecoder

MEBIBYTE = 1024 * 1024
EVENT = b'event: completion\r\ndata: {"type":"completion","completion":" Hello","stop_reason":null}\r\n\r\n'
# Of a length that each size of piece divides, while events begin anywhere in a piece.
BLOCK = b":%b\n" % (b" " * (MEBIBYTE % len(EVENT) - 2)) + EVENT * (MEBIBYTE // len(EVENT))
SHORT, LONG = 1, 64
SIZES = [1, 64, 4 * 1024, 64 * 1024]
LIMIT = 1.5


def pieces(blocks: int, size: int) -> Iterator[bytes]:
    """Yield a stream of some MiB, cut into pieces of a size."""
    for _ in range(blocks):
        for start in range(0, MEBIBYTE, size):
            yield BLOCK[start : start + size]


def decode(stream: Iterator[bytes]) -> int:
    """Return the number of events of a stream."""
    decoder = SSEDecoder()
    return sum(1 for piece in stream for _ in decoder.feed(piece))


def per_byte(blocks: int, size: int) -> float:
    """Return the CPU seconds per byte of decoding a stream, without those of cutting it."""
    started = process_time()
    for _ in pieces(blocks, size):
        pass
    cutting = process_time() - started
    started = process_time()
    assert decode(pieces(blocks, size)) == blocks * (MEBIBYTE // len(EVENT))
    return (process_time() - started - cutting) / (blocks * MEBIBYTE)


def peak(stream: Iterator[bytes]) -> int:
    """Return the most bytes that are held while a stream is decoded."""
    tracemalloc.start()
    decode(stream)
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return held


def main() -> None:
    """Measure and print."""
    missed = False
    for size in SIZES:
        short_time = statistics.median(per_byte(SHORT, size) for _ in range(5))
        long_time = per_byte(LONG, size)
        ratio = long_time / short_time
        missed = missed or ratio > LIMIT
        print(
            f"pieces of {size:5} bytes: {short_time * 1e9:7.2f} ns per byte of {SHORT} MiB, "
            f"{long_time * 1e9:7.2f} of {LONG} MiB, ratio {ratio:.2f} (<= {LIMIT}); "
            f"{peak(pieces(SHORT, size)) / 1024:.0f} KiB held"
        )
    event = b"data: " + b"x" * (8 * MEBIBYTE) + b"\r\n\r\n"
    for size in SIZES[1:]:
        held = peak(event[start : start + size] for start in range(0, len(event), size))
        print(f"one event of 8 MiB in pieces of {size:5} bytes: {held / len(event):.1f} times its size held")
    sys.exit(missed)


if __name__ == "__main__":
    main()
