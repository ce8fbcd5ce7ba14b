"""What is said of discrepancies to programs whose people read Chinese. Edge of template files.

The same words as on the pages: the interface for programs is handed them by the application.
"""

from dataclasses import dataclass

from central.api.languages import LANGUAGE_DEFAULT
from central.web.drawing import drawing_in
from central.web.settlement_words import MEANINGS, sentence
from central.web.texts import Texts


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

    def detail(self, text: str) -> str:
        """Return what is noted of one discrepancy; as it is if nobody knows it."""
        return self.texts.sentence(text)


def discrepancy_words(language: str) -> DiscrepancyWords | None:
    """Return the words of a language, None for the one in which the ledger writes."""
    if language == LANGUAGE_DEFAULT:
        return None
    return DiscrepancyWords(drawing_in(language).texts)
