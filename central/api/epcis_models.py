"""Which EPCIS events are asked for: the standard's names, checked. Pure.

Sources: EPCIS 2.0, 8.2.7.1 (the parameters; several values stand with | between) and 12 (perPage,
nextPageToken); CBV 2.0, 7.1 (business steps), 7.2 (dispositions) and 8.5 (transaction types).
"""

from collections.abc import Collection
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from central.api.parameters import LIMIT_MAX, Cursor, PageParameters, WarehouseCode
from central.contract.errors import ContractError
from central.errors import Unusable
from central.stock.epcis_query import EventQuery
from central.stock.times import parse_time

VALUES_MAX = 50  # Of one parameter.
TYPES = frozenset(
    f"{name}Event" for name in ("Object", "Aggregation", "Transaction", "Transformation")
) | {"AssociationEvent"}
ACTIONS = frozenset({"ADD", "OBSERVE", "DELETE"})
_STEPS = """
    accepting arriving assembling collecting commissioning consigning creating_class_instance
    cycle_counting decommissioning departing destroying disassembling dispensing encoding
    entering_exiting holding inspecting installing killing loading other packing picking receiving
    removing repackaging repairing replacing reserving retail_selling sampling sensor_reporting
    shipping staging_outbound stock_taking stocking storing transporting unloading unpacking
    void_shipping"""
_DISPOSITIONS = """
    active available completeness_inferred completeness_verified conformant container_closed
    container_open damaged destroyed dispensed disposed encoded expired in_progress in_transit
    inactive mismatch_class mismatch_instance mismatch_quantity needs_replacement
    no_pedigree_match non_conformant non_sellable_other partially_dispensed recalled reserved
    retail_sold returned sellable_accessible sellable_not_accessible stolen unavailable
    unknown"""
STEPS, DISPOSITIONS = frozenset(_STEPS.split()), frozenset(_DISPOSITIONS.split())
TRANSACTIONS = ("po", "poc", "desadv", "rma", "prodorder")  # Of which events tell.

Time = Annotated[str, Field(max_length=40, examples=["2026-05-31T16:00:00Z"])]
Listed = Annotated[str, Field(min_length=1, max_length=2000)]


class EventParameters(PageParameters):
    """Which events. Of what takes several values each event has one: they stand with | between.

    A page of what is asked for has at most so many events; it may have fewer, even none, and yet
    not be the last: Dockledger-More tells. perPage, nextPageToken: limit and cursor by the names of
    the standard. Times are ISO 8601 with a zone; GE is in it, LT is not. What a clock dated more
    than ten minutes ahead of the ledger's is found by recordTime only.
    """

    warehouse: WarehouseCode | None = None
    per_page: Annotated[int, Field(ge=1, le=LIMIT_MAX)] | None = Field(None, alias="perPage")
    next_page_token: Cursor | None = Field(None, alias="nextPageToken")
    event_from: Time | None = Field(None, alias="GE_eventTime")
    event_until: Time | None = Field(None, alias="LT_eventTime")
    record_from: Time | None = Field(None, alias="GE_recordTime")
    record_until: Time | None = Field(None, alias="LT_recordTime")
    types: Listed | None = Field(None, alias="eventType", examples=["ObjectEvent"])
    actions: Listed | None = Field(None, alias="EQ_action", examples=["OBSERVE"])
    steps: Listed | None = Field(None, alias="EQ_bizStep", examples=["receiving|shipping"])
    dispositions: Listed | None = Field(None, alias="EQ_disposition", examples=["in_transit"])
    read_points: Listed | None = Field(None, alias="EQ_readPoint")
    locations: Listed | None = Field(None, alias="EQ_bizLocation")
    po: Listed | None = Field(None, alias="EQ_bizTransaction_po")
    poc: Listed | None = Field(None, alias="EQ_bizTransaction_poc")
    desadv: Listed | None = Field(None, alias="EQ_bizTransaction_desadv")
    rma: Listed | None = Field(None, alias="EQ_bizTransaction_rma")
    prodorder: Listed | None = Field(None, alias="EQ_bizTransaction_prodorder")
    epcs: Listed | None = Field(
        None, alias="MATCH_epc", examples=["https://id.gs1.org/01/04006381333931/21/S1"]
    )
    any_epcs: Listed | None = Field(
        None, alias="MATCH_anyEPC", examples=["https://id.gs1.org/00/006141410000000012"]
    )
    parents: Listed | None = Field(None, alias="MATCH_parentID")
    classes: Listed | None = Field(
        None, alias="MATCH_epcClass", examples=["https://id.gs1.org/01/04006381333931/10/LOT-1"]
    )

    @property
    def page_size(self) -> int:
        return self.per_page or self.limit

    @property
    def begins_after(self) -> str | None:
        return self.next_page_token or self.cursor

    @property
    def asked(self) -> dict[str, str]:
        """Return what was asked for, but for the page, by the names of the address."""
        names = {"limit", "cursor", "per_page", "next_page_token"}
        return self.model_dump(by_alias=True, exclude_none=True, exclude=names)


def query_of(asked: EventParameters) -> EventQuery:
    """Return what is asked for. Raises ContractError or Unusable."""
    _refuse_two_names(asked)
    return EventQuery(
        warehouse=asked.warehouse or "",
        **_span(asked, "event"),
        **_span(asked, "record"),
        types=_words("eventType", asked.types, TYPES),
        actions=_words("EQ_action", asked.actions, ACTIONS),
        steps=_words("EQ_bizStep", asked.steps, STEPS),
        dispositions=_words("EQ_disposition", asked.dispositions, DISPOSITIONS),
        read_points=_uris("EQ_readPoint", asked.read_points),
        locations=_uris("EQ_bizLocation", asked.locations),
        transactions={
            name: uris
            for name in TRANSACTIONS
            if (uris := _uris(f"EQ_bizTransaction_{name}", getattr(asked, name)))
        },
        epcs=_uris("MATCH_epc", asked.epcs),
        any_epcs=_uris("MATCH_anyEPC", asked.any_epcs),
        parents=_uris("MATCH_parentID", asked.parents),
        classes=_uris("MATCH_epcClass", asked.classes),
    )


def _refuse_two_names(asked: EventParameters) -> None:
    given = asked.model_fields_set
    for ours, standard in (("limit", "per_page"), ("cursor", "next_page_token")):
        if {ours, standard} <= given:
            name = EventParameters.model_fields[standard].alias
            raise Unusable(f"{ours} and {name} are the same", hint="Give one of them.")


def _span(asked: EventParameters, which: str) -> dict[str, int | None]:
    texts = [getattr(asked, f"{which}_{end}") for end in ("from", "until")]
    since, until = (None if text is None else parse_time(text) for text in texts)
    if since is not None and until is not None and since >= until:
        raise Unusable(
            f"{texts[0]} is not before {texts[1]}", hint=f"Give an LT_{which}Time that is later."
        )
    return {f"{which}_from_ms": since, f"{which}_until_ms": until}


def _listed(name: str, text: str | None) -> list[str]:
    values = text.split("|") if text else []
    if len(values) > VALUES_MAX:
        raise Unusable(
            f"{name} has {len(values)} values", hint=f"Ask for at most {VALUES_MAX} at once."
        )
    return values


def _words(name: str, text: str | None, known: Collection[str]) -> frozenset[str]:
    values = frozenset(_listed(name, text))
    for value in sorted(values - frozenset(known)):
        # The vocabulary may be extended by URIs, which no event of ours has.
        if name in ("eventType", "EQ_action") or not _is_uri(value):
            raise ContractError(
                f"{name} cannot be {value!r}",
                hint=f"Give one of these, or several with | between: {', '.join(sorted(known))}.",
            )
    return values


def _uris(name: str, text: str | None) -> frozenset[str]:
    values = _listed(name, text)
    for value in values:
        if not _is_uri(value):
            raise ContractError(
                f"{name} is a URI, and {value!r} is none",
                hint="Copy it from an event as it stands there, and encode it for the address.",
            )
    return frozenset(values)


def _is_uri(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path)) and text.isprintable()
