"""Who may import whom, as drawn in pyproject.toml. Edge of import-linter."""

import subprocess

from tests.house.source_tree import ROOT


def test_imports_run_as_drawn():
    # A program of its own: import-linter switches off the loggers of whoever calls it.
    done = subprocess.run(
        [ROOT / ".venv/bin/lint-imports", "--no-logo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
