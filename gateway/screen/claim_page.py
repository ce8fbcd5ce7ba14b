"""What the page of devices shows, in one language, ready to be sent as JSON. Pure."""

from collections.abc import Callable
from functools import partial

import msgspec

from gateway.screen.page_state import CLASS_WORDS
from gateway.station.claiming import ClaimedDevice, DeviceList, FoundDevice
from gateway.station.effects import Message
from gateway.station.messages import N_, render

CLAIM_WORDS = {
    "title": N_("Devices of this station"),
    "back": N_("Back to work"),
    "found": N_("Not claimed yet"),
    "none_found": N_("Nothing new is plugged in."),
    "claimed": N_("Claimed"),
    "none_claimed": N_("No device is claimed yet."),
    "station": N_("Station"),
    "driver": N_("Driver"),
    "name": N_("Name"),
    "claim": N_("Claim"),
    "force": N_("Claim although it does not answer"),
    "release": N_("Release"),
    "release_again": N_("Really release? Touch again"),
    "trying": N_("Trying the device…"),
    "scan_other": N_("or scan this code with a scanner that works:"),
    "scan_itself": N_("A new scanner? Scan this code with it:"),
    "needs": N_("needs settings"),
    "lost": N_("No connection to the gateway; the page tries again."),
}
KIND_WORDS = {
    "serial": N_("serial port"),
    "keyboard": N_("keyboard"),
    "hidraw": N_("USB HID"),
    "usb_printer": N_("USB printer"),
    "network": N_("network"),
    "gpio": N_("pins"),
}
STATE_WORDS = {
    "present": N_("plugged in"),
    "absent": N_("not there"),
    "ambiguous": N_("two alike"),
    "unusable": N_("no driver"),
}


class ShownChoice(msgspec.Struct, frozen=True):
    name: str
    text: str
    device_class: str
    free: bool


class ShownFound(msgspec.Struct, frozen=True):
    """key: "" if it cannot be claimed. name: proposed, names: at each of several stations.

    code: of the bar code, "" if none.
    """

    key: str
    title: str
    where: str
    name: str
    code: str
    note: str
    choices: tuple[ShownChoice, ...]
    names: tuple[tuple[str, str], ...]


class ShownClaimed(msgspec.Struct, frozen=True):
    name: str
    text: str
    state: str
    word: str
    note: str


class ClaimPage(msgspec.Struct, frozen=True):
    """The whole page; the script asks for it once a second."""

    language: str
    words: dict[str, str]
    found: tuple[ShownFound, ...]
    claimed: tuple[ShownClaimed, ...]
    scanner_code: str
    notice: str


def claim_page(devices: DeviceList, *, language: str, translate: Callable[[str], str]) -> ClaimPage:
    """Return the page in a language. Texts without a translation stay English."""
    text = partial(render, language=language, translate=translate)
    return ClaimPage(
        language=language,
        words={name: translate(word) for name, word in CLAIM_WORDS.items()},
        found=tuple(_found(one, text, translate) for one in devices.found),
        claimed=tuple(_claimed(one, text, translate) for one in devices.claimed),
        scanner_code=devices.scanner_code,
        notice=text(devices.notice) if devices.notice else "",
    )


def _found(
    one: FoundDevice, text: Callable[[Message], str], translate: Callable[[str], str]
) -> ShownFound:
    return ShownFound(
        key=one.key,
        title=one.title,
        where=f"{translate(KIND_WORDS[one.kind])} {one.where}",
        name=one.name,
        code=one.code,
        note=text(one.note) if one.note else "",
        choices=tuple(
            ShownChoice(
                name=choice.name,
                text=f"{choice.name} ({_class_word(choice.device_class, translate)})",
                device_class=choice.device_class,
                free=not choice.required,
            )
            for choice in one.choices
        ),
        names=one.names if len(one.names) > 1 else (),
    )


def _claimed(
    one: ClaimedDevice, text: Callable[[Message], str], translate: Callable[[str], str]
) -> ShownClaimed:
    return ShownClaimed(
        name=one.name,
        text=f"{_class_word(one.device_class, translate)} {one.driver} {one.node}".strip(),
        state=one.state,
        word=translate(STATE_WORDS[one.state]),
        note=text(one.note) if one.note else "",
    )


def _class_word(device_class: str, translate: Callable[[str], str]) -> str:
    return translate(CLASS_WORDS.get(device_class, device_class))
