"""A table as it is drawn: headings that sort, pages, filters, groups. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from central.web.listing import AskingT, Column, Filter, Found, Listing, Row, Wanted
from central.web.texts import Texts

EXPORT_PATH = "/tables/{name}.xlsx"
FRAGMENT_PATH = "/tables/{name}"


@dataclass(frozen=True, slots=True)
class HeadingView:
    """The heading of a column. href: sorts by it, "" where it cannot. sorted: of aria-sort."""

    key: str
    label: str
    number: bool
    phone: bool
    href: str
    sorted: str


@dataclass(frozen=True, slots=True)
class FilterView:
    """A field above the table. choices: (value, text), without the empty one."""

    name: str
    label: str
    kind: str
    value: str
    choices: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class GroupView:
    """Rows below one heading; the only group of an ungrouped table has no heading."""

    heading: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class ListingView:
    """Everything that the macro `listing` draws. Addresses are of this site.

    main: the table is what its page is about, so that its filters stand in the page's address.
    total: in words for people, "" where it is not counted.
    """

    name: str
    title: str
    path: str
    main: bool
    fragment: str
    export: str
    headings: tuple[HeadingView, ...]
    filters: tuple[FilterView, ...]
    fixed: tuple[tuple[str, str], ...]
    groups: tuple[GroupView, ...]
    group_choices: tuple[tuple[str, str], ...]
    group: str
    row_count: int
    total: int | None
    page_number: int
    page_count: int | None
    previous_url: str
    next_url: str
    empty: str
    note: str
    kinds: str
    sort: str


def listing_view(
    listing: Listing[AskingT], wanted: Wanted, found: Found, texts: Texts, *, main: bool = True
) -> ListingView:
    """Return the view of one page of a table."""
    query = listing.query(wanted)
    page_count = None
    if found.total is not None:
        page_count = max(1, -(-found.total // wanted.limit))
    number = wanted.page_index + 1
    more = found.more if page_count is None else number < page_count
    return ListingView(
        name=listing.name,
        title=texts.say(listing.title),
        path=listing.path,
        main=main,
        fragment=FRAGMENT_PATH.format(name=listing.name) + query,
        export=EXPORT_PATH.format(name=listing.name) + query,
        headings=tuple(_heading(column, listing, wanted, texts) for column in listing.columns),
        filters=tuple(
            _filter(one, wanted, found, texts) for one in listing.filters if one.kind != "fixed"
        ),
        fixed=tuple(
            (one.name, wanted.values[one.name]) for one in listing.filters if one.kind == "fixed"
        ),
        groups=tuple(_groups(found.rows)),
        group_choices=tuple(
            (column.key, texts.say(column.label))
            for column in listing.columns
            if column.key in listing.groups
        ),
        group=wanted.group,
        row_count=len(found.rows),
        total=found.total,
        page_number=number,
        page_count=page_count,
        previous_url=_page_url(listing, wanted, number - 1),
        next_url=_next_url(listing, wanted, found) if more else "",
        empty=found.empty or texts.say(listing.empty),
        note=found.note,
        kinds=" ".join(listing.kinds),
        sort=("-" if wanted.descending else "") + wanted.sort,
    )


def export_rows(
    listing: Listing[AskingT], found: Found, texts: Texts
) -> tuple[list[Sequence[str]], frozenset[int]]:
    """Return heading and rows for an Excel file, and which of its columns are numbers.

    A note stands in a column of its own, behind the figure that it belongs to.
    """
    rows: list[Sequence[str]] = []
    noted = [any(row.cells[i].note for row in found.rows) for i in range(len(listing.columns))]
    heading: list[str] = []
    numbers: set[int] = set()
    for index, column in enumerate(listing.columns):
        if column.kind == "number":
            numbers.add(len(heading))
        heading.append(texts.say(column.label))
        if noted[index]:
            heading.append("")
    rows.append(heading)
    for row in found.rows:
        cells: list[str] = []
        for index, cell in enumerate(row.cells):
            cells.append(cell.value or ("" if cell.text == "–" else cell.text))
            if noted[index]:
                cells.append(cell.note)
        rows.append(cells)
    return rows, frozenset(numbers)


def _heading(
    column: Column, listing: Listing[AskingT], wanted: Wanted, texts: Texts
) -> HeadingView:
    is_sorted = column.sortable and wanted.sort == column.key
    target = f"-{column.key}" if is_sorted and not wanted.descending else column.key
    href = ""
    if column.sortable:
        href = listing.path + (listing.query(wanted, sort=target, page="", cursor="") or "?")
    order = "descending" if wanted.descending else "ascending"
    return HeadingView(
        key=column.key,
        label=texts.say(column.label),
        number=column.kind == "number",
        phone=column.phone,
        href=href,
        sorted=order if is_sorted else "",
    )


def _filter(one: Filter, wanted: Wanted, found: Found, texts: Texts) -> FilterView:
    choices = tuple((value, texts.say(label)) for value, label in one.choices)
    return FilterView(
        name=one.name,
        label=texts.say(one.label),
        kind=one.kind,
        value=wanted.values[one.name],
        choices=tuple(found.choices.get(one.name, choices)),
    )


def _groups(rows: tuple[Row, ...]) -> list[GroupView]:
    groups: list[GroupView] = []
    begin = 0
    for index in range(1, len(rows) + 1):
        if index == len(rows) or rows[index].group != rows[begin].group:
            groups.append(GroupView(rows[begin].group, rows[begin:index]))
            begin = index
    return groups


def _page_url(listing: Listing[AskingT], wanted: Wanted, number: int) -> str:
    if listing.by_cursor:
        return listing.path + listing.query(wanted, cursor="") if wanted.cursor else ""
    if number < 1:
        return ""
    return listing.path + listing.query(wanted, page=str(number) if number > 1 else "")


def _next_url(listing: Listing[AskingT], wanted: Wanted, found: Found) -> str:
    if listing.by_cursor:
        return listing.path + listing.query(wanted, cursor=found.cursor)
    return _page_url(listing, wanted, wanted.page_index + 2)
