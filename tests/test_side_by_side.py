"""Tests that run side by side: each is run once and told, whatever becomes of its process."""

import os
import re
import subprocess
import sys

import pytest

GOOD = """
import os
import pytest

@pytest.fixture(scope="session")
def server():
    yield
    with open(f"ended-{os.getpid()}", "x"):
        pass

@pytest.mark.parametrize("number", range(20))
def test_good(server, number, tmp_path):
    (tmp_path / "own").touch(exist_ok=False)

def test_bad():
    print("what it printed")
    assert 1 == 2

def test_left_out():
    pytest.skip("for a reason")
"""
DYING = """
import os
import time
import pytest

def test_before():
    pass

def test_dies():
    os._exit(3)

@pytest.mark.timeout(1)
def test_never_ends():
    time.sleep(60)

def test_after():
    pass
"""


@pytest.fixture
def run(tmp_path):
    """What pytest says of the files in a folder, run side by side."""
    for name, text in {"test_a": GOOD, "test_b": GOOD, "test_dying": DYING}.items():
        (tmp_path / f"{name}.py").write_text(text)

    def ran(*options):
        command = [sys.executable, "-m", "pytest", "-rA", "-p", "tests.side_by_side"]
        command += ["--rootdir", str(tmp_path), "-p", "no:schemathesis", "-p", "no:cacheprovider"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        return subprocess.run(
            [*command, "--basetemp", str(tmp_path / "of-tests"), *options, str(tmp_path)],
            check=False,
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return ran


@pytest.mark.parametrize("workers", [1, 3])
def test_each_test_is_told_once_and_so_is_the_death_of_its_process(run, workers, tmp_path):
    ran = run("--workers", str(workers))
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "4 failed, 42 passed, 2 skipped" in ran.stdout
    told = re.findall(r"^(?:PASSED|FAILED) (\S+)", ran.stdout, re.MULTILINE)
    assert len(told) == len(set(told)) == 46
    assert "a worker ended with status 3 during test_dying.py::test_dies" in ran.stdout
    assert "Timeout (>1.0s)" in ran.stdout
    assert ran.stdout.count("Captured stdout call") == 2
    assert ran.stdout.count("for a reason") == 2
    # The only worker died, with what lived as long as it; of three, that were two others.
    assert len(list(tmp_path.glob("ended-*"))) == {1: 0, 3: 2}[workers]


def test_after_the_first_failure_no_other_file_is_begun(run):
    ran = run("--workers", "1", "-x")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "test_b.py" not in ran.stdout and "1 failed" in ran.stdout
