"""What the page of a machine that is no gateway yet shows, in one language, as JSON. Pure."""

from collections.abc import Callable

import msgspec

from gateway.station.enrolment import EnrolmentState, ShownEnrolment
from gateway.station.messages import N_

# While one of these, the page stands where the station's page will.
SHOWN_STATES: frozenset[EnrolmentState] = frozenset(
    {"shown", "lost", "denied", "expired", "refused", "asking"}
)
ENROLMENT_WORDS = {
    "title": N_("Let this gateway in"),
    "how": N_("Somebody at central types this code on the page of gateways:"),
    "scan_page": N_("A phone opens that page by this code:"),
    "fingerprint": N_("Fingerprint, to be compared there"),
    "minutes": N_("good for {minutes} min"),
    "claim": N_("or scan the claim that central has made"),
    "type_claim": N_("Type a claim"),
    "send": N_("Use this claim"),
    "cancel": N_("Cancel"),
    "delete": N_("Delete"),
    "again": N_("Show another code"),
    "work": N_("Work without central"),
    "lost_page": N_("No connection to the gateway; the page tries again."),
}
STATE_TEXTS: dict[EnrolmentState, str] = {
    "none": N_("Nothing says where central is: put the enrolment file there."),
    "asking": N_("Central is asked…"),
    "shown": "",
    "lost": N_("Central does not answer: check the network cable. It is asked again and again."),
    "denied": N_("Central did not let this gateway in. Ask there why."),
    "expired": N_("The code is past its time. Show another one when somebody is at central."),
    "refused": N_("Central gives this gateway nothing. Ask there for a claim, or show a code."),
    "enrolled": N_("This gateway is let in. It goes on by itself."),
}


class EnrolmentPage(msgspec.Struct, frozen=True):
    """The whole page; the script asks for it every two seconds. has_qr: there is a picture."""

    language: str
    words: dict[str, str]
    state: EnrolmentState
    text: str
    detail: str
    code: str
    fingerprint: str
    page: str
    has_qr: bool
    minutes: int
    over: bool


def enrolment_page(
    shown: ShownEnrolment, *, language: str, translate: Callable[[str], str]
) -> EnrolmentPage:
    """Return the page in a language. Texts without a translation stay English."""
    text = STATE_TEXTS[shown.state]
    return EnrolmentPage(
        language=language,
        words={name: translate(word) for name, word in ENROLMENT_WORDS.items()},
        state=shown.state,
        text=translate(text) if text else "",
        detail=shown.detail,
        code=shown.code,
        fingerprint=shown.fingerprint,
        page=shown.page,
        has_qr=bool(shown.qr_svg),
        minutes=-(-shown.expires_in_s // 60),
        over=shown.state in {"denied", "expired", "refused"},
    )
