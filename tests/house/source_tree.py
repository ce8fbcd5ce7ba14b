"""The project's own Python sources, read and parsed once. Edge of the source tree."""

import ast
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("gateway", "drivers", "central", "provisioning")


@dataclass(frozen=True)
class Source:
    """One source file: its path below the root and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Return its syntax tree: seconds for all files, which not every check has to take."""
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Return all of the tree, walked once: that takes three times as long as to parse it."""
        return tuple(ast.walk(self.tree))

    @property
    def kind(self) -> str:
        """Return the kind that the docstring opens with: Pure, Edge, Loop, Root or ""."""
        opening = (ast.get_docstring(self.tree) or "").split("\n\n")[0].replace("\n", " ")
        for sentence in opening.split(". "):
            word = sentence.strip().rstrip(".").split(" ")[0]
            if word in {"Pure", "Edge", "Loop", "Root"}:
                return word
        return ""


@cache
def product_sources() -> tuple[Source, ...]:
    """Return all Python files of the product, sorted by path."""
    return tuple(
        _read(path) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))
    )


@cache
def test_sources() -> tuple[Source, ...]:
    """Return all Python files of the tests, sorted by path."""
    return tuple(_read(path) for path in sorted((ROOT / "tests").rglob("*.py")))


test_sources.__test__ = False  # type: ignore[attr-defined]


def _read(path: Path) -> Source:
    text = path.read_text(encoding="utf-8")
    return Source(path=str(path.relative_to(ROOT)), text=text)
