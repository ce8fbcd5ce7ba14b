"""Numbers and reasons of orders: decimal text here, integers in the books. Pure."""

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from central.api.api_model import ApiModel
from central.contract.identifiers import parse_code
from central.contract.quantities import canonical_text, from_micro, parse_decimal, to_micro
from central.errors import Unusable

REASON_CHARACTERS_MAX = 256
NOTE_CHARACTERS_MAX = 1000
LINE_NO_MAX = 1_000_000
PERCENT_MICRO_MAX = 1000 * 10**6
PRICE_PLACES = 4
FEN_PLACES = 2


def _document(text: str) -> str:
    return parse_code(text, what="document")


def _printable(text: str) -> str:
    if not all(character.isprintable() or character == "\n" for character in text):
        raise ValueError("holds a character that cannot be printed")
    return text


DocumentCode = Annotated[str, AfterValidator(_document)]
DecimalText = Annotated[
    str, Field(min_length=1, max_length=32, pattern=r"^-?\d+(\.\d+)?$", examples=["12.5"])
]
DateText = Annotated[str, Field(max_length=10, pattern=r"^(\d{4}-\d{2}-\d{2})?$")]
Reason = Annotated[str, Field(max_length=REASON_CHARACTERS_MAX), AfterValidator(_printable)]
Note = Annotated[str, Field(max_length=NOTE_CHARACTERS_MAX), AfterValidator(_printable)]
LineNo = Annotated[int, Field(ge=1, le=LINE_NO_MAX)]


class Asking(ApiModel):
    """The body of a request: nothing in it is skipped in silence."""

    model_config = ConfigDict(extra="forbid")


class ReasonIn(Asking):
    """Why something is done."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "nobody needs it any more"}]}
    )

    reason: Reason = ""


def positive_micro(text: str, *, what: str = "quantity") -> int:
    """Return millionths of a quantity. Raises Unusable unless it is greater than zero."""
    micro = to_micro(parse_decimal(text, what=what), what=what)
    if micro <= 0:
        raise Unusable(
            f"{what} {text} is not greater than zero",
            hint="Give what is meant as a number greater than zero.",
            fields={what: text},
        )
    return micro


def percent_micro(text: str | None, *, what: str) -> int | None:
    """Return millionths of a percentage, None for None. Raises Unusable if it cannot be one."""
    if text is None:
        return None
    micro = to_micro(parse_decimal(text, what=what), what=what)
    if not 0 <= micro <= PERCENT_MICRO_MAX:
        raise Unusable(
            f"{what} of {text} percent cannot be",
            hint="Give a percentage from 0 to 1000.",
            fields={what: text},
        )
    return micro


def scaled(text: str | None, *, places: int, at_most: int, what: str) -> int | None:
    """Return an amount of money as an integer of its smallest part, None for None.

    Raises Unusable if it is below zero, above `at_most`, or has more decimal places.
    """
    if text is None:
        return None
    exact = parse_decimal(text, what=what).scaleb(places)
    amount = int(exact)
    if amount != exact or not 0 <= amount <= at_most:
        raise Unusable(
            f"{what} {text} cannot be",
            hint=f"Give an amount from 0 with at most {places} decimal places.",
            fields={what: text},
        )
    return amount


def quantity_text(micro: int) -> str:
    """Return a quantity as decimal text."""
    return canonical_text(from_micro(micro))


def amount_text(amount: int | None, *, places: int) -> str | None:
    """Return an amount of money as decimal text with all its places, None for None."""
    return None if amount is None else f"{Decimal(amount).scaleb(-places):.{places}f}"
