"""What is open before a period is closed, in the reader's language. Pure.

A closed period keeps its points with English details, as `period_points` wrote them.
"""

import re
from collections.abc import Mapping

from central.orders.settling.periods import OpenPoint
from central.web.documents.state_words import STATES
from central.web.texts import Texts
from central.web.words import DISCREPANCIES, UNITS, marked

# Of each check: what its detail looks like, and how it is said.
DETAILS: tuple[tuple[str, re.Pattern[str], str], ...] = tuple(
    (check, re.compile(pattern, re.DOTALL), template)
    for check, pattern, template in (
        (
            "gateway",
            r"last heard of: never; it may hold facts of the period",
            marked("never heard of; it may hold facts of the period"),
        ),
        (
            "gateway",
            r"last heard of: (?P<seen>.+); it may hold facts of the period",
            marked("last heard of: %(seen)s; it may hold facts of the period"),
        ),
        (
            "gateway",
            r"(?P<count>\d+) of its facts are not here yet",
            marked("%(count)s of its facts are not here yet"),
        ),
        (
            "discrepancy",
            r"(?P<kind>\w+) (?P<about>.+), seen to by (?P<owner>.+)",
            marked("%(kind)s: %(about)s, seen to by %(owner)s"),
        ),
        ("discrepancy", r"(?P<kind>\w+) (?P<about>.+)", marked("%(kind)s: %(about)s")),
        (
            "transfer",
            r"goods are under way to (?P<warehouse>.+)",
            marked("goods are under way to %(warehouse)s"),
        ),
        ("count", r"the count is (?P<state>\w+)", marked("the count is: %(state)s")),
        (
            "balance",
            r"(?P<amount>\S+) (?P<unit>\S+) of (?P<goods>.+)",
            marked("%(amount)s %(unit)s of %(goods)s"),
        ),
    )
)
WORDS: Mapping[str, dict[str, str]] = {"kind": DISCREPANCIES, "state": STATES, "unit": UNITS}


def point_detail(point: OpenPoint, texts: Texts) -> str:
    """Return what is open about a point; as it is if nobody knows its form."""
    for check, pattern, template in DETAILS:
        found = pattern.fullmatch(point.detail) if check == point.check else None
        if found:
            said = {
                name: texts.word(WORDS[name], value) if name in WORDS else value
                for name, value in found.groupdict().items()
            }
            return texts.say(template) % said
    return point.detail
