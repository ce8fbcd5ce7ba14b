"""The fixed words of the station page, by the name that its script knows them by. Pure."""

from collections.abc import Callable

from gateway.station.messages import N_

PAGE_WORDS = {
    "title": N_("Station"),
    "central": N_("Central"),
    "connected": N_("connected"),
    "not_connected": N_("not connected"),
    "last_scans": N_("Last scans"),
    "passages": N_("Tags that passed"),
    "devices": N_("Devices"),
    "claim_devices": N_("Find, claim"),
    "no_devices": N_("No device is configured"),
    "weight": N_("Weight"),
    "stable": N_("stable"),
    "moving": N_("moving"),
    "no_weight": N_("no weight"),
    "zero": N_("Zero the scale"),
    "zero_refused": N_("The scale was not zeroed: clear it, wait until it stands, try again."),
    "before": N_("Before:"),
    "waiting": N_("Ready to scan"),
    "lost": N_("The gateway does not answer"),
    "lost_detail": N_("What is shown is old. Scan nothing until this page is back."),
    "lost_hint": N_("Check that the gateway has power. This page tries again by itself."),
    "sheet": N_("Codes"),
    "stations": N_("Stations"),
    "sound_off": N_("Touch for sound"),
    "sound": N_("Sound on"),
    "muted": N_("Sound off"),
    "quantity": N_("Quantity"),
    "type_code": N_("Type a code"),
    "type_hint": N_("For a label that does not scan: type what is printed under the bars."),
    "send": N_("Send"),
    "close": N_("Close"),
    "delete": N_("Delete"),
    "next_times": N_("The next scan counts"),
    "left": N_("left"),
    "lines_left": N_("{count} lines left"),
    "more_lines": N_("and {count} more"),
    "in_hand": N_("{count} in hand"),
    "documents": N_("Open documents"),
    "no_documents": N_("No document is open here."),
    "earlier": N_("Back"),
    "later": N_("More"),
    "read_it": N_("I have read it"),
    "not_sent": N_("{code} did not reach the gateway and was not done: press it again."),
    "busy": N_("The station is busy: press it again."),
    "tare": N_("Tare"),
    "under": N_("too little"),
    "within": N_("within tolerance"),
    "over": N_("too much"),
    "clock": N_("The clock is not set: times may be wrong. Go on working."),
    "nobody": N_("Scan your badge"),
    "confirm": N_("Confirm"),
    "done": N_("Done"),
    "undo": N_("Undo"),
    "cancel": N_("Cancel"),
}


def page_words(translate: Callable[[str], str]) -> dict[str, str]:
    """Return the fixed words of the page."""
    return {name: translate(text) for name, text in PAGE_WORDS.items()}
