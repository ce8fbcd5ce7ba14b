"""Lines of the log of both programs: JSON, and before it the priority where journald reads them."""

import json
import os
import subprocess
import sys

import pytest

STARTS = {
    "gateway": "from gateway.logs import configure_logs as start",
    "central": "from central.logs import start_logging as start",
}


def logged(tmp_path, program, *, in_journal):
    """Return the lines of a program that warns once."""
    code = f"{STARTS[program]}; import logging; start()"
    code += f"; logging.getLogger('{program}').warning('no broker', extra={{'port': 1}})"
    path = tmp_path / "log"
    with path.open("wb") as file:
        status = os.fstat(file.fileno())
        name = f"{status.st_dev}:{status.st_ino + (not in_journal)}"  # Another's, if it is not.
        subprocess.run(
            [sys.executable, "-c", code],
            stderr=file,
            check=True,
            env=os.environ | {"JOURNAL_STREAM": name},
        )
    return path.read_text().splitlines()


@pytest.mark.parametrize("program", STARTS)
def test_journald_is_told_how_bad_it_is(tmp_path, program):
    (line,) = logged(tmp_path, program, in_journal=True)
    assert line.startswith("<4>{")
    assert json.loads(line.removeprefix("<4>"))["port"] == 1


@pytest.mark.parametrize("program", STARTS)
def test_others_read_json_alone(tmp_path, program):
    (line,) = logged(tmp_path, program, in_journal=False)
    assert json.loads(line)["event"] == "no broker"
