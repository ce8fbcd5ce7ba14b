"""A driver in a package of its own: installed with pip, checked, found, used. Edge of pip."""

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from drivers.kit.captures import parse_capture
from drivers.kit.replay import CapturePlayer
from drivers.simulators.lines import VirtualSerialLine

PACKAGE = Path(__file__).parents[1] / "third_party" / "dockledger-driver-acme"
CONFIG = """
[gateway]
code = "sh1-dock-2"
warehouse = "sh1"
data_directory = "{data}"
[station]
code = "dock-2"
receive_location = "dock-1"
[mqtt]
host = "127.0.0.1"
[[device]]
name = "dock-2-scale"
driver = "acme-scale-serial"
[device.settings]
port = "{port}"
"""


def run(*words, **environment):
    return subprocess.run(
        [sys.executable, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        env=os.environ | environment,
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return a folder into which pip has installed the package, as a user would."""
    folder = tmp_path_factory.mktemp("site")
    source = tmp_path_factory.mktemp("source") / "package"
    source.mkdir()
    for path in PACKAGE.iterdir():
        if path.is_file():  # setuptools builds in the source's folder: not in ours.
            (source / path.name).write_bytes(path.read_bytes())
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--quiet", "--target", folder]
    done = run("-m", "pip", "install", *options, source)
    assert done.returncode == 0, done.stderr
    return folder


def test_its_own_tests_pass_by_the_driver_kit(installed):
    done = run(
        "-m", "pytest", "-p", "no:cacheprovider", PACKAGE / "test_acme_scale.py",
        PYTHONPATH=str(installed),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_it_appears_in_check_devices_and_is_ready(installed, tmp_path):
    capture = parse_capture((PACKAGE / "acme.capture").read_text())
    with VirtualSerialLine(tmp_path / "scale") as line, CapturePlayer(line, capture, patience_s=30):
        config = tmp_path / "gateway.toml"
        config.write_text(CONFIG.format(data=tmp_path / "data", port=line.path))
        done = run(
            "-m", "gateway", "check-devices", "--config", config, "--json",
            PYTHONPATH=str(installed),
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    check = msgspec.json.decode(done.stdout)
    assert (check["name"], check["driver"], check["ready"]) == (
        "dock-2-scale",
        "acme-scale-serial",
        True,
    )


def test_without_the_package_the_error_names_the_drivers_there_are(tmp_path):
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG.format(data=tmp_path / "data", port="/dev/none"))
    done = run("-m", "gateway", "check-devices", "--config", config)
    assert done.returncode == 2
    assert "no driver is called 'acme-scale-serial'" in done.stderr
    assert "mt-sics-serial" in done.stderr


def test_the_example_in_its_docstring_is_right(installed):
    done = run(
        "-c",
        "import acme_scale; "
        "line = next(line for line in acme_scale.__doc__.splitlines() if '12.500' in line); "
        r"print(acme_scale.AcmeProtocol().receive_data(line.strip().encode() + b'\r\n')[0].value)",
        PYTHONPATH=str(installed),
    )
    assert done.stdout.strip() == str(Decimal("12.500")), done.stderr


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("import a_library_that_is_not_there", "ModuleNotFoundError"),
        ("DRIVER = 7", "is not the Driver 'broken'"),
        ("raise RuntimeError('no')", "RuntimeError: no"),
    ],
    ids=["import", "no driver", "raises"],
)
def test_a_driver_that_does_not_load_is_named_with_what_to_do(tmp_path, module, said):
    (tmp_path / "broken.py").write_text(module)
    meta = tmp_path / "broken-1.dist-info"
    meta.mkdir()
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (meta / "entry_points.txt").write_text("[dockledger.drivers]\nbroken = broken:DRIVER\n")
    config = tmp_path / "gateway.toml"
    text = CONFIG.format(data=tmp_path / "data", port="/dev/none")
    config.write_text(text.replace("acme-scale-serial", "broken"))
    done = run("-m", "gateway", "check-devices", "--config", config, PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Install the package of this driver again" in done.stderr
    assert "Traceback" not in done.stderr
