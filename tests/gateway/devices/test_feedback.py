"""Lights and scanners are told what became of each scan, once, without waiting. Edge of threads."""

from collections.abc import Iterator

import pytest

from gateway.devices.feedback import Feedback
from gateway.station.board import Board
from gateway.station.effects import Message, Signal
from gateway.station.screen_state import ScanOutcome, ShownWeight
from tests.waiting import until

PROMPT = Message("Scan")


class Told:
    """Devices that note what they are told; `broken` makes the next call fail."""

    def __init__(self) -> None:
        self.lights: list[str] = []
        self.devices: list[tuple[str, str]] = []
        self.broken = False

    def signal_lights(self, kind: str) -> None:
        if self.broken:
            self.broken = False
            raise ZeroDivisionError("oops")
        self.lights.append(kind)

    def signal_device(self, name: str, kind: str) -> None:
        self.devices.append((name, kind))


def publish(board: Board, *outcomes: tuple[str, str]) -> None:
    board.publish(
        [ScanOutcome(0, "code", Signal(kind, PROMPT), device) for device, kind in outcomes],
        prompt=PROMPT,
        done=None,
        operator="",
    )


@pytest.fixture
def board() -> Board:
    board = Board(PROMPT)
    publish(board, ("scanner-1", "error"))  # Before the start: nobody wants to hear of it again.
    return board


@pytest.fixture
def told(board: Board) -> Iterator[Told]:
    told = Told()
    feedback = Feedback(board, told)
    feedback.thread.start()
    yield told
    feedback.thread.stop()
    assert feedback.thread.join(60)


def test_each_scan_lights_once_and_beeps_where_it_was_scanned(board: Board, told: Told) -> None:
    publish(board, ("scanner-1", "success"))
    until(lambda: len(told.devices) == 1, "told")
    publish(board, ("scanner-2", "warning"))
    until(lambda: len(told.devices) == 2, "told again")
    assert told.lights == ["success", "warning"]
    assert told.devices == [("scanner-1", "success"), ("scanner-2", "warning")]


def test_of_scans_that_come_together_the_gravest_lights(board: Board, told: Told) -> None:
    publish(
        board,
        ("scanner-1", "success"),
        ("scanner-2", "error"),
        ("scanner-1", "warning"),
        ("scanner-1", "success"),
    )
    until(lambda: len(told.devices) == 2, "told")
    assert told.lights == ["error"]
    assert sorted(told.devices) == [("scanner-1", "warning"), ("scanner-2", "error")]


def test_a_weight_or_a_prompt_lights_nothing(board: Board, told: Told) -> None:
    board.show_weight(ShownWeight("scale", "1", "KGM", "gross", stable=True))
    publish(board)
    publish(board, ("scanner-1", "success"))
    until(lambda: told.devices, "told")
    assert told.lights == ["success"]


def test_a_mistake_in_telling_ends_nothing(board: Board, told: Told, caplog) -> None:
    told.broken = True
    publish(board, ("scanner-1", "success"))
    until(lambda: not told.broken, "failed")
    publish(board, ("scanner-1", "error"))
    until(lambda: told.lights, "told")
    assert told.lights == ["error"]
    assert "feedback failed" in caplog.text
