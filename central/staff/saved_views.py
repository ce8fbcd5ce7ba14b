"""Views of tables that staff keep by a name: filters, order, groups. Edge of the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import Connection, Row, delete, func, select

from central.errors import Conflict, NotThere, Unusable
from central.ledger.desk import Change
from central.storage import bulk
from central.storage.view_tables import saved_views

VIEWS_PER_PAGE_MAX = 50
VIEWS_MAX = 2000
NAME_CHARACTERS_MAX = 64
QUERY_CHARACTERS_MAX = 2000
QUERY_FIELDS_MAX = 40


@dataclass(frozen=True, slots=True)
class SavedView:
    """One view. page: name of the table. query: of the page's address, without "?"."""

    page: str
    name: str
    query: str
    made_by: str
    at_ms: int


def list_views(
    connection: Connection, page: str, *, after: str = "", limit: int = VIEWS_PER_PAGE_MAX
) -> list[SavedView]:
    """Return the views of a table by name. after: the last name of those that came before."""
    table = saved_views.c
    query = select(saved_views).where(table.page == page, table.name > after)
    return [_view(row) for row in connection.execute(query.order_by(table.name).limit(limit))]


def keep_view(change: Change, *, page: str, name: str, query: str) -> SavedView:
    """Keep a view; one of the same name is replaced. Raises Unusable, Conflict."""
    kept = SavedView(page, _checked_name(name), _checked_query(query), change.actor, change.now_ms)
    known = [one.name for one in list_views(change.connection, page)]
    if kept.name not in known:
        _require_room(change.connection, page=page, count=len(known))
    row = (kept.page, kept.name, kept.query, kept.made_by, kept.at_ms)
    bulk.upsert_rows(change.connection, saved_views, [row])
    return kept


def forget_view(change: Change, *, page: str, name: str) -> None:
    """Forget a view. Raises NotThere."""
    table = saved_views.c
    gone = change.connection.execute(
        delete(saved_views).where(table.page == page, table.name == name)
    )
    if not gone.rowcount:
        raise NotThere(
            f"there is no view {name} of {page}", hint="Load the page again to see its views."
        )


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > NAME_CHARACTERS_MAX or not name.isprintable():
        raise Unusable(
            f"a view is named with 1 to {NAME_CHARACTERS_MAX} printable characters",
            hint="Give the view a short name.",
        )
    return name


def _checked_query(query: str) -> str:
    """Return a query as this program writes it; only pairs, so it can become nothing else."""
    try:
        pairs: Sequence[tuple[str, str]] = parse_qsl(
            query.removeprefix("?"), max_num_fields=QUERY_FIELDS_MAX
        )
    except ValueError:
        pairs = ()
        query = "\0"
    if len(query) > QUERY_CHARACTERS_MAX or not query.isprintable():
        raise Unusable(
            f"a view's query has at most {QUERY_CHARACTERS_MAX} printable characters"
            f" and {QUERY_FIELDS_MAX} fields",
            hint="Set fewer filters, then keep the view.",
        )
    # Which page of the rows somebody stood on and in which language belongs to nobody's view.
    text = urlencode([pair for pair in pairs if pair[0] not in {"page", "cursor", "lang"}])
    if len(text) > QUERY_CHARACTERS_MAX * 3 or "%00" in text:
        raise Unusable(
            "a view's query holds characters that no filter has",
            hint="Clear the filters, set them again, then keep the view.",
        )
    return text


def _require_room(connection: Connection, *, page: str, count: int) -> None:
    if count >= VIEWS_PER_PAGE_MAX:
        raise Conflict(
            f"there are {count} views of {page}, no more are kept",
            hint="Delete views of this page that nobody needs.",
        )
    in_all = connection.execute(select(func.count()).select_from(saved_views)).scalar_one()
    if in_all >= VIEWS_MAX:
        raise Conflict(
            f"there are {in_all} views, no more are kept",
            hint="Delete views that nobody needs.",
        )


def _view(row: Row[Any]) -> SavedView:
    return SavedView(row.page, row.name, row.query, row.made_by, row.at_ms)
