"""Draws templates in one language. Edge of the template files."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from central.api.problem_translations import problem_words
from central.web.assets import assets
from central.web.languages import LANGUAGES, catalogue, quantity_text
from central.web.texts import Texts

TEMPLATES_FOLDER = Path(__file__).parent / "templates"
LANGUAGE_NAMES = {"en": ("English", "en"), "zh": ("中文", "zh-Hans")}


class Drawing:
    """The templates and words of one language; get it from `drawing_in`. Any thread."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES_FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        found = catalogue(language)
        words = problem_words(language)
        self.texts = Texts(
            language,
            catalogue=found,
            quantity=quantity_text,
            sentence=words.said if words is not None else str,
        )
        # The extension adds this method to the environment; its types do not show it.
        templates: Any = self._templates
        templates.install_gettext_callables(found.gettext, found.ngettext, newstyle=True)
        self._templates.globals |= {
            "asset": _asset_url,
            "icons_url": _asset_url("icons.svg"),
            "language": language,
            "language_tag": LANGUAGE_NAMES[language][1],
            # Which buttons are drawn; a page says it of whoever asks for it.
            "may": _everything,
        }

    def template(self, name: str, content: dict[str, object]) -> str:
        """Return a whole template with its content."""
        return self._templates.get_template(name).render(content)

    def part(self, template: str, name: str, *arguments: object) -> str:
        """Return what a macro of a template draws."""
        module: Any = self._templates.get_template(template).module
        return str(getattr(module, name)(*arguments))


@cache
def drawing_in(language: str) -> Drawing:
    """Return what draws in a language of LANGUAGES."""
    assert language in LANGUAGES
    return Drawing(language)


def _everything(_method: str, _path: str, _warehouse: str = "") -> bool:
    return True


def _asset_url(name: str) -> str:
    return assets()[name].url
