"""What a program has promised before a cut, against what is left after it. Pure.

green     the scanner's light, or central's acknowledgement: the scan or fact must be there
paper     what has come out of the printer: its job must never be queued again, or be gone
printed   what the gateway says is on paper: it must be on paper
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_SERIALS = re.compile(r"^SERIALS(.*)$", re.MULTILINE)
_JOBS = re.compile(r"^JOBS (\w+)(.*)$", re.MULTILINE)
_PAPER = re.compile(r"^PAPER (\d+)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Left:
    """What a look after a cut has found, by the numbers of scans or facts.

    serials: those in the journal or ledger. jobs: of the print queue, those in each state.
    """

    serials: frozenset[int]
    jobs: dict[str, frozenset[int]]


def read_look(said: str) -> Left | None:
    """Return what a looking program has said, None if it did not find everything whole."""
    serials = _SERIALS.search(said)
    if serials is None or "VERIFIED" not in said:
        return None
    jobs = {state: _numbers(words) for state, words in _JOBS.findall(said)}
    return Left(_numbers(serials[1]), jobs)


def read_paper(console: str) -> list[int]:
    """Return the numbers of the labels that came out of the printer, in order."""
    return [int(number) for number in _PAPER.findall(console)]


def broken_claims(left: Left, paper: Sequence[int]) -> list[str]:
    """Return what the print queue claims and cannot know, in words; empty if nothing."""
    out, known = set(paper), frozenset[int]().union(*left.jobs.values())
    twice = [number for number, count in Counter(paper).items() if count > 1]
    claims = (
        ("said to be printed, and not on paper", left.jobs.get("printed", frozenset()) - out),
        ("on paper, and queued to be printed again", out & left.jobs.get("queued", frozenset())),
        ("on paper, and unknown to the queue", out - known),
        ("on paper twice", set(twice)),
    )
    return [f"labels {words}: {sorted(numbers)}" for words, numbers in claims if numbers]


def _numbers(words: str) -> frozenset[int]:
    return frozenset(int(word) for word in words.split())
