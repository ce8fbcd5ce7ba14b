"""Lines out of a stream of bytes. Pure."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.protocols.framing import Frame, LineFramer
from tests.drivers.check_stream import check_stream, feed

LIMIT = 8
LINE_ENDS = ["cr_or_lf", "cr", "lf", "crlf", "tab", "etx"]
ENDS = {
    "cr_or_lf": b"\r\n",
    "cr": b"\r",
    "lf": b"\n",
    "crlf": b"\r\n",
    "tab": b"\t",
    "etx": b"\x03",
}


def new_framer(line_end="cr_or_lf"):
    return lambda: LineFramer(line_end=line_end, frame_bytes_max=LIMIT)


@pytest.mark.parametrize(
    ("line_end", "stream", "lines", "tail"),
    [
        pytest.param("cr_or_lf", b"a\rb\nc\r\nd\n\r", [b"a", b"b", b"c", b"d"], b"e", id="any"),
        pytest.param("cr", b"a\rb\r\nc\n\r", [b"a", b"b", b"c\n"], b"", id="cr, LF may follow"),
        pytest.param("cr", b"a\r\n\nb\r", [b"a", b"\nb"], b"\n", id="cr, second LF is data"),
        pytest.param("lf", b"a\nb\r\nc\rd\n", [b"a", b"b", b"c\rd"], b"e\r", id="lf, CR before"),
        pytest.param("crlf", b"a\rb\r\nc\nd\r\n", [b"a\rb", b"c\nd"], b"e\r", id="crlf only"),
        pytest.param("crlf", b"\r\n\r\na\r\r\n", [b"a\r"], b"\r", id="empty lines vanish"),
        pytest.param("tab", b"a\r\tb\n\t\t", [b"a\r", b"b\n"], b"e\r", id="tab alone"),
        pytest.param("etx", b"\x02a\x03\x02b\x03", [b"\x02a", b"\x02b"], b"\x02", id="etx"),
        pytest.param("lf", b"12345678\r\n", [b"12345678"], b"12345678\r", id="limit is allowed"),
        pytest.param("crlf", b"12345678\r\n", [b"12345678"], b"12345678\r", id="limit with CR LF"),
    ],
)
def test_lines_end_where_the_setting_says(line_end, stream, lines, tail):
    check_stream(new_framer(line_end), stream, [Frame(line) for line in lines], tail=tail)


@pytest.mark.parametrize("line_end", LINE_ENDS)
@pytest.mark.parametrize("length", [LIMIT + 1, LIMIT + 2, LIMIT + 3, 5 * LIMIT])
def test_a_line_that_is_too_long_costs_only_itself(line_end, length):
    end = ENDS[line_end]
    stream = b"ok" + end + b"x" * length + end + b"fine" + end
    expected = [Frame(b"ok"), Frame(b"x" * LIMIT, oversized=True), Frame(b"fine")]
    check_stream(new_framer(line_end), stream, expected)


def test_an_endless_line_is_reported_once_and_before_it_ends():
    framer = new_framer()()
    assert feed(framer, [b"x" * 100, b"x" * 100]) == [Frame(b"x" * LIMIT, oversized=True)]


def test_an_endless_line_takes_no_memory():
    framer = new_framer()()
    tracemalloc.start()
    for _ in range(200):
        framer.receive_data(b"x" * 4096)
    grown_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown_bytes < 50_000


def test_idle_gives_up_the_line_that_has_begun():
    framer = new_framer()()
    feed(framer, [b"ab"])
    assert framer.idle() == b"ab"
    assert framer.idle() == b""
    assert feed(framer, [b"cd\r"]) == [Frame(b"cd")]


def test_idle_ends_an_endless_line_without_a_second_report():
    framer = new_framer()()
    feed(framer, [b"x" * 100])
    assert framer.idle() == b""
    assert feed(framer, [b"cd\r"]) == [Frame(b"cd")]


def test_a_late_line_feed_belongs_to_the_carriage_return_before_it():
    framer = new_framer("cr")()
    assert feed(framer, [b"ab\r"]) == [Frame(b"ab")]
    assert framer.idle() == b""
    assert feed(framer, [b"\n"]) == []
    assert framer.idle() == b""


@pytest.mark.parametrize("line_end", LINE_ENDS)
@given(chunks=st.lists(st.binary(max_size=40) | st.text("ab\r\n\t\x03").map(str.encode)))
def test_any_bytes_give_bounded_lines_however_they_are_cut(line_end, chunks):
    framer = new_framer(line_end)()
    frames = feed(framer, chunks)
    assert frames == feed(new_framer(line_end)(), [b"".join(chunks), b""])
    assert all(0 < len(frame.data) <= LIMIT for frame in frames)
    assert len(framer.idle()) <= LIMIT + 2
