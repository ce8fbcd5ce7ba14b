"""The label templates of a gateway: shipped, the user's, central's. Edge of their folders.

A user's file of the same name replaces a shipped one, central's replaces both. One that is broken
is never used: the one before it stays, and the fault says what to do.
"""

from collections.abc import Mapping
from pathlib import Path

from drivers.bitmap import Bitmap
from drivers.errors import LabelInvalid
from gateway.errors import TemplateInvalid
from gateway.logs import log_event
from gateway.station.templates.model import (
    PictureElement,
    Template,
    TemplateFault,
    TemplateSet,
)
from gateway.station.templates.parse import NAME, parse_template

SHIPPED_FOLDER = Path(__file__).parents[2] / "labels"
LABELS_FOLDER = "labels"  # In the gateway's data directory.
CENTRAL_FOLDER = "central"  # In that folder; all that is in it is written by the gateway.
TEMPLATE_BYTES_MAX = 64 * 1024
TEMPLATES_MAX = 64
PNG_BYTES_MAX = 256 * 1024
PICTURE_BYTES_MAX = 64 * 1024  # Half a million dots: it is stored with every job that prints it.


def labels_folder(data_directory: str) -> Path:
    """Return where the user's own templates are, if there are any."""
    return Path(data_directory) / LABELS_FOLDER


def write_central_templates(folder: Path, templates: Mapping[str, str]) -> None:
    """Let the folder of central's templates hold these texts by their names, and no others.

    The user's own files stay as they are. A name that can be no file is left out: whoever wrote it
    sees the template missing. Raises OSError.
    """
    central = folder / CENTRAL_FOLDER
    wanted = {f"{name}.toml": text for name, text in templates.items() if NAME.fullmatch(name)}
    if not wanted and not central.is_dir():
        return
    central.mkdir(parents=True, exist_ok=True)
    for path in central.iterdir():
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        path = central / name
        if not path.exists() or path.read_bytes() != text.encode():
            building = central / f"{name}.new"
            building.write_bytes(text.encode())
            building.replace(path)


def use_templates(folder: Path) -> TemplateSet:
    """Return what can be used at a station; what cannot is logged once, and shown on the page."""
    found = load_templates(folder)
    for fault in found.faults:
        log_event(
            "error",
            "label template not used",
            file=fault.file,
            reason=fault.reason,
            hint=fault.hint,
        )
    return found


def load_templates(folder: Path | None) -> TemplateSet:
    """Return the shipped templates and those of `folder`, which need not exist."""
    shipped = {path.stem: _load(path) for path in sorted(SHIPPED_FOLDER.glob("*.toml"))}
    templates = dict(shipped)
    faults: list[TemplateFault] = []
    paths = _files(folder, faults)
    paths += _files(folder / CENTRAL_FOLDER, faults) if folder is not None else []
    for path in paths:
        try:
            template = _load(path)
            replaced = shipped.get(template.name)
            if replaced is not None and replaced.label.use != template.label.use:
                raise TemplateInvalid(
                    f"{path.name}: use is {template.label.use}",
                    hint=f'Write use = "{replaced.label.use}", or give the file another name.',
                )
        except TemplateInvalid as error:
            before = templates.get(path.stem)
            whose = "shipped" if before is shipped.get(path.stem) else "user's"
            instead = f"; the {whose} one is used" if before is not None else ""
            faults.append(TemplateFault(_shown(path), f"{error}{instead}", error.hint))
            continue
        templates[template.name] = template
    return TemplateSet(tuple(templates[name] for name in sorted(templates)), tuple(faults))


def _files(folder: Path | None, faults: list[TemplateFault]) -> list[Path]:
    try:
        found = sorted(folder.glob("*.toml")) if folder is not None and folder.is_dir() else []
    except OSError as error:
        hint = "Let the gateway's user read that folder."
        faults.append(TemplateFault(str(folder), f"cannot be read: {error}", hint))
        return []
    if len(found) > TEMPLATES_MAX:
        hint = f"Keep at most {TEMPLATES_MAX} templates in the folder."
        faults.append(TemplateFault(str(folder), f"{len(found)} templates", hint))
    return found[:TEMPLATES_MAX]


def _load(path: Path) -> Template:
    if not NAME.fullmatch(path.stem):
        raise TemplateInvalid(
            f"{_shown(path)}: no name of a template",
            hint='Name the file with letters, digits, "-" and "_" only.',
        )
    try:
        text = _read(path, TEMPLATE_BYTES_MAX).decode("utf-8-sig")  # Editors on Windows mark UTF-8.
    except UnicodeDecodeError as error:
        raise TemplateInvalid(f"{path.name}: not UTF-8", hint="Save it as UTF-8.") from error
    parsed = parse_template(text, file_name=path.name)
    names = {one.file for one in parsed.elements if isinstance(one, PictureElement)}
    pictures = tuple((name, _picture(path, name)) for name in sorted(names))
    return Template(name=path.stem, label=parsed.label, elements=parsed.elements, pictures=pictures)


def _shown(path: Path) -> str:
    """Return the name as text; a name on disk may be bytes that are none."""
    shown = path.name.encode("utf-8", "replace").decode()
    return f"{CENTRAL_FOLDER}/{shown}" if path.parent.name == CENTRAL_FOLDER else shown


def _picture(template: Path, name: str) -> Bitmap:
    # Only a template with a picture pays for the library that reads it.
    from drivers.drawing.png import read_png  # noqa: PLC0415

    try:
        bitmap = read_png(_read(_beside(template, name), PNG_BYTES_MAX))
    except LabelInvalid as error:
        raise TemplateInvalid(f"{template.name}: {name}: {error}", hint=error.hint) from error
    if len(bitmap.rows) > PICTURE_BYTES_MAX:
        raise TemplateInvalid(
            f"{template.name}: {name} has {bitmap.width} x {bitmap.height} dots",
            hint="Make the picture smaller, for example 700 x 700 dots.",
        )
    return bitmap


def _beside(template: Path, name: str) -> Path:
    """Return where a picture is: beside the template; central's use the user's pictures."""
    folder = template.parent
    return (folder.parent if folder.name == CENTRAL_FOLDER else folder) / name


def _read(path: Path, bytes_max: int) -> bytes:
    if path.exists() and not path.is_file():  # A pipe would be waited for.
        raise TemplateInvalid(f"{path.name} is no file", hint="Remove it, or put the file there.")
    try:
        with path.open("rb") as file:
            data = file.read(bytes_max + 1)
    except OSError as error:
        raise TemplateInvalid(
            f"{path.name} cannot be read: {error.strerror}",
            hint="Put the file there, readable for the gateway's user.",
        ) from error
    if len(data) > bytes_max:
        raise TemplateInvalid(
            f"{path.name} is larger than {bytes_max} bytes", hint="Make the file smaller."
        )
    return data
