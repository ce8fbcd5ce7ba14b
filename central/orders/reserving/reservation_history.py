"""What was set aside by a row of reservations, from when on. Pure.

    "1780400000000:5000000 1780400060000:2000000 1780400090000:0"
     from here on 5        then 2                nothing any more

Times are those of the ledger's clock, in ms; quantities in 10^-6 of the unit. "0:" stands before
what was set aside already when the first of it was written down. The row that changes carries it,
so that keeping it costs no statement.
"""

ENTRIES_MAX = 256  # Of one row: a line that is picked piece by piece from one place has that many.
CUT = "-"  # Before the oldest entry, where older ones were left out.


def noted(history: str, *, before_micro: int, now_micro: int, now_ms: int) -> str:
    """Return the history of a row after a change. before_micro: what it was until now."""
    if not history and before_micro:
        history = f"0:{before_micro}"
    at_ms, last = now_ms, history.rfind(" ") + 1
    if history:
        at_ms = max(now_ms, _entry(history[last:])[0])  # Also where a clock was set back.
        if at_ms != now_ms or history.startswith(f"{at_ms}:", last):
            history = history[: max(last - 1, 0)]
    history = f"{history} {at_ms}:{now_micro}".lstrip()
    if history.count(" ") < ENTRIES_MAX:
        return history
    return CUT + history.partition(" ")[2]


def quantity_at(history: str, *, present_micro: int, time_ms: int) -> int | None:
    """Return what was set aside at a time; None where that was left out of the history.

    present_micro: what is set aside now, which it always was of a row without a history.
    """
    entries = history.split()
    if not entries:
        return present_micro
    for entry in reversed(entries):
        at_ms, micro = _entry(entry)
        if at_ms <= time_ms:
            return micro
    return None if entries[0].startswith(CUT) else 0


def _entry(text: str) -> tuple[int, int]:
    at_ms, _, micro = text.removeprefix(CUT).partition(":")
    return int(at_ms), int(micro)
