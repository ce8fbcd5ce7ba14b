"""Who may import whom, as drawn in pyproject.toml. Edge of import-linter."""

from importlinter.cli import lint_imports

from tests.house.source_tree import ROOT


def test_imports_run_as_drawn(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_logo=True) == 0, "run `make check` to see the broken contract"
