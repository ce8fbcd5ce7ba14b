"""`device record` writes a capture that the driver kit replays. Edge of the command line."""

import subprocess
import sys

import pytest

from drivers.kit.captures import parse_capture
from drivers.kit.conformance import check_capture, protocol_of
from drivers.kit.replay import CapturePlayer
from drivers.registry import load_driver
from drivers.simulators.lines import VirtualSerialLine

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
driver = "mt-sics-serial"
settings = {{ port = "{port}" }}
"""
PLAYED = """# dockledger capture 1
# driver: mt-sics-serial
# source: made by hand
> 53 49 0d 0a
< 53 20 53 20 20 20 20 20 31 32 2e 35 30 30 20 6b 67 0d 0a
= weight 12.500 KGM gross stable
> 53 49 0d 0a
< 53 20 2b 0d 0a
= fault overload
"""


def record(config, to, *options):
    words = ["-m", "gateway", "device", "record", *options, "--to", str(to), "--config", config]
    return subprocess.run(
        [sys.executable, *map(str, words)], capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture
def place(tmp_path):
    with VirtualSerialLine(tmp_path / "scale") as line:
        config = tmp_path / "gateway.toml"
        config.write_text(CONFIG.format(data=tmp_path / "data", port=line.path))
        yield line, config, tmp_path / "scale.capture"


def test_a_recording_replays_to_the_same_readings(place):
    line, config, to = place
    with CapturePlayer(line, parse_capture(PLAYED), patience_s=30):
        done = record(config, to, "dock-2-scale", "--seconds", "2", "--source", "test\nmodel")
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == ["weight 12.500 KGM gross stable", "fault overload"]
    capture = parse_capture(to.read_text())
    assert capture.source == "test model"
    assert check_capture(protocol_of(load_driver("mt-sics-serial"), capture), capture) == 2
    assert sum(step.kind == "sent" for step in capture.steps) >= 2


@pytest.mark.parametrize(
    ("name", "unplugged", "said"),
    [("dock-9", False, "no scanner"), ("dock-2-scale", True, "device lock dock-2-scale")],
    ids=["unknown device", "not there"],
)
def test_what_cannot_be_recorded_says_what_to_do(place, name, unplugged, said):
    line, config, to = place
    if unplugged:
        line.unplug()
    done = record(config, to, name)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_cannot_be_written_is_named(place, tmp_path):
    _, config, _ = place
    done = record(config, tmp_path / "no" / "x.capture", "dock-2-scale", "--seconds", "0.2")
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
