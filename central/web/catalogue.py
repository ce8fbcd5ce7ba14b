"""Collects the marked texts of the pages and compiles the translations. Root.

Run after a text changed, from the top folder: `python -m central.web.catalogue`. It adds new texts
to `locale/zh/LC_MESSAGES/central.po`, untranslated, and writes the `.mo` beside it. A test fails
until every text is translated and the `.mo` is the compiled `.po`.
"""

import io
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from central.web.languages import DOMAIN, LOCALE_FOLDER

WEB_FOLDER = Path(__file__).parent
PO_FILE = LOCALE_FOLDER / "zh" / "LC_MESSAGES" / f"{DOMAIN}.po"
METHODS = [("templates/**.html", "jinja2"), ("**.py", "python")]
KEYWORDS = {"_": None, "say": None, "marked": None, "ngettext": (1, 2)}


def marked_texts() -> Catalog:
    """Return every text that is marked in templates and modules, untranslated."""
    catalog = Catalog(project="dockledger", charset="utf-8")
    options = {"templates/**.html": {"encoding": "utf-8", "newstyle_gettext": "true"}}
    for file_name, line, text, comments, context in extract_from_dir(
        WEB_FOLDER, METHODS, options, keywords=KEYWORDS
    ):
        catalog.add(text, None, [(file_name, line)], auto_comments=comments, context=context)
    return catalog


def read_translations() -> Catalog:
    """Return what the `.po` file holds."""
    with PO_FILE.open("rb") as file:
        return read_po(file, locale="zh")


def compiled(catalog: Catalog) -> bytes:
    """Return the bytes of the `.mo` file of a catalogue."""
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def update() -> None:
    """Bring both files up to date with the marked texts; translations of lost texts go."""
    found = marked_texts()
    catalog = read_translations() if PO_FILE.exists() else Catalog(locale="zh")
    catalog.update(found, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    with PO_FILE.open("wb") as file:
        write_po(file, catalog, width=100, omit_header=False, sort_output=True, no_location=True)
    PO_FILE.with_suffix(".mo").write_bytes(compiled(catalog))


if __name__ == "__main__":
    update()
