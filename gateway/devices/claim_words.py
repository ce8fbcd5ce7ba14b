"""What people are told of found and claimed devices. Pure."""

from collections.abc import Callable, Collection

from drivers.candidates import Candidate
from gateway.devices.discovery import Binding, Unclaimed
from gateway.devices.identity import is_by_port
from gateway.station.claiming import Claim, ClaimedDevice, DriverChoice, FoundDevice
from gateway.station.effects import Message, Signal
from gateway.station.messages import N_, say

BY_PORT = N_("It has no serial number of its own: plug it always into this same port.")
TWIN = N_(
    "Another device has the same serial number: plug each of the two always into its own port."
)
REFUSED = N_("It cannot be told from another device: unplug one of the two.")
NO_DRIVER = N_("No driver knows this device yet: wait a moment; if it stays, install its driver.")
ABSENT = N_("It is not plugged in.")
AMBIGUOUS = N_(
    "Two devices with its serial number are plugged in: unplug one, or release it and claim each."
)
UNUSABLE = N_("Its driver is missing or refuses its settings: release it and claim it again.")
HINTS = (
    N_("Make space on the gateway's disk or replace its card, then claim again."),
    N_("Release that device first."),
    N_("Give each device a name of its own."),
    N_("Release a device that is not used."),
    N_("Release one of the claimed devices; others stand in the configuration."),
)


def in_service(name: str) -> Signal:
    """Tell that a claim is durable and the device is being opened for work."""
    return Signal("success", say(N_("{device} is in service."), device=name))


def released(name: str) -> Signal:
    """Tell that a device is nobody's again."""
    return Signal("success", say(N_("{device} is released."), device=name))


def claiming(name: str) -> Signal:
    """Tell that a scan was understood; what comes of it is a notice later."""
    return Signal("warning", say(N_("{device} is being tried: watch the list."), device=name))


def refused(reason: str, **values: str) -> Signal:
    """Tell why nothing was claimed or released."""
    return Signal("error", say(reason, **values))


BUSY = N_("Another device is being claimed: wait, then try again.")
GONE = N_("This device is not there any more: look at the list again.")
OLD_CODE = N_("This code is old or used: scan the one on the screen now.")
WORKING_SCANNER = N_("This scanner works already: scan that code with the new scanner.")
FIRST_CLAIM = N_("Nothing was recorded: claim this scanner first, scan its code on the screen.")
NO_CHOICE = N_("No driver is chosen: choose one on the page of devices.")
NEEDS_SETTINGS = N_("{driver} needs settings ({settings}): write them with the command claim.")
BAD_NAME = N_("{device} is no name: use letters, digits, dot, dash and underscore, 64 at most.")
NAME_TAKEN = N_("There is a device called {device} already: give it another name.")
TOO_MANY = N_("The station has as many devices as it can have: release one.")
CANNOT_LOAD = N_("The driver {driver} cannot be used: {hint}")
CANNOT_OPEN = N_("{title} cannot be opened with {driver}: {hint}")
NOT_ANSWERING = N_(
    "{title} does not answer as {driver}: switch it on, check speed and protocol, or choose another"
    " driver."
)
UNREADABLE = N_(
    "{title} speaks, but not as {driver}: check the speed set in it, or choose another driver."
)
NOT_STORED = N_("Nothing was changed: {hint}")


def title_of(candidate: Candidate) -> str:
    """Return what a device calls itself, else its ids, else where it is."""
    words = f"{candidate.manufacturer} {candidate.product}".strip()
    if candidate.product.startswith(candidate.manufacturer):
        words = candidate.product
    if not words and candidate.vendor_id is not None and candidate.product_id is not None:
        words = f"{candidate.vendor_id:04x}:{candidate.product_id:04x}"
    if not words:
        words = where_text(candidate)
    return words


def where_text(candidate: Candidate) -> str:
    """Return where a device is now: its node, of a network device host and port."""
    return f"{candidate.node}:{candidate.tcp_port}" if candidate.tcp_port else candidate.node


def found_device(
    one: Unclaimed,
    *,
    code: str,
    listening: bool,
    names_for: Callable[[str], tuple[tuple[str, str], ...]],
) -> FoundDevice:
    """Return what pages show of a device that nobody has claimed."""
    choices = tuple(
        DriverChoice(
            name=offer.sheet.name,
            device_class=offer.sheet.device_class,
            summary=offer.sheet.summary,
            score=offer.score,
            required=offer.sheet.required,
        )
        for offer in one.offers
    )
    names = names_for(choices[0].device_class) if choices else ()
    return FoundDevice(
        key=one.identity,
        kind=one.candidate.kind,
        title=title_of(one.candidate),
        where=where_text(one.candidate),
        name=names[0][1] if names else "",
        code=code,
        listening=listening,
        choices=choices,
        note=_note(one),
        names=names,
    )


def claimed_view(
    claim: Claim, bound: Binding, *, device_class: str, usable: Collection[str]
) -> ClaimedDevice:
    """Return what pages show of a claim; `usable`: names of the claims whose driver works."""
    notes: dict[str, str] = {"absent": ABSENT, "ambiguous": AMBIGUOUS}
    ours = claim.name in usable
    note = notes.get(bound.state, "") if ours else UNUSABLE
    return ClaimedDevice(
        name=claim.name,
        driver=claim.driver,
        device_class=device_class,
        identity=claim.identity,
        state=bound.state if ours else "unusable",
        node=bound.candidate.node if bound.candidate else "",
        note=say(note) if note else None,
    )


def _note(one: Unclaimed) -> Message | None:
    if not one.identity:
        return say(REFUSED)
    if not one.offers:
        return say(NO_DRIVER)
    if one.twin:
        return say(TWIN)
    return say(BY_PORT) if is_by_port(one.identity) else None
