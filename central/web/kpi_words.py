"""What the key figures are called, how each is made, and what its states mean. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from central.stock.kpis import AgeClass
from central.web.texts import Texts
from central.web.words import marked


@dataclass(frozen=True, slots=True)
class FigureWords:
    """What a key figure says. formula: how it is made, one or two sentences. path: of its rows."""

    title: str
    formula: str
    path: str


FIGURES: dict[str, FigureWords] = {
    "turnover": FigureWords(
        marked("Inventory turnover"),
        marked(
            "Shipped to customers, less returns, by average stock, as times a year. "
            "By quantity, without money; 3 to 6 a year is usual."
        ),
        "/dashboard/turnover",
    ),
    "deliveries": FigureWords(
        marked("On-time delivery"),
        marked(
            "Orders that left in full by the promised day (UTC), by orders due. "
            "Below 95 % is an alarm."
        ),
        "/dashboard/deliveries",
    ),
    "accuracy": FigureWords(
        marked("Stock accuracy"),
        marked("Counted lines that matched the book, by lines counted. Below 98 % is an alarm."),
        "/dashboard/accuracy",
    ),
    "suppliers": FigureWords(
        marked("Suppliers on time"),
        marked(
            "Order lines that had come in full by the promised day (UTC), by lines due. "
            "Below 95 % is an alarm."
        ),
        "/dashboard/suppliers",
    ),
    "passed": FigureWords(
        marked("Passed inspection"),
        marked("Inspections without a rejection, by inspections that are decided."),
        "/dashboard/suppliers",
    ),
    "discrepancies": FigureWords(
        marked("Open discrepancies"),
        marked("What does not add up and nobody has settled, by age."),
        "/discrepancies",
    ),
    "transit": FigureWords(
        marked("Transfers under way"),
        marked("Transfers of which goods have left and not arrived, by age."),
        "/dashboard/in-transit",
    ),
    "ages": FigureWords(
        marked("Age of stock"),
        marked(
            "Since it came into the warehouse; what came last is taken to be what is still there."
        ),
        "/dashboard/stock-age",
    ),
    "dead": FigureWords(
        marked("Dead stock"),
        marked("On hand, and nothing of it came, went or was moved for 90 days."),
        "/dashboard/dead-stock",
    ),
    "movers": FigureWords(
        marked("Best and worst sellers"),
        marked("Shipped to customers, less returns, in the period."),
        "/dashboard/movers",
    ),
    "docks": FigureWords(
        marked("Docks in the last 24 hours"),
        marked("Facts that gateways recorded, by hour; scans, weighings, counts and labels."),
        "/dashboard/docks",
    ),
}
CAUSES: dict[str, str] = {
    "approval": marked("approved too late, or not at all"),
    "stock": marked("goods were missing"),
    "release": marked("stations were told too late"),
    "given_up": marked("a part was given up"),
    "dock": marked("left the dock too late"),
}


def percent_words(share: Fraction | None, texts: Texts) -> str:
    """Return a share with one decimal, cut and not rounded; a dash for nothing to share."""
    if share is None:
        return "–"
    return f"{texts.quantity(Decimal(int(share * 1000)).scaleb(-1))} %"


def times_words(times: Fraction | None, texts: Texts) -> str:
    """Return how often, with one decimal, cut; a dash where there was no stock."""
    if times is None:
        return "–"
    return texts.quantity(Decimal(int(times * 10)).scaleb(-1))


def open_words(old_count: int, open_count: int, texts: Texts) -> str:
    """Return how it stands with what is to be settled."""
    if old_count:
        return texts.say("some are old")
    return texts.say("to be settled") if open_count else texts.say("in order")


def age_words(one: AgeClass, texts: Texts) -> str:
    """Return a class of age, e.g. "30–90 days"."""
    if one.to_days is None:
        return texts.say("over %(days)s days") % {"days": one.from_days}
    return texts.say("%(from)s–%(to)s days") % {"from": one.from_days, "to": one.to_days}
