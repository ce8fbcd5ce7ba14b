"""Tells a person what happens, in English or Chinese. Edge of the terminal."""

import gettext
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table

from provisioning.demo.checks import Figure
from provisioning.demo.words import N_

LOCALE_FOLDER = Path(__file__).parent / "locale"
DOMAIN = "demo"

Language = Literal["en", "zh"]


class Terminal:
    """Writes to standard output: moving on a terminal, plain lines into a pipe or a file."""

    def __init__(self, language: Language) -> None:
        self.console = Console(highlight=False, emoji=False)
        self._translate = (
            gettext.translation(DOMAIN, localedir=LOCALE_FOLDER, languages=["zh"]).gettext
            if language == "zh"
            else gettext.gettext
        )

    def say(self, text: str, **values: str) -> None:
        """Write a sentence of the catalogue, its `{names}` filled in."""
        self._line(self._translate(text).format(**values))

    def quote(self, text: str) -> None:
        """Write a text as it is, such as an error or an address."""
        self._line(text)

    @contextmanager
    def step(self, text: str, **values: str) -> Iterator[None]:
        """Show a sentence as under way, then as done; nothing more if it ends in an error."""
        sentence = self._translate(text).format(**values)
        if not self.console.is_terminal:
            self._line(f".. {sentence}")
            yield
            self._line(f"ok {sentence}")
            return
        with self.console.status(sentence):
            yield
        self._line(f"ok {sentence}", style="green")

    def summary(self, figures: Sequence[Figure]) -> None:
        """Write every figure with what it should be, and the verdict."""
        wrong_count = sum(not figure.ok for figure in figures)
        if self.console.is_terminal:
            self.console.print(self._table(figures))
        else:
            for figure in figures:
                self._line("  ".join(self._cells(figure)))
        if wrong_count:
            self.say(
                N_("{count} of {all} figures are off."),
                count=str(wrong_count),
                all=str(len(figures)),
            )
        else:
            self.say(N_("All {count} figures are as they should be."), count=str(len(figures)))

    def _table(self, figures: Sequence[Figure]) -> Table:
        table = Table(show_lines=False)
        for heading in (N_("where"), N_("figure"), N_("expected"), N_("found"), N_("ok")):
            table.add_column(self._translate(heading), overflow="fold")
        for figure in figures:
            table.add_row(*self._cells(figure), style="" if figure.ok else "bold red")
        return table

    def _cells(self, figure: Figure) -> tuple[str, ...]:
        verdict = self._translate(N_("ok")) if figure.ok else self._translate(N_("OFF"))
        expected, found = self._translate(figure.expected), self._translate(figure.found)
        return figure.subject or "demo", self._translate(figure.name), expected, found, verdict

    def _line(self, text: str, *, style: str = "") -> None:
        self.console.print(text, style=style, markup=False, soft_wrap=True)
        self.console.file.flush()
