"""The decoder of server-sent events: the standard's rules, wherever the stream is cut."""

import itertools
import re
import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anthropic_completions._stream.sse import MAX_EVENT_BYTES, EventTooLargeError, ServerSentEvent, SSEDecoder

BOM = b"\xef\xbb\xbf"
Event = ServerSentEvent


def decode(*pieces: bytes, max_event_bytes: int = MAX_EVENT_BYTES) -> list[ServerSentEvent]:
    """Return the events of a stream that comes in these pieces."""
    decoder = SSEDecoder(max_event_bytes=max_event_bytes)
    return [event for piece in pieces for event in decoder.feed(piece)]


def verdict(pieces: Iterable[bytes], max_event_bytes: int) -> tuple[list[ServerSentEvent], bool]:
    """Return the events up to the first that is too large, and whether there is one."""
    decoder = SSEDecoder(max_event_bytes=max_event_bytes)
    events: list[ServerSentEvent] = []
    try:
        for piece in pieces:
            for event in decoder.feed(piece):
                events.append(event)
    except EventTooLargeError:
        return events, True
    return events, False


def single_bytes(stream: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in stream]


def cut_at(stream: bytes, offsets: Iterable[int]) -> list[bytes]:
    """Cut a stream; offsets beyond its end make empty pieces."""
    starts = [0, *sorted(offsets), len(stream)]
    return [stream[start:end] for start, end in itertools.pairwise(starts)]


def reference(stream: bytes) -> list[ServerSentEvent]:
    """Decode a whole stream, word for word as the standard says."""
    text = stream.decode("utf-8", "replace").removeprefix("\ufeff")
    *lines, _ = re.split("\r\n|\r|\n", text)  # the last one has not ended
    events = []
    name, data, last_id, retry = "", "", "", None
    for line in lines:
        if line == "":
            if data != "":
                events.append(Event(name or None, data.removesuffix("\n"), last_id, retry))
            name, data, retry = "", "", None
            continue
        if line.startswith(":"):
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data += value + "\n"
        elif field == "id" and "\0" not in value:
            last_id = value
        elif field == "retry" and re.fullmatch("[0-9]{1,18}", value):
            retry = int(value)
    return events


# Section "Interpreting an event stream" of the HTML standard: its examples.
STANDARD = {
    "stock": (b"data: YHOO\ndata: +2\ndata: 10\n\n", [Event(data="YHOO\n+2\n10")]),
    "four-blocks": (
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event",
        [Event(data="first event", id="1"), Event(data="second event", id="")],
    ),
    "four-blocks-ended": (
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        [Event(data="first event", id="1"), Event(data="second event"), Event(data=" third event")],
    ),
    "empty-data": (b"data\n\ndata\ndata\n\ndata:", [Event(data=""), Event(data="\n")]),
    "optional-space": (b"data:test\n\ndata: test\n\n", [Event(data="test"), Event(data="test")]),
    "named": (
        b"event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\nevent: add\ndata: 113411\n\n",
        [Event("add", "73857293"), Event("remove", "2153"), Event("add", "113411")],
    ),
}

RULES = {
    "nothing": (b"", []),
    "lf": (b"event: e\ndata: x\n\n", [Event("e", "x")]),
    "cr": (b"event: e\rdata: x\r\r", [Event("e", "x")]),
    "crlf": (b"event: e\r\ndata: x\r\n\r\n", [Event("e", "x")]),
    "line-ends-mixed": (
        b"data: a\rdata: b\ndata: c\r\n\rdata: d\n\r\n",
        [Event(data="a\nb\nc"), Event(data="d")],
    ),
    "lf-cr-is-two-ends": (b"data: a\n\rdata: b\n\n", [Event(data="a"), Event(data="b")]),
    "crcrlf-is-two-ends": (b"data: a\r\r\ndata: b\n\n", [Event(data="a"), Event(data="b")]),
    "ends-of-other-alphabets": (
        "data: a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\x1dh\x1ei\n\n".encode(),
        [Event(data="a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\x1dh\x1ei")],
    ),
    "bom": (BOM + b"data: x\n\n", [Event(data="x")]),
    "bom-alone": (BOM, []),
    "bom-before-blank-line": (BOM + b"\ndata: x\n\n", [Event(data="x")]),
    "bom-before-comment": (BOM + b": x\ndata: y\n\n", [Event(data="y")]),
    "second-bom-is-part-of-a-name": (BOM + BOM + b"data: x\n\ndata: y\n\n", [Event(data="y")]),
    "later-bom-is-text": (
        b"data: x\n\n" + b"data: " + BOM + b"y\n\n",
        [Event(data="x"), Event(data="\ufeffy")],
    ),
    "half-a-bom-is-no-bom": (b"\xef\xbbdata: x\n\ndata: y\n\n", [Event(data="y")]),
    "comments": (b":\n: c\n:data: no\ndata: x\n:\n\n:\n\n", [Event(data="x")]),
    "only-comments": (b": ping\n\n: ping\n\n", []),
    "no-colon": (b"event\ndata\n\n", [Event(data="")]),
    "no-space": (b"event:e\ndata:x:y\n\n", [Event("e", "x:y")]),
    "two-spaces": (b"event:  e\ndata:  x \n\n", [Event(" e", " x ")]),
    "tab-is-no-space": (b"data:\tx\n\n", [Event(data="\tx")]),
    "unknown-fields": (b"datas: x\nDATA: x\n data: x\nx\ndata: y\n\n", [Event(data="y")]),
    "many-lines": (b"data: {\ndata:  1\ndata\ndata: }\n\n", [Event(data="{\n 1\n\n}")]),
    "last-name-counts": (b"event: a\nevent: b\ndata: x\n\n", [Event("b", "x")]),
    "empty-name-is-none": (b"event: a\nevent:\ndata: x\n\n", [Event(None, "x")]),
    "name-without-data": (b"event: a\n\ndata: x\n\n", [Event(None, "x")]),
    "id-stays": (b"id: 1\ndata: x\n\ndata: y\n\n", [Event(data="x", id="1"), Event(data="y", id="1")]),
    "id-without-data-counts": (b"id: 1\n\ndata: x\n\n", [Event(data="x", id="1")]),
    "id-with-nul": (b"id: 1\nid: a\0b\ndata: x\n\n", [Event(data="x", id="1")]),
    "retry": (b"retry: 3000\ndata: x\n\ndata: y\n\n", [Event(data="x", retry=3000), Event(data="y")]),
    "retry-no-number": (b"retry: 3s\nretry: -1\nretry: 1.5\nretry:\nretry\ndata: x\n\n", [Event(data="x")]),
    "retry-other-digits": ("retry: ٣\nretry: ²\ndata: x\n\n".encode(), [Event(data="x")]),
    "retry-absurd": (b"retry: 7\nretry: " + b"9" * 30 + b"\ndata: x\n\n", [Event(data="x", retry=7)]),
    "unended-line": (b"data: x\n\ndata: y", [Event(data="x")]),
    "unended-event": (b"data: x\n\ndata: y\n", [Event(data="x")]),
    "utf-8": ("event: é\ndata: héllo 😀 日本\nid: ñ\n\n".encode(), [Event("é", "héllo 😀 日本", "ñ")]),
    "no-utf-8": (
        b"data: a\xffb\xc3\ndata: \xe2\x82\ndata: \xf0\x9f\x98x\xed\xa0\x80\n\n",
        [Event(data="a\ufffdb\ufffd\n\ufffd\n\ufffdx\ufffd\ufffd\ufffd")],
    ),
    "name-that-is-no-utf-8": (b"data\xff: x\n\xffdata: x\ndata: y\n\n", [Event(data="y")]),
    "recorded": (
        b'event: completion\r\ndata: {"completion":" Light"     }\r\n\r\nevent: ping\r\ndata: {}\r\n\r\n',
        [Event("completion", '{"completion":" Light"     }'), Event("ping", "{}")],
    ),
}
VECTORS = {**{f"standard-{name}": vector for name, vector in STANDARD.items()}, **RULES}
each_vector = pytest.mark.parametrize(("stream", "events"), VECTORS.values(), ids=VECTORS.keys())


@each_vector
def test_follows_the_standard(stream: bytes, events: list[ServerSentEvent]) -> None:
    """Each vector gives the events that the standard asks for."""
    assert decode(stream) == events


@each_vector
def test_the_reference_follows_the_standard(stream: bytes, events: list[ServerSentEvent]) -> None:
    """The slow decoder that the properties compare with agrees with the vectors."""
    assert reference(stream) == events


@each_vector
def test_a_cut_at_any_byte_changes_nothing(stream: bytes, events: list[ServerSentEvent]) -> None:
    """Two pieces, cut at every offset, and an empty piece at the cut, give the same events."""
    for offset in range(len(stream) + 1):
        assert decode(stream[:offset], stream[offset:]) == events, offset
        assert decode(stream[:offset], b"", stream[offset:]) == events, offset


@each_vector
def test_single_bytes_change_nothing(stream: bytes, events: list[ServerSentEvent]) -> None:
    """A stream that comes byte by byte gives the same events."""
    assert decode(*single_bytes(stream)) == events


def test_an_event_is_given_as_soon_as_its_blank_line_comes() -> None:
    """Nothing after the blank line is waited for, not even the LF that a CR may be the first half of."""
    decoder = SSEDecoder()
    assert list(decoder.feed(b"data: x\r\n")) == []
    assert list(decoder.feed(b"\r")) == [Event(data="x")]
    assert list(decoder.feed(b"\ndata: y\n\n")) == [Event(data="y")]


def test_a_piece_larger_than_a_part_is_decoded_as_small_ones_are() -> None:
    """Pieces above 64 KiB are taken in parts, whose borders are cuts like any other."""
    for size in range(65_530, 65_540):
        stream = (
            b": " + b"x" * (size - 10) + b"\r\nid: 1\r\ndata: \xc3\xa9\r\n\r\n" + b"data: y\r\n\r\n" * 20_000
        )
        assert decode(stream) == [Event(data="é", id="1")] + [Event(data="y", id="1")] * 20_000


def test_json_reads_the_data() -> None:
    """`json` gives the data's JSON value and refuses what is none."""
    assert Event(data='{"a": [1]}').json() == {"a": [1]}
    with pytest.raises(ValueError):
        Event(data="a").json()


class TestProperties:
    """What holds for every stream and every way to cut it."""

    # Bytes that mean something are much likelier than others, so that events come of them.
    fields = (b"data", b"event", b"id", b"retry", b":", b" ", b"12", b"\0", b"data: x\n\n")
    ends = (b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n", b"\x0b", b"\x1c", "\u2028".encode(), "\x85".encode())
    letters = (BOM, BOM[:2], "é".encode(), "é".encode()[:1], "😀".encode(), b"\xf0\x9f", b"\xff")
    fragments = st.sampled_from([*fields, *ends, *letters])
    streams = st.lists(fragments | st.binary(max_size=4), max_size=40).map(b"".join) | st.binary(max_size=200)
    cuts = st.lists(st.integers(0, 250), max_size=12)

    @given(streams)
    def test_agrees_with_the_reference(self, stream: bytes) -> None:
        """Any bytes in one piece give what the slow decoder gives."""
        assert decode(stream) == reference(stream)

    @given(streams, cuts)
    def test_cuts_change_nothing(self, stream: bytes, offsets: list[int]) -> None:
        """Any bytes in any pieces give what the slow decoder gives."""
        assert decode(*cut_at(stream, offsets)) == reference(stream)

    @given(streams, cuts, st.integers(0, 30))
    def test_cuts_do_not_move_the_bound(self, stream: bytes, offsets: list[int], bound: int) -> None:
        """What is too large in one piece is too large in any pieces, after the same events."""
        whole = verdict([stream], bound)
        assert verdict(cut_at(stream, offsets), bound) == whole
        assert verdict(single_bytes(stream), bound) == whole

    text = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20)
    events = st.builds(
        Event,
        event=st.none() | text.filter(bool),
        data=st.lists(text, min_size=1).map("\n".join),
        id=text.filter(lambda text: "\0" not in text),
        retry=st.none() | st.integers(0, 10**18 - 1),
    )
    noise = st.lists(st.sampled_from([":", ": ping", "unknown: x", "data-x", ":data: y"]), max_size=2)

    @given(st.lists(st.tuples(events, noise)), st.sampled_from(["\n", "\r", "\r\n"]), st.booleans(), cuts)
    def test_events_survive_the_way(
        self, sent: list[tuple[ServerSentEvent, list[str]]], end: str, bom: bool, offsets: list[int]
    ) -> None:
        """A stream written from events gives those events, with any line end and comments between."""
        lines = []
        for event, noise in sent:
            lines += [f"event: {event.event}"] if event.event else []
            lines += [f"id: {event.id}", *noise]
            lines += [f"retry: {event.retry}"] if event.retry is not None else []
            lines += [f"data: {line}" for line in event.data.split("\n")] + [""]
        stream = BOM * bom + "".join(line + end for line in lines).encode()
        assert decode(*cut_at(stream, offsets)) == [event for event, _ in sent]


BOUND = 300
# Each a stream, given the number of bytes that its only event has.
SHAPES = {
    "data": lambda size: b"data: " + b"x" * size + b"\n\n",
    "data-without-space": lambda size: b"data:" + b"x" * size + b"\n\n",
    "data-of-many-lines": lambda size: b"data:x\n" * (size // 2) + b"data\n" * (size % 2 + 1) + b"\n",
    "data-of-empty-lines": lambda size: b"data\n" * (size + 1) + b"\n",
    "multibyte": lambda size: b"data: " + "é".encode() * (size // 2) + b"x" * (size % 2) + b"\n\n",
    "bom": lambda size: BOM + b"event: e\ndata: " + b"x" * size + b"\n\n",
    "comments-between": lambda size: b": " + b"c" * 200 + b"\ndata: " + b"x" * size + b"\n: c\n\n",
}
each_shape = pytest.mark.parametrize("shape", SHAPES)


class TestBound:
    """One event has a size beyond which the stream is refused."""

    @each_shape
    def test_an_event_at_the_bound_passes(self, shape: str) -> None:
        """Data of as many bytes as are allowed is an event, in whatever pieces it comes."""
        stream = SHAPES[shape](BOUND)
        (event,) = decode(stream, max_event_bytes=BOUND)
        assert len(event.data.encode()) == BOUND
        for pieces in (single_bytes(stream), *([stream[:cut], stream[cut:]] for cut in range(len(stream)))):
            assert verdict(pieces, BOUND) == ([event], False)

    @each_shape
    def test_an_event_above_the_bound_fails(self, shape: str) -> None:
        """One byte more is refused, in whatever pieces it comes."""
        stream = SHAPES[shape](BOUND + 1)
        for pieces in (
            [stream],
            single_bytes(stream),
            *([stream[:cut], stream[cut:]] for cut in range(len(stream))),
        ):
            assert verdict(pieces, BOUND) == ([], True)

    def test_events_before_it_are_given(self) -> None:
        """What is complete before the event that is too large is not lost, even in the same piece."""
        stream = b"data: a\n\ndata: b\n\ndata: " + b"x" * (BOUND + 1)
        assert verdict([stream], BOUND) == ([Event(data="a"), Event(data="b")], True)

    def test_the_bound_is_of_one_event_and_not_of_the_stream(self) -> None:
        """Any number of events below the bound passes."""
        assert (
            len(decode(b"data: " + b"x" * BOUND + b"\n\n", *[b"data: x\n\n"] * BOUND, max_event_bytes=BOUND))
            == BOUND + 1
        )

    @pytest.mark.parametrize("start", [b"data: ", b"event: ", b": ", b"id: ", b"retry: ", b""])
    def test_a_line_without_end_fails(self, start: bytes) -> None:
        """A line of any kind that does not end is refused before it ends."""
        assert verdict([start, *[b"1" * 100] * 4], BOUND) == ([], True)

    def test_lines_that_came_count_for_a_line_without_end(self) -> None:
        """A line is refused before it ends where it would make the event of the lines before it too large."""
        pieces = [b"data: " + b"x" * 200 + b"\n", b"data: " + b"x" * 200]
        assert verdict(pieces, BOUND) == ([], True)

    @pytest.mark.parametrize("kind", ["one line", "lines", "empty lines"])
    def test_memory_stays_flat(self, kind: str) -> None:
        """An event that does not end takes no more memory than a few times the bound."""
        bound = 64 * 1024
        piece = {
            "one line": b"x" * 4096,
            "lines": b"data: " + b"x" * 4089 + b"\n",
            "empty lines": b"data\n" * 800,
        }[kind]
        for _ in range(3):  # other threads of the process allocate too: it has to be so once
            decoder = SSEDecoder(max_event_bytes=bound)
            endless = (event for _ in range(1000) for event in decoder.feed(piece))
            tracemalloc.start()
            try:
                with pytest.raises(EventTooLargeError, match=f"larger than {bound} bytes"):
                    next(endless)
                kept, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            if peak < 2.5 * bound and kept < bound / 10:
                break
        assert peak < 2.5 * bound
        assert kept < bound / 10

    def test_a_huge_piece_is_no_huge_list(self) -> None:
        """A piece of nothing but line ends takes no memory to speak of, as it may be a few bytes unpacked."""
        piece = b"\n" * (4 * 1024 * 1024)
        tracemalloc.start()
        try:
            assert decode(piece) == []
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < len(piece)

    def test_sixteen_mebibytes_are_allowed_where_nothing_is_said(self) -> None:
        """The default bound is 16 MiB, exactly."""
        assert len(decode(b"data: ", b"x" * MAX_EVENT_BYTES, b"\n\n")[0].data) == 16 * 1024 * 1024
        with pytest.raises(EventTooLargeError):
            decode(b"data: ", b"x" * (MAX_EVENT_BYTES + 1))
