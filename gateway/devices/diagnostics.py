"""Makes a zip file of all that support needs to know of one device. Edge (kernel, packages).

    README.txt       what is in it, and what was taken out
    device.json      driver, its package and tier, settings, state, problem
    history.jsonl    every change of its state, oldest first
    counters.json    how often it spoke, failed, was opened again ...
    frames.txt       the last things that it said: time, meaning, bytes
    kernel.json      what the kernel says of its node
    versions.json    this program, Python, the kernel, every installed package

What must not leave the gateway is taken out of all of them, see `redaction.py`.
"""

import io
import platform
import sys
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import entry_points, version
from pathlib import Path

import msgspec

from drivers.api import ENTRY_POINT_GROUP
from drivers.readings import (
    BarcodeScanned,
    DeviceFault,
    InputChanged,
    PrinterStatus,
    Reading,
    TagRead,
    WeightMeasured,
)
from gateway.devices.check import ConfiguredDevice
from gateway.devices.frames import Frame
from gateway.devices.kernel_node import describe_node
from gateway.devices.lifecycle import Transition
from gateway.devices.redaction import Redaction, holds_badge, shape
from gateway.health import DeviceCount, DeviceHealth

FRAME_BYTES_MAX = 1024
PACKAGES_MAX = 500
README = """Diagnostics of the device {name}, made {time} UTC.

Taken out: passwords, tokens, keys, user names, badges of people.
Data of bar codes and tags: {data}
Hosts, ports and paths are as they are configured.
"""
DATA_SHOWN = "as they were scanned."
DATA_HIDDEN = (
    "their length, their shape (A: a letter, 9: a digit) and a digest that tells within this file "
    "alone which are equal."
)


@dataclass(frozen=True, slots=True)
class DeviceFindings:
    """What is known of one device. health: None, and nothing else, if the gateway is not running.

    reading_age_s: since it last said something, None if it never did.
    """

    device: ConfiguredDevice
    health: DeviceHealth | None = None
    history: tuple[Transition, ...] = ()
    frames: tuple[Frame, ...] = ()
    counts: tuple[DeviceCount, ...] = ()
    reading_age_s: float | None = None


def diagnostics_bundle(
    findings: DeviceFindings, *, time_ms: int, salt: bytes, with_data: bool
) -> bytes:
    """Return the zip file. salt: random; with_data: show what was scanned, badges excepted."""
    device = findings.device
    redaction = Redaction(device.section.settings, salt=salt)
    frames = (_frame_lines(frame, redaction, with_data=with_data) for frame in findings.frames)
    name = device.section.name
    readme = README.format(
        name=name, time=_moment(time_ms), data=DATA_SHOWN if with_data else DATA_HIDDEN
    )
    files = {
        "README.txt": readme,
        "device.json": _json(_device_part(findings, redaction)),
        "history.jsonl": "".join(
            msgspec.json.encode(transition).decode() + "\n" for transition in findings.history
        ),
        "counters.json": _json(
            {"last_reading_age_s": findings.reading_age_s, "counts": findings.counts}
        ),
        "frames.txt": "".join(frames),
        "kernel.json": _json(describe_node(_node(device))),
        "versions.json": _json(_versions()),
    }
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as archive:
        for file_name, text in files.items():
            # Once more over everything: a secret may stand in an error's text or a node's name.
            archive.writestr(f"{name}/{file_name}", redaction.text(text))
    return bundle.getvalue()


def _device_part(findings: DeviceFindings, redaction: Redaction) -> dict[str, object]:
    device = findings.device
    driver = device.driver
    return {
        "name": device.section.name,
        "driver": driver.name,
        "device_class": driver.device_class,
        "summary": driver.summary,
        "tier": driver.tier,
        "commands": sorted(driver.commands),
        "package": _driver_package(driver.name),
        "settings": redaction.settings(device.section.settings),
        "running": findings.health is not None,
        "health": findings.health,
    }


def _driver_package(driver: str) -> str:
    for entry_point in entry_points(group=ENTRY_POINT_GROUP, name=driver):
        if entry_point.dist is not None:
            return f"{entry_point.dist.name} {entry_point.dist.version}"
    return ""


def _node(device: ConfiguredDevice) -> str:
    setting = device.driver.node_setting
    return str(getattr(device.settings, setting, "") or "") if setting else ""


def _versions() -> dict[str, object]:
    # The names of the folders alone: reading all metadata would cost a running gateway megabytes.
    packages = sorted({one.stem for path in sys.path for one in Path(path).glob("*.dist-info")})
    system = platform.uname()
    return {
        "dockledger": version("dockledger"),
        "python": platform.python_version(),
        "system": f"{system.system} {system.release} {system.machine}",
        "kernel": system.version,
        "packages": packages[:PACKAGES_MAX],
    }


def _frame_lines(frame: Frame, redaction: Redaction, *, with_data: bool) -> str:
    content = frame.content
    # The text of a whole scan tells where a badge ends; in its bytes that may not be seen.
    badge = isinstance(content, BarcodeScanned) and holds_badge(content.data)
    shown_data = with_data and not badge
    meaning, seen = (
        (_meaning(content), content.raw) if shown_data else _hidden_data(content, redaction)
    )
    seen = redaction.raw(seen)
    shown = seen[:FRAME_BYTES_MAX].hex(" ")
    cut = f" ... {len(seen)} bytes" if len(seen) > FRAME_BYTES_MAX else ""
    return f"{_moment(frame.time_ms)} {redaction.text(meaning)}\n    {shown}{cut}\n"


def _hidden_data(content: Reading | PrinterStatus, redaction: Redaction) -> tuple[str, bytes]:
    """Return what it means and its bytes, both without what was scanned."""
    match content:
        case BarcodeScanned():
            digest = redaction.digest(content.data.encode("utf-8", "surrogatepass"))
            return f"barcode {content.symbology or '-'} {digest}", shape(content.raw)
        case TagRead():
            return f"tag {redaction.digest(content.epc.encode())} on {content.antenna}", b""
        case InputChanged():
            return f"input {content.name} {'on' if content.active else 'off'}", b""
        case DeviceFault():
            # The bytes of a fault may be half of a bar code, and its detail may quote them.
            return f"fault {content.code}", shape(content.raw)
        case _:
            return _meaning(content), content.raw


def _meaning(content: Reading | PrinterStatus) -> str:
    match content:
        case BarcodeScanned():
            return f"barcode {content.symbology or '-'} {content.data!a}"
        case WeightMeasured():
            state = "stable" if content.stable else "moving"
            return f"weight {content.value} {content.unit} {content.kind} {state}"
        case TagRead():
            return f"tag {content.epc} on {content.antenna} rssi {content.rssi_cdbm}"
        case InputChanged():
            return f"input {content.name} {'on' if content.active else 'off'} {content.code}"
        case DeviceFault():
            return f"fault {content.code}: {content.detail!a}"
        case PrinterStatus():
            return f"status {' '.join((*content.conditions, *content.warnings))}"


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode() + "\n"


def _moment(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat("T", "milliseconds")
