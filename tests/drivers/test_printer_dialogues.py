"""What printers answer, replayed from tests/captures/printer_*, however it is cut. Pure."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.builtin.label_printer import Conversation
from drivers.kit.captures import Capture, Step, parse_capture
from drivers.protocols.printer_brother_ql import MEDIA
from drivers.protocols.printer_brother_ql_status import BrotherConversation
from drivers.protocols.printer_epl_status import EplConversation
from drivers.protocols.printer_escpos_status import EscPosConversation
from drivers.protocols.printer_tspl_status import TsplConversation
from drivers.readings import PrinterStatus

FILES = sorted((Path(__file__).parents[1] / "captures").glob("printer_*/*.dialogue"))
NEW: dict[str, Callable[[Capture], Conversation]] = {
    "tspl": lambda one: TsplConversation(long_status=one.settings.get("long_status", False)),
    "epl": lambda _: EplConversation(),
    "escpos": lambda _: EscPosConversation(),
    "brother-ql": lambda one: BrotherConversation(MEDIA[one.settings["media"]]),
}


def conversation_of(capture: Capture) -> Conversation:
    return NEW[capture.driver.rpartition("-")[0]](capture)


def blocks_of(capture: Capture) -> list[tuple[list[Step], str]]:
    """Return the bytes of each question round with what the printer then is."""
    blocks: list[tuple[list[Step], str]] = [([], "")]
    for step in capture.steps:
        if step.kind == "expected":
            blocks[-1] = (blocks[-1][0], step.text)
            blocks.append(([], ""))
        else:
            blocks[-1][0].append(step)
    return blocks[:-1]


def described(status: PrinterStatus | None) -> str:
    assert status is not None
    warnings = f" warning {' '.join(status.warnings)}" if status.warnings else ""
    return f"status {' '.join(status.conditions)}{warnings}"


def cuts_of(data: bytes) -> list[list[bytes]]:
    halves = [[data[:place], data[place:]] for place in range(1, len(data))]
    return [[data], [data[place : place + 1] for place in range(len(data))], *halves]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_dialogue_gives_its_states_however_it_is_cut(path: Path) -> None:
    capture = parse_capture(path.read_text(encoding="utf-8"))
    assert blocks_of(capture)
    for steps, text in blocks_of(capture):
        answers = max(steps, key=lambda step: len(step.data) * (step.kind == "received"))
        for cut in cuts_of(answers.data):
            conversation = conversation_of(capture)
            asked = conversation.ask()
            for step in steps:
                if step.kind == "sent":
                    assert asked == step.data
                    continue
                assert conversation.next_status() is None
                for chunk in cut if step is answers else [step.data]:
                    asked = conversation.receive_data(chunk)
            assert described(conversation.next_status()) == text
            assert conversation.next_status() is None


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_all_dialogues_on_one_line_give_the_same(path: Path) -> None:
    capture = parse_capture(path.read_text(encoding="utf-8"))
    conversation = conversation_of(capture)
    for steps, text in blocks_of(capture):
        conversation.ask()
        for step in steps:
            if step.kind == "received":
                conversation.receive_data(step.data)
        assert described(conversation.next_status()) == text


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
@settings(max_examples=50)
@given(chunks=st.lists(st.binary(max_size=80), max_size=8))
def test_any_bytes_are_a_state_or_nothing_and_leave_little(path: Path, chunks: list[bytes]) -> None:
    conversation = conversation_of(parse_capture(path.read_text(encoding="utf-8")))
    for chunk in chunks:
        conversation.ask()
        conversation.receive_data(chunk)
        status = conversation.next_status()
        assert status is None or status.conditions
        assert isinstance(conversation.is_printed(), bool)
    conversation.receive_data(b"\x80\x20\x42" * 3000)
    assert sum(len(one) for one in vars(conversation).values() if isinstance(one, bytes)) <= 4096


def test_tspl_is_printed_when_it_printed_and_is_ready_twice() -> None:
    def after(*answers: int, begun: bool = True) -> bool:
        conversation = TsplConversation(long_status=False)
        if begun:
            conversation.begin_job(1)
        for answer in answers:
            conversation.ask()
            conversation.receive_data(bytes([answer]))
            conversation.next_status()
        return conversation.is_printed()

    assert after(0x20, 0, 0)
    assert not after(0, 0, 0), "it was never seen to print"
    assert not after(0x20, 0)
    assert not after(0x20, 0, 0x20, 0)
    assert not after(0x20, 0, 4, 0)


def test_a_tspl_answer_that_is_still_owed_confirms_nothing() -> None:
    conversation = TsplConversation(long_status=False)
    conversation.begin_job(1)
    conversation.ask()  # Never answered: each answer after it may be one too old.
    for answer in (0x20, 0, 0):
        conversation.ask()
        conversation.receive_data(bytes([answer]))
        conversation.next_status()
    assert not conversation.is_printed()


ROUND = b"\x12\x12\x12\x12"


@pytest.mark.parametrize(
    ("said", "is_printed"),
    [
        ([b"\x00" + ROUND, ROUND], True),
        ([b"\x03" + ROUND, ROUND], True),
        ([ROUND, ROUND], False),
        ([b"\x12\x12\x00\x12\x12"], False),
        ([b"\x00" + ROUND, b"\x1a\x32\x12\x7e"], False),
        ([b"\x0c" + ROUND, ROUND], False),
        ([b"\x10\x00\x00\x00" + ROUND, ROUND], False),
    ],
    ids=[
        "worked-off-then-ready",
        "paper-low",
        "never-told",
        "told-within-a-round",
        "told-but-paper-out-after",
        "told-paper-out",
        "automatic-status",
    ],
)
def test_escpos_is_printed_when_it_worked_off_all_and_is_ready_after(
    said: list[bytes], is_printed: bool
) -> None:
    conversation = EscPosConversation()
    conversation.begin_job(1)
    for answers in said:
        conversation.ask()
        conversation.receive_data(answers)
        assert conversation.next_status() is not None
    assert conversation.is_printed() == is_printed


def test_an_epl_code_that_a_job_left_behind_is_an_error_of_that_job() -> None:
    conversation = EplConversation()
    texts = []
    for reply in (b"01\r\n", b"01\r\n", b"01,02\r\n"):
        conversation.receive_data(reply)
        texts.append(described(conversation.next_status()))
        conversation.begin_job(1) if len(texts) == 1 else None
    assert texts == ["status ready", "status ready", "status error"]
    assert not conversation.is_printed()


def test_a_brother_counts_every_label_that_it_tells() -> None:
    told = bytes.fromhex("80204234383030000000" + "3e0a" + "00" * 6 + "01") + bytes(13)
    assert len(told) == 32
    conversation = BrotherConversation(MEDIA["62"])
    conversation.begin_job(2)
    for left_count in (1, 0):
        conversation.receive_data(told)
        assert conversation.next_status() is not None
        assert conversation.is_printed() == (left_count == 0)
