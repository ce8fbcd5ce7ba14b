"""Says in another language what was refused in English: by the sentences it is made of. Pure.

    words = ProblemWords({"{0} is {1}: {2} is not possible": "{0} 的状态是{1:t}，不能{2:t}"})
    words.said("TR-1 is draft: close is not possible")

A template is English text with places {0}, {1} ... A translation repeats a place as it is, {0},
translated in its turn, {0:t} (a word or a sentence in the sentence), or word by word, {0:l} (words
with commas or semicolons between). So nothing that somebody has named is taken for a word of ours.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

TEXT_CHARACTERS_MAX = 4000
LOOKS_MAX = 100  # So many pieces of one text are looked up.
CHOICES_MAX = 6  # So many sentences that a piece may be are weighed.
PLACE = re.compile(r"\{\d+\}")
FILLED = re.compile(r"\{(\d+)(:[tl])?\}")


@dataclass(frozen=True, slots=True)
class _Template:
    """literals: what stands before, between and behind the places."""

    literals: tuple[str, ...]
    translation: str


class ProblemWords:
    """The sentences of one language. Any thread."""

    def __init__(self, translations: Mapping[str, str]) -> None:
        self._whole = {
            template: translation
            for template, translation in translations.items()
            if not PLACE.search(template)
        }
        templates = [
            _Template(tuple(PLACE.split(template)), translation)
            for template, translation in translations.items()
            if PLACE.search(template)
        ]
        self._templates = sorted(
            templates, key=lambda one: sum(map(len, one.literals)), reverse=True
        )

    def said(self, text: str) -> str:
        """Return a text in this language, or as it is where nobody has translated it."""
        if len(text) > TEXT_CHARACTERS_MAX:
            return text
        return self._said(text, {}).text

    def _said(self, text: str, known: dict[str, "_Said"]) -> "_Said":
        """Return what says the most of a text, of all that it may be.

        "transfer TR-1 is draft" is "{0} is {1}" of a transfer and a word, and no transfer with the
        code "TR-1 is draft": all but the code is then known.
        """
        if text in known or len(known) >= LOOKS_MAX:
            return known.get(text, _Said(text, 0))
        known[text] = best = _Said(text, 0)
        if text in self._whole:
            best = _Said(self._whole[text], len(text))
        else:
            found = (
                (template, values)
                for template in self._templates
                if (values := _values(text, template.literals)) is not None
            )
            for template, values in islice(found, CHOICES_MAX):
                said = self._filled(template, values, known)
                best = said if said.known_count > best.known_count else best
        known[text] = best
        return best

    def _filled(
        self, template: _Template, values: tuple[str, ...], known: dict[str, "_Said"]
    ) -> "_Said":
        count = sum(map(len, template.literals))

        def value(place: re.Match[str]) -> str:
            nonlocal count
            text, form = values[int(place[1])], place[2]
            if form is None:
                return text
            parts = [self._said(part, known) for part in _parts(text, form)]
            count += sum(part.known_count for part in parts)
            return "、".join(part.text for part in parts)

        return _Said(FILLED.sub(value, template.translation), count)


@dataclass(frozen=True, slots=True)
class _Said:
    """A text in the other language. known_count: characters of the English that are no values."""

    text: str
    known_count: int


def _parts(text: str, form: str) -> list[str]:
    return re.split("[,;] ", text) if form == ":l" else [text]


def _values(text: str, literals: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return what stands in the places, None if the text is no such sentence.

    Each literal is taken where it comes first: that finds a way wherever there is one, in one pass.
    """
    first, *between, last = literals
    end = len(text) - len(last)
    if not text.startswith(first) or not text.endswith(last) or end < len(first):
        return None
    values, begin = [], len(first)
    for literal in between:
        found = text.find(literal, begin, end)
        if found < 0:
            return None
        values.append(text[begin:found])
        begin = found + len(literal)
    return (*values, text[begin:end])
