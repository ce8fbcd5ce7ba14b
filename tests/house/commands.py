"""What the installed commands say of themselves: asked within this process, once each. Edge."""

import io
import os
import sys
import tomllib
from contextlib import redirect_stdout
from functools import cache
from importlib.metadata import EntryPoint
from unittest import mock

from tests.house.source_tree import ROOT

SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
SHOWN = {"COLUMNS": "200", "TERM": "dumb"}


@cache
def help_of(name: str, *words: str) -> str:
    """Return what `name words --help` prints. Raises AssertionError unless it ends well.

    A program of its own for each question takes a second of loading, and says the same.
    """
    main = EntryPoint(name, SCRIPTS[name], "console_scripts").load()
    said = io.StringIO()
    with (
        mock.patch.object(sys, "argv", [name, *words, "--help"]),
        mock.patch.dict(os.environ, SHOWN),
        redirect_stdout(said),
    ):
        try:
            ended = main()
        except SystemExit as end:
            ended = end.code
    assert not ended, f"{name} {' '.join(words)} --help ends with {ended}: {said.getvalue()}"
    return said.getvalue()
