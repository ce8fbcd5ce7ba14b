"""Every table by itself: to be put into its page, and as an Excel file. Edge of HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import HTMLResponse

from central.api.problems import ProblemRaised
from central.orders.spreadsheets.workbook_writing import write_workbook
from central.web.asking import Asked, Table
from central.web.listing import ROWS_EXPORTED_MAX
from central.web.listing_views import export_rows, listing_view
from central.web.money import seen_table
from central.web.screens.all_screens import LISTINGS

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHEET_NAME_CHARACTERS_MAX = 31  # Excel's own limit.
SHEET_NAME_NEVER = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))  # Excel refuses these.

router = APIRouter(include_in_schema=False)
Name = Annotated[str, Path(max_length=64)]


@router.get("/tables/{name}.xlsx")
def table_file(asking: Asked, name: Name) -> Response:
    """Return all rows that the filters leave, as shown, at most ROWS_EXPORTED_MAX."""
    listing = seen_table(asking, _listing(name))
    wanted = listing.wanted(dict(asking.parameters) | {"page": ""}, limit=ROWS_EXPORTED_MAX)
    found = listing.read(asking, wanted)
    rows, numbers = export_rows(listing, found, asking.texts)
    body = write_workbook(
        rows, name=_sheet_name(asking.texts.say(listing.title)), number_columns=numbers
    )
    disposition = f'attachment; filename="{listing.name}.xlsx"'
    return Response(body, media_type=XLSX, headers={"Content-Disposition": disposition})


@router.get("/tables/{name}")
def table_part(asking: Asked, name: Name) -> HTMLResponse:
    """Draw a table alone, for the page that it stands on."""
    listing = seen_table(asking, _listing(name))
    wanted = listing.wanted(asking.parameters)
    found = listing.read(asking, wanted)
    main = asking.parameters.get("main") == "1"
    view = listing_view(listing, wanted, found, asking.texts, main=main)
    return HTMLResponse(asking.drawing.part("listing_parts.html", "rows", view))


def _sheet_name(title: str) -> str:
    return " ".join(title.translate(SHEET_NAME_NEVER).split())[:SHEET_NAME_CHARACTERS_MAX]


def _listing(name: str) -> Table:
    if name not in LISTINGS:
        raise ProblemRaised(
            status=404,
            title="No such table",
            detail=f"There is no table {name!r} here.",
            hint="Load the page anew.",
        )
    return LISTINGS[name]
