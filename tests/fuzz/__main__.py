"""Runs the coverage-guided fuzzer over the harnesses. Root.

usage: python -m tests.fuzz [NAME ...] [-s SECONDS]      needs atheris: pip install -e .[fuzz]

Each harness runs in a process of its own. What it finds is written beside the corpus as
`crash-...`; what covers new code is added to the corpus in `build/fuzz`, never to the kept one.
"""

import argparse
import subprocess
import sys
from pathlib import Path

NAMES = ("llrp_stream", "llrp_session", "gs1")
KEPT = Path(__file__).parent / "corpus"
FOUND = Path("build/fuzz")


def main() -> int:
    """Return 0 if no harness failed."""
    parser = argparse.ArgumentParser(description="coverage-guided fuzzing")
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("-s", "--seconds", type=int, default=60)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        _fuzz(options.one, options.seconds)
    failed = 0
    for name in options.names:
        sys.stderr.write(f"fuzzing {name} for {options.seconds} s\n")
        failed += subprocess.run(
            [sys.executable, "-m", "tests.fuzz", "--one", name, "-s", str(options.seconds)],
            check=False,
        ).returncode
    return int(failed > 0)


def _fuzz(name: str, seconds: int) -> None:
    import atheris

    with atheris.instrument_imports(include=["drivers", "central"]):
        from tests.fuzz.harnesses import HARNESSES
    found = FOUND / name
    found.mkdir(parents=True, exist_ok=True)
    limits = [f"-max_total_time={seconds}", "-max_len=1024", "-rss_limit_mb=512", "-timeout=5"]
    arguments = [sys.argv[0], *limits, f"-artifact_prefix={found}/", str(found), str(KEPT / name)]
    atheris.Setup(arguments, HARNESSES[name])
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
