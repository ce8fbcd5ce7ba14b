"""Driver scale-hidraw: USB scales of the HID usage page 0x8D. Edge of the scale."""

from typing import Annotated

import msgspec

from drivers.api import Driver
from drivers.builtin.stream import Polling, StreamDevice
from drivers.candidates import Matcher
from drivers.errors import DeviceLost
from drivers.protocols.scale_hid import ScaleHidProtocol
from drivers.transports.hidraw import open_hidraw

HALF_REPORT_S = 0.5
NEVER_S = 3600.0
POLLS_MAX = 1_000_000  # A century of hours.
LAYOUT_HINT = (
    "Use a scale that reports as HID usage page 8D, or its serial port with another driver."
)


class HidScaleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of scale-hidraw.

    path: the HID device; a path that stays, made by a udev rule; or a local socket.
    silent_after_s: so long without a report, and the scale is silent; 0 never, for scales that
        report only when the load changes.
    command_timeout_s: so long the scale has to reach zero.
    """

    path: str
    silent_after_s: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 0.0
    command_timeout_s: Annotated[float, msgspec.Meta(ge=0.05, le=10)] = 2.0


def _protocol(_settings: HidScaleSettings) -> ScaleHidProtocol:
    return ScaleHidProtocol()


def _open_hid_scale(settings: HidScaleSettings) -> StreamDevice:
    line = open_hidraw(settings.path)
    protocol = _protocol(settings)
    protocol.receive_data(line.read(0.0))  # The descriptor, which the line gives first.
    if protocol.problem:
        line.close()
        raise DeviceLost(f"{settings.path}: {protocol.problem}", hint=LAYOUT_HINT)
    # Nothing is asked; this drops reports that waited too long, and tells when none come.
    listening = Polling(
        command=b"",
        interval_s=settings.silent_after_s or NEVER_S,
        unanswered_max=1 if settings.silent_after_s else POLLS_MAX,
        silent_hint="Switch the scale on; some switch themselves off after some minutes.",
    )
    return StreamDevice(
        line,
        protocol,
        idle_s=HALF_REPORT_S,
        polling=listening,
        commands=protocol,
        command_timeout_s=settings.command_timeout_s,
        late_answer_max_s=0.0,  # The answer is the weight itself.
    )


HIDRAW = Driver(
    name="scale-hidraw",
    device_class="scale",
    summary="USB scales that report as HID scales, such as DYMO M10 and M25.",
    settings_type=HidScaleSettings,
    open_device=_open_hid_scale,
    commands=frozenset({"zero"}),
    matchers=(
        Matcher("hidraw", 90, usage=(0x8D, 0x20)),
        Matcher("hidraw", 90, usage=(0x8D, 0x01)),
        # DYMO M10 and M25, as their published specifications name them.
        Matcher("hidraw", 95, vendor_id=0x0922, product_id=0x8003),
        Matcher("hidraw", 95, vendor_id=0x0922, product_id=0x8004),
    ),
    node_setting="path",
    new_protocol=_protocol,
    tier="silver",
)
