"""What was done, in words: of which object, with what, before and after. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import quote

from central.access.permissions import EVERYWHERE
from central.stock.times import utc_text
from central.web.documents.field_words import FIELDS
from central.web.documents.forms import word_of
from central.web.documents.state_words import EVENTS
from central.web.people.words import ACTIONS, KINDS, ROLES
from central.web.settlement_words import DONE
from central.web.texts import Texts
from central.web.words import marked

# Events of the same name mean another thing of some kinds.
DONE_TO: dict[str, dict[str, str]] = {"discrepancy": DONE}
APPLIED = {"applied": marked("imported it")}
AUDIT_FIELDS: dict[str, str] = {
    "address": marked("Comes from"),
    "address_changed": marked("Address changed"),
    "adjusted_count": marked("Lines adjusted"),
    "becomes": marked("They are then"),
    "by": marked("With"),
    "certificate": marked("Certificate"),
    "certificates": marked("Certificates"),
    "changed": marked("Changed"),
    "claim": marked("Claim"),
    "claim_kind": marked("What is claimed"),
    "closings_count": marked("Number of closings"),
    "copies_count": marked("Copies"),
    "created": marked("Added"),
    "destination": marked("To warehouse"),
    "digest": marked("Digest of the text"),
    "disabled": marked("Let in no more"),
    "display_name": marked("Name"),
    "due": marked("Due"),
    "external": marked("Identity provider"),
    "facts": marked("Facts"),
    "facts_count": marked("Facts"),
    "fingerprint": marked("Fingerprint of its keys"),
    "gateway": marked("Gateway"),
    "hardware": marked("Hardware, as it says"),
    "hours": marked("Good for hours"),
    "job": marked("Print job"),
    "kinds": marked("What it is told of"),
    "label": marked("Program"),
    "language": marked("Language"),
    "left": marked("Recovery codes left"),
    "left_out": marked("Left out"),
    "lines_reserved_count": marked("Lines set aside"),
    "open_count": marked("Still open"),
    "orders_count": marked("Orders"),
    "over_percent": marked("May be over by, in percent"),
    "owner": marked("Owner"),
    "pallet_template": marked("Template of pallet labels"),
    "permissions": marked("May"),
    "picks_count": marked("Picks"),
    "place_template": marked("Template of place labels"),
    "price": marked("Unit price"),
    "printer": marked("Printer"),
    "reasons": marked("Reason"),
    "receive_location": marked("Receives at"),
    "replaced": marked("Found elsewhere"),
    "roles": marked("Roles"),
    "rows": marked("Rows"),
    "secret_changed": marked("New secret"),
    "settlement": marked("Settlement"),
    "subject": marked("About"),
    "table": marked("Table"),
    "template": marked("Label template"),
    "text": marked("Comment"),
    "through": marked("Closed up to"),
    "to": marked("Sent to"),
    "unchanged": marked("Unchanged"),
    "uncounted": marked("Not counted"),
    "until": marked("Good until"),
    "under_percent": marked("May be under by, in percent"),
    "units_count": marked("Handling units"),
    "variances_count": marked("Variances"),
}
WAYS: dict[str, str] = {
    "password": marked("Password"),
    "code": marked("Second factor"),
    "oidc": marked("Identity provider"),
}
# What only programs ask for: the kind of a discrepancy stands on its page.
UNSAID = frozenset({"version", "discrepancy_kind", "before", "after", "changes"})
# What somebody has typed is no code, whatever it looks like.
TYPED = frozenset(
    {"text", "owner", "display_name", "label", "address", "name", "name_zh", "permissions", "note"}
)
PAGES: dict[str, str] = {
    "count": "/counts/",
    "count_plan": "/count-plans/",
    "customer_return": "/customer-returns/",
    "discrepancy": "/discrepancies/",
    "gateway": "/gateways/",
    "inspection": "/inspections/",
    "period": "/periods/",
    "pick_wave": "/pick-lists/",
    "purchase_order": "/purchase-orders/",
    "sales_order": "/sales-orders/",
    "shipping_notice": "/shipping-notices/",
    "supplier_return": "/supplier-returns/",
    "transfer": "/transfers/",
}
LINES = "lines."  # "lines.2.quantity": what was changed of line 2.
CODE_SHOWN_MAX = 24  # A longer one is told by its beginning.


def kind_choices(texts: Texts) -> list[tuple[str, str]]:
    """Return (code, word) of what something can be done to, by their words."""
    return sorted(((code, texts.say(text)) for code, text in KINDS.items()), key=lambda one: one[1])


def action_choices(texts: Texts) -> list[tuple[str, str]]:
    """Return (code, word) of what can be done; the code stands beside a word of several."""
    words = {
        code: texts.say(text) for code, text in {**EVENTS, **DONE, **ACTIONS, **APPLIED}.items()
    }
    said = list(words.values())
    shown = {
        code: f"{word} ({code})" if said.count(word) > 1 else word for code, word in words.items()
    }
    return sorted(shown.items(), key=lambda one: one[1])


def done_word(kind: str, action: str, texts: Texts) -> str:
    """Return what was done to an object of a kind, the code itself where it has no word."""
    words = {**EVENTS, **ACTIONS, **APPLIED, **DONE_TO.get(kind, {})}
    return texts.word(words, action)


def kind_word(kind: str, texts: Texts) -> str:
    """Return what a kind of objects is called."""
    return texts.word(KINDS, kind)


def page_of_object(kind: str, code: str) -> str:
    """Return the address of an object's page, "" where it has none that lasts."""
    return PAGES[kind] + quote(code, safe="") if kind in PAGES and code else ""


def short_code(code: str) -> str:
    """Return a code as it fits a column."""
    return code if len(code) <= CODE_SHOWN_MAX else code[:8] + "…"


def role_word(role: str, texts: Texts, *, whole: bool) -> str:
    """Return what a role is called. whole: also what it may do."""
    word = texts.word(ROLES, role)
    return word if whole else word.replace("：", ":").partition(":")[0]


def event_lines(fields: Mapping[str, object], texts: Texts) -> list[str]:
    """Return what belongs to an event: "label: value" or "label: before → after" each."""
    before, after, changes = (fields.get(name) for name in ("before", "after", "changes"))
    lines = []
    if isinstance(before, dict) and isinstance(after, dict):
        names = sorted(before.keys() | after.keys())
        pairs = {name: [before.get(name), after.get(name)] for name in names}
        lines += changed_lines(
            {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}, texts
        )
    elif isinstance(after, dict):
        lines += _plain(after, texts)
    if isinstance(changes, dict):
        lines += changed_lines(changes, texts)
    return _plain(fields, texts) + lines


def changed_lines(changes: Mapping[str, object], texts: Texts) -> list[str]:
    """Return "label: before → after" of each field that was changed."""
    lines = []
    for name, pair in changes.items():
        if isinstance(pair, list) and len(pair) == 2:
            before, after = (_value(name.rpartition(".")[2], one, texts) for one in pair)
            lines.append(f"{_label(name, texts)}: {before} → {after}")
    return lines


def _plain(fields: Mapping[str, object], texts: Texts) -> list[str]:
    return [
        f"{_label(name, texts)}: {_value(name, value, texts)}"
        for name, value in fields.items()
        if name not in UNSAID and value not in (None, "", 0, False, [])
    ]


def _label(name: str, texts: Texts) -> str:
    path, _, name = name.rpartition(".")
    name = name.removesuffix("_ms").removesuffix("_micro")
    word = texts.word(AUDIT_FIELDS if name in AUDIT_FIELDS else FIELDS, name)
    if path.startswith(LINES):
        number = path.removeprefix(LINES)
        return texts.say("Line %(number)s, %(field)s") % {"number": number, "field": word}
    return word


def _value(name: str, value: object, texts: Texts) -> str:
    if isinstance(value, bool):
        return texts.say("Yes") if value else texts.say("No")
    if value in (None, "", []):
        return "–"
    if isinstance(value, list):
        return ", ".join(_value(name, one, texts) for one in value)
    if isinstance(value, dict):  # E.g. a unit of a shipment, and what it stands on.
        return " · ".join(_value(part, one, texts) for part, one in value.items() if one)
    if isinstance(value, int):
        if name.endswith("_ms"):
            return (utc_text(value) or "")[:16].replace("T", " ") + " UTC"
        in_units = Decimal(value).scaleb(-6)
        return texts.quantity(in_units) if name.endswith("_micro") else str(value)
    text = str(value)
    if name == "roles":
        return _role(text, texts)
    if name == "by" and text in WAYS:
        return texts.word(WAYS, text)
    if name == "subject":
        return " · ".join(part for part in text.split("/") if part)
    if name in {"fields", "changed", "table"}:
        return _label(text, texts) if text in FIELDS or text in AUDIT_FIELDS else text
    if name == "settlement" and text in DONE:
        return texts.word(DONE, text)
    return text if name in TYPED else word_of(text, texts)


def _role(grant: str, texts: Texts) -> str:
    role, _, warehouse = grant.partition("@")
    word = role_word(role, texts, whole=False)
    return f"{word} · {warehouse}" if warehouse != EVERYWHERE else word
