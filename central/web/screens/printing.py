"""What is printed: documents and labels as PDF. Edge of HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from central.api.parameters import Text
from central.contract.identifiers import parse_code
from central.errors import NotThere
from central.printing.sheets import LABELS_MAX
from central.printing.typesetting import labels_pdf, sheet_pdf
from central.web.asking import Asked
from central.web.sheets.building import pallet_label, place_labels, sheet_of
from central.web.sheets.kinds import PRINTED

router = APIRouter(prefix="/print", include_in_schema=False)
# Browsers show a PDF with a program of their own, which styles its own page.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'none'"


@router.get("/bin-labels/{warehouse}.pdf")
def bin_labels(
    asking: Asked,
    warehouse: str,
    place: Annotated[list[Text] | None, Query(max_length=LABELS_MAX)] = None,
) -> Response:
    """Print labels of places of a warehouse, of all bins where none is named."""
    pages = place_labels(asking, parse_code(warehouse, what="warehouse"), place or [])
    return _pdf(labels_pdf(pages, printed_ms=asking.now_ms), f"bin-labels-{warehouse}")


@router.get("/pallet-label/{sscc}.pdf")
def print_pallet_label(asking: Asked, sscc: str) -> Response:
    """Print the label of a pallet."""
    return _pdf(labels_pdf(pallet_label(asking, sscc), printed_ms=asking.now_ms), f"sscc-{sscc}")


@router.get("/{kind}/{code}.pdf")
def print_document(asking: Asked, kind: str, code: str) -> Response:
    """Print a document."""
    printed = PRINTED.get(kind)
    if printed is None:
        raise NotThere(
            f"nothing is printed as {kind}", hint=f"Print one of: {', '.join(sorted(PRINTED))}."
        )
    code = parse_code(code, what="document")
    return _pdf(sheet_pdf(sheet_of(asking, printed, code), printed_ms=asking.now_ms), code)


def _pdf(body: bytes, name: str) -> Response:
    headers = {
        "Content-Disposition": f'inline; filename="{name}.pdf"',
        "Content-Security-Policy": POLICY,
        "Cache-Control": "no-store",
    }
    return Response(body, media_type="application/pdf", headers=headers)
