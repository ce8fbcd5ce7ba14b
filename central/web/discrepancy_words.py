"""What is said of discrepancies to programs whose people read Chinese. Edge of template files.

The same words as on the pages: the interface for programs is handed them by the application.
"""

import re
from dataclasses import dataclass

from central.api.languages import LANGUAGE_DEFAULT
from central.orders.settling.periods import OpenPoint
from central.web.drawing import drawing_in
from central.web.point_words import point_detail
from central.web.settlement_words import ACTIONS, DONE, MEANINGS, sentence
from central.web.texts import Texts

# What somebody decided, as the ledger keeps it: "accept by li.na: they are broken".
DECIDED = re.compile(rf"(?P<what>{'|'.join(ACTIONS)}) by (?P<who>.+?): (?P<why>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class DiscrepancyWords:
    """The words of one language. Any thread."""

    texts: Texts

    def meaning(self, kind: str) -> str:
        """Return what a kind says."""
        return self.texts.word(MEANINGS, kind)

    def sentence(self, text: str) -> str:
        """Return why something is proposed, advised or settled; as it is if nobody knows it."""
        return sentence(text, self.texts)

    def settlement(self, text: str) -> str:
        """Return why one is settled: what somebody decided, or how it settled itself."""
        found = DECIDED.fullmatch(text)
        if found is None:
            return sentence(text, self.texts)
        said = found.groupdict() | {"what": self.texts.word(DONE, found["what"])}
        return self.texts.say("%(what)s by %(who)s: %(why)s") % said

    def point(self, point: OpenPoint) -> str:
        """Return what is open before a period is closed."""
        return point_detail(point, self.texts)

    def detail(self, text: str) -> str:
        """Return what is noted of one discrepancy; as it is if nobody knows it."""
        return self.texts.sentence(text)


def discrepancy_words(language: str) -> DiscrepancyWords | None:
    """Return the words of a language, None for the one in which the ledger writes."""
    if language == LANGUAGE_DEFAULT:
        return None
    return DiscrepancyWords(drawing_in(language).texts)
