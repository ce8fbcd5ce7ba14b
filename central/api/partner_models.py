"""The bodies of requests and answers about suppliers and customers. Edge of HTTP."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue

from central.api.api_model import ApiModel
from central.api.order_values import Asking, DateText
from central.api.parameters import PageParameters, Text
from central.orders.catalogue.partner_cards import CERTIFICATES_MAX, Certificate, PartnerCard
from central.orders.catalogue.partners import StoredPartner

Line = Annotated[str, Field(max_length=256)]
PartnerKind = Literal["supplier", "customer", "both"]

CODE: dict[str, JsonValue] = {"code": "ACME"}
PARTNER: dict[str, JsonValue] = {
    "name": "Acme Fasteners Ltd",
    "name_zh": "顶点紧固件有限公司",
    "kind": "supplier",
    "region": "Shanghai",
    "lead_time_days": 14,
    "certificates": [{"kind": "ISO 9001", "number": "CN-1234", "valid_until": "2027-06-30"}],
}
NEW_PARTNER: JsonValue = CODE | PARTNER


class CertificateBody(Asking):
    """What a partner can show. valid_until: its last day, "" for one without an end."""

    kind: Line
    number: Line
    valid_until: DateText = ""


class PartnerBody(Asking):
    """Everything that people say of a partner.

    lead_time_days: of a supplier, from order to goods, 0 for unsaid. active: may be ordered of.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [PARTNER]})

    name: Line
    kind: PartnerKind = "supplier"
    name_zh: Line = ""
    contact: Line = ""
    phone: Line = ""
    email: Line = ""
    address: Line = ""
    region: Line = ""
    gln: Line = ""
    lead_time_days: Annotated[int, Field(ge=0, le=36_500)] = 0
    active: bool = True
    certificates: Annotated[tuple[CertificateBody, ...], Field(max_length=CERTIFICATES_MAX)] = ()


class NewPartnerBody(PartnerBody):
    """A new partner with its code."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [NEW_PARTNER]})

    code: Line


class PartnerPatch(PartnerBody):
    """What is to be different; what is left out stays. A list takes the place of the old one."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"lead_time_days": 10}]}
    )

    name: Line = ""


class PartnerOut(PartnerBody):
    """A partner."""

    model_config = ConfigDict(json_schema_extra={})

    code: str
    version: int


class PartnerPage(ApiModel):
    """Partners by code. next_cursor: None on the last page."""

    partners: list[PartnerOut]
    next_cursor: str | None


class PartnerParameters(PageParameters):
    """Which partners. search: part of a code or a name.

    kind: "supplier" or "customer"; who is both is either. certificate_ends_before: who has a
    certificate that ends before that day.
    """

    search: Text | None = None
    kind: Literal["supplier", "customer"] | None = None
    region: Text | None = None
    active: bool | None = None
    certificate_ends_before: DateText | None = None


def partner_card(code: str, body: PartnerBody) -> PartnerCard:
    """Return the card that a body means."""
    said = body.model_dump(exclude={"code", "version", "certificates"})
    certificates = sorted(
        Certificate(one.kind, one.number, one.valid_until) for one in body.certificates
    )
    return PartnerCard(code=code, **said, certificates=tuple(certificates))


def patched_partner(stored: StoredPartner, patch: PartnerPatch) -> PartnerCard:
    """Return the card of a partner with what a patch says."""
    present = partner_out(stored).model_dump(exclude={"code", "version"})
    said = patch.model_dump(exclude_unset=True)
    return partner_card(stored.card.code, PartnerBody.model_validate(present | said))


def partner_out(stored: StoredPartner) -> PartnerOut:
    """Return a partner."""
    card = stored.card
    return PartnerOut.model_construct(
        code=card.code,
        version=stored.version,
        name=card.name,
        kind=card.kind,
        name_zh=card.name_zh,
        contact=card.contact,
        phone=card.phone,
        email=card.email,
        address=card.address,
        region=card.region,
        gln=card.gln,
        lead_time_days=card.lead_time_days,
        active=card.active,
        certificates=tuple(
            CertificateBody.model_construct(
                kind=one.kind, number=one.number, valid_until=one.valid_until
            )
            for one in card.certificates
        ),
    )
