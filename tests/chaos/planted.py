"""Copies of the product with one mistake each, to see that the checkers find it. Edge of files."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.house.source_tree import PACKAGES, ROOT


@dataclass(frozen=True, slots=True)
class Mistake:
    """Replace `right`, which stands once in `path`, by `wrong`."""

    path: str
    right: str
    wrong: str


# The ledger commits a moment after it has answered.
ACKNOWLEDGES_BEFORE_COMMIT = Mistake(
    "central/inbox/inbox.py",
    """        with self._database.write() as connection:
            epochs = [""",
    """        from contextlib import ExitStack
        from threading import Timer

        late = ExitStack()
        connection = late.enter_context(self._database.write())
        Timer(0.2, late.close).start()
        if True:
            epochs = [""",
)
# The screen shows green a moment before the journal has the fact.
SHOWS_GREEN_BEFORE_COMMIT = Mistake(
    "gateway/station_loop.py",
    """            try:
                unsaved =""",
    """            try:
                import time

                self._publish(group, done=group.done, changed=group.prompt_changed)
                group.outcomes.clear()
                time.sleep(0.2)
                unsaved =""",
)


def planted(directory: Path, *mistakes: Mistake) -> Path:
    """Return a folder with the product's sources and these mistakes in them."""
    ignored = shutil.ignore_patterns("__pycache__")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, directory / package, ignore=ignored)
    for mistake in mistakes:
        path = directory / mistake.path
        text = path.read_text(encoding="utf-8")
        assert text.count(mistake.right) == 1, f"{mistake.path} has changed: plant it anew"
        path.write_text(text.replace(mistake.right, mistake.wrong), encoding="utf-8")
    return directory
