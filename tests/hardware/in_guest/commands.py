"""Commands of the wheel under test, one after the other in this program. Edge of its output.

Under emulation it takes ten seconds until central's or the gateway's modules are there: once.
"""

import io
from contextlib import redirect_stderr, redirect_stdout


def run_command(app, *words):
    """Run a command of a typer application; return its exit status, its results and its words."""
    results, log = io.StringIO(), io.StringIO()
    with redirect_stdout(results), redirect_stderr(log):
        try:
            status = app(list(words), standalone_mode=False)
        except SystemExit as end:
            status = end.code
    return status or 0, results.getvalue(), log.getvalue()
