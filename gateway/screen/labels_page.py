"""The page of label templates: each in both languages, and what is wrong with the rest. Pure."""

from collections.abc import Callable, Sequence
from html import escape

from gateway.screen.sheet import BACK_WORD
from gateway.station.messages import N_
from gateway.station.templates.model import Language, Template, TemplateFault, Use

PIXELS_PER_MM = 4
TITLE = N_("Labels")
INTRODUCTION = N_(
    "With example values. To change a label, copy its file to the folder labels of the data"
    " directory, edit it there, look here, then restart the gateway."
)
TO_CORRECT = N_("To be corrected")
LANGUAGE_NAMES: dict[Language, str] = {"en": "English", "zh": "中文"}
USE_TITLES: dict[Use, str] = {
    "place": N_("Label of a place"),
    "pallet": N_("Label of a pallet"),
    "item": N_("Label of an item"),
}


def labels_html(
    templates: Sequence[Template],
    faults: Sequence[TemplateFault],
    *,
    language: str,
    translate: Callable[[str], str],
) -> str:
    """Return the whole page. Every text from outside is escaped; the page has no script."""
    title = escape(translate(TITLE))
    links = " · ".join(
        f'<a href="/labels?lang={one}">{LANGUAGE_NAMES[one]}</a>' for one in LANGUAGE_NAMES
    )
    sections = "".join(_section(template, translate) for template in templates)
    return (
        f'<!doctype html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        f'<title>{title}</title><link rel="stylesheet" href="/static/sheet.css"></head>'
        f'<body><h1>{title}</h1><p class="pdf"><a class="back" href="/">'
        f"{escape(translate(BACK_WORD))}</a></p>"
        f"<p>{links}</p><p>{escape(translate(INTRODUCTION))}</p>"
        f"{_faults(faults, translate)}{sections}</body></html>"
    )


def _faults(faults: Sequence[TemplateFault], translate: Callable[[str], str]) -> str:
    if not faults:
        return ""
    rows = "".join(
        f"<li><code>{escape(fault.file)}</code>: {escape(fault.reason)}."
        f" <b>{escape(fault.hint)}</b></li>"
        for fault in faults
    )
    return f"<h2>{escape(translate(TO_CORRECT))}</h2><ul class=faults>{rows}</ul>"


def _section(template: Template, translate: Callable[[str], str]) -> str:
    name, label = escape(template.name), template.label
    size = f"{label.width_mm.normalize():f} x {label.height_mm.normalize():f} mm"
    pictures = "".join(
        f'<figure><img class=label src="/labels/{name}.png?lang={one}" alt="{name} {one}"'
        f' width="{round(label.width_mm * PIXELS_PER_MM)}">'
        f"<figcaption>{LANGUAGE_NAMES[one]}</figcaption></figure>"
        for one in LANGUAGE_NAMES
    )
    heading = f"{name} · {escape(translate(USE_TITLES[label.use]))} · {size}"
    return f"<h2>{heading}</h2><div class=cards>{pictures}</div>"
