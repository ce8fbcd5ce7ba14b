"""Pictures of labels as they will be printed. Edge of `drivers.drawing`, loaded with the first one.

The picture is that of a printer that takes dots. A ZPL printer writes ASCII text in its own font, a
little narrower, at the same place and height.
"""

from decimal import Decimal

from drivers.errors import LabelInvalid
from gateway.errors import TemplateInvalid
from gateway.station.templates.fill import FieldValues, fill_template
from gateway.station.templates.model import FIELDS, Language, Template
from gateway.station.templates.samples import sample_values

PREVIEW_DOTS_PER_MM = 8


def preview_png(
    template: Template,
    *,
    language: Language,
    given: FieldValues = (),
    dots_per_mm: Decimal | int = PREVIEW_DOTS_PER_MM,
) -> bytes:
    """Return the label as a PNG, with example values for the fields that are not given.

    Raises TemplateInvalid for a field that the template does not know, or if the label would not
    be printed.
    """
    # Only who looks at a label pays for Pillow, a font and zxing-cpp: 10 MB.
    from drivers.drawing.label import draw_label  # noqa: PLC0415
    from drivers.drawing.png import png_bytes  # noqa: PLC0415

    known = FIELDS[template.label.use]
    for name, _ in given:
        if name not in known:
            raise TemplateInvalid(
                f"{template.name}: there is no field {name}",
                hint=f"Give one of these: {', '.join(known)}.",
            )
    values = sample_values(template.label.use, language=language, given=given)
    label = fill_template(template, values, language=language)
    if label is None:
        raise TemplateInvalid(
            f"{template.name}: a bar code is too long for its label",
            hint="Offer a thinner width in module_mm, or use a larger label.",
        )
    try:
        return png_bytes(draw_label(label, dots_per_mm=dots_per_mm), dots_per_mm=dots_per_mm)
    except LabelInvalid as error:
        raise TemplateInvalid(f"{template.name}: {error}", hint=error.hint) from error
