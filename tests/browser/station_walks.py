"""What a person does in each workflow of a station, scan by scan, and what spoils a page. Edge.

A step is a bar code, or something that happens around the person: `Weighs`, `AsksAgain`.
"""

from dataclasses import dataclass

import msgspec

from gateway.station.catalogue import Catalogue
from tests.gateway.station.bench import REFERENCE

TEA, SALT, MILK = "6901234567892", "96385074", "0109501101530003" + "10L1"
UNKNOWN = "4006381333931"
OUTER, INNER = "00" + "106141411234567897", "00" + "006141411234567890"


@dataclass(frozen=True)
class Weighs:
    """The scale says a stable weight."""

    value: str


@dataclass(frozen=True)
class AsksAgain:
    """Central asks for a count: round 2 is the recount of what differed."""

    document: str
    round: int


WORKFLOWS = {
    "badge": ["OPR-ann"],
    "receive": ["DOC-PO-7", "CMD-QTY-3", TEA, "CMD-DONE"],
    "receive what nobody expects": ["CMD-RECEIVE", UNKNOWN, "CMD-QTY-8", MILK, "CMD-DONE"],
    "undo": ["CMD-RECEIVE", TEA, "CMD-UNDO", "CMD-CANCEL"],
    "transfer in": ["DOC-TI-1", INNER, TEA, "CMD-DONE"],
    "weigh": [
        *("CMD-WEIGH", SALT, "DOC-PO-7", Weighs("2.00"), "CMD-TARE"),
        *(Weighs("60.50"), "CMD-CONFIRM", "CMD-DONE"),
    ],
    "inspect": [
        *("CMD-INSPECT", "LOC-DOCK-1", TEA, "CMD-ACCEPT"),
        *(MILK, "CMD-REJECT", "CMD-REASON-DAMAGED", "CMD-DONE"),
    ],
    "put away": ["CMD-PUTAWAY", TEA, MILK, "LOC-A-01-03", "CMD-DONE"],
    "move": ["CMD-MOVE", "LOC-A-01-03", TEA, "LOC-A-01-04", "CMD-DONE"],
    "pick": [
        *("CMD-PICK", "DOC-SO-1", "LOC-A-01-04", TEA, "CMD-SHORT"),
        *("CMD-REASON-MISSING", "CMD-DONE"),
    ],
    "pack to SSCC": ["CMD-PACK", OUTER, INNER, "CMD-DONE"],
    "ship": ["DOC-SO-1", "LOC-A-01-03", TEA, "CMD-DONE"],
    "transfer out": ["DOC-TO-1", TEA, "CMD-DONE"],
    "count": [
        *(AsksAgain("CNT-1", 1), "CMD-COUNT", "DOC-CNT-1", "LOC-A-01-04", TEA, "CMD-CONFIRM"),
        *("LOC-A-01-03", "CMD-EMPTY", "CMD-DONE"),
    ],
    "recount": [
        *(AsksAgain("CNT-1", 2), "DOC-CNT-1", "LOC-A-01-04", "CMD-QTY-2", TEA),
        *("CMD-CONFIRM", "CMD-DONE"),
    ],
    "return": ["CMD-RETURN", "CMD-REASON-DAMAGED", TEA, "CMD-DONE"],
    "relabel": ["CMD-RELABEL", "LOC-A-01-03", TEA, "CMD-DONE"],
    "print": ["CMD-PRINT-BIN", "LOC-A-01-03", "CMD-DONE", "CMD-PRINT-PALLET", TEA, "CMD-DONE"],
    "reprint": ["CMD-REPRINT"],
    "look up": ["CMD-LOOKUP", TEA, INNER, "CMD-DONE"],
    "unreadable": ["CMD-RECEIVE", "0109501101530004", "CMD-FLY", "CMD-DONE"],
}
RECORDED_MIN = 20  # Facts that one walk through all of them leaves at least.


def ask_again(bench, step):
    """Let reference data ask for a count in this round, as a notice of central's does."""
    changed = msgspec.structs.replace
    documents = tuple(
        changed(one, round=step.round) if one.code == step.document else one
        for one in REFERENCE.documents
    )
    reference = changed(REFERENCE, documents=documents)
    bench.catalogue = Catalogue(reference, warehouse="sh1")
    bench.loop.use_catalogue(bench.catalogue)


# What is wrong with what a person sees; one run in the page is far cheaper than a question each.
COMPLAINTS = """(least) => {
    dispatchEvent(new Event("resize"));  // The browser's own comes with its next picture.
    const found = [], han = /[\\u4e00-\\u9fff]/, chinese = document.documentElement.lang !== "en";
    const seen = (one) => one.offsetParent !== null && !one.closest("[hidden]");
    const all = (selector) => [...document.querySelectorAll(selector)].filter(seen);
    const named = (one) => (one.id || one.dataset.code || one.tagName) + " " +
        one.textContent.trim().slice(0, 40);
    const scrolled = getComputedStyle(document.querySelector("main")).overflowY === "auto";
    const low = scrolled ? "" : ", #tiles button, #weight, #documents-list button, #lines .next";
    for (const one of all("#prompt, header, header > *, #signal, nav button, #where, #times, " +
            "#banners p" + low)) {
        const box = one.getBoundingClientRect();
        if (!box.width && !one.textContent) continue;
        if (box.left < -0.5 || box.top < -0.5 || box.right > innerWidth + 1 ||
                box.bottom > innerHeight + 1) found.push("not on the screen: " + named(one));
    }
    for (const one of all("h2 button, h2 a")) {
        const right = one.closest("section").getBoundingClientRect().right;
        if (one.getBoundingClientRect().right > right + 1)
            found.push("cut: " + named(one));
    }
    for (const one of all("nav button, #tiles button, #documents-list button")) {
        const box = one.getBoundingClientRect();
        if (Math.min(box.width, box.height) < least - 0.5)
            found.push("too small for a glove: " + named(one));
        const text = one.querySelector("span") || one;
        const words = text.getBoundingClientRect();
        if (words.bottom > box.bottom + 1 || words.top < box.top - 1 ||
                text.scrollWidth > one.clientWidth + 1)
            found.push("its words do not fit: " + named(one));
    }
    for (const selector of ["#prompt", "#signal-text", "#where", "#operator", "#lines .next b"]) {
        for (const one of all(selector)) {
            if (one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 6)
                found.push("cut: " + named(one));
        }
    }
    const boxes = all("#prompt, #signal, #times, #goods, #notes, #tiles, nav, header").map(
        (one) => [one, one.getBoundingClientRect()]);
    for (const [first, a] of boxes) for (const [second, b] of boxes) {
        if (first === second || first.contains(second) || second.contains(first)) continue;
        if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 &&
                b.top < a.bottom - 1 && a.height && b.height)
            found.push(named(first) + " lies over " + named(second));
    }
    if (document.documentElement.scrollWidth > innerWidth) found.push("wider than the screen");
    for (const one of all("#prompt, #signal-text, button, h2, #link-text, #unsent")) {
        const text = one.textContent.trim();
        if (["English", "LOC-", "DOC-", "OPR-", "中文", ""].includes(text)) continue;
        if (one.closest("#documents-list")) continue;
        if (chinese && !han.test(text)) found.push("no Chinese: " + text);
        if (!chinese && han.test(text)) found.push("no English: " + text);
    }
    return found;
}"""
