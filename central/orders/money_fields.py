"""Which fields of documents and of their history tell of money, and both without it. Pure.

By the last word of a field's name ("unit_price", "variance_value"), wherever it stands: what is
added later is covered, too, and nobody has to think of it. What is left out is null, as where it is
not known.
"""

from collections.abc import Mapping

MONEY_FIELDS = frozenset({"price", "value", "amount", "cost", "currency"})
# How amounts are kept, where a history tells of them under the names of the tables.
SUFFIXES = ("_micro", "_e4", "_fen")


def stripped(value: object) -> object:
    """Return JSON without money."""
    if isinstance(value, Mapping):
        return without_money_fields(value)
    return [stripped(one) for one in value] if isinstance(value, list | tuple) else value


def without_money_fields(values: Mapping[str, object]) -> dict[str, object]:
    """Return the fields of a document or of an event without money, as `stripped` does."""
    return {name: None if tells_money(name) else stripped(one) for name, one in values.items()}


def tells_money(name: str) -> bool:
    """Return whether a field is money; also "lines.2.price" and "policy.cost_micro"."""
    last = name.rpartition(".")[2]
    for suffix in SUFFIXES:
        last = last.removesuffix(suffix)
    return last.rpartition("_")[2] in MONEY_FIELDS
