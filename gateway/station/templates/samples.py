"""Example values of every field, to look at a label before anything is printed. Pure."""

from gateway.station.templates.fill import FieldValues
from gateway.station.templates.model import Language, Use

# The company prefix 6901234 and the numbers are examples of GS1's own documents.
SAMPLES: dict[Use, dict[Language, FieldValues]] = {
    "place": {
        "en": (("place", "A-01-03"),),
        "zh": (("place", "A-01-03"),),
    },
    "pallet": {
        "en": (
            ("sscc", "069012340000000012"),
            ("item", "Green tea 250 g"),
            ("gtin", "16901234567899"),
            ("count", "40"),
            ("lot", "L2607A"),
        ),
        "zh": (
            ("sscc", "069012340000000012"),
            ("item", "明前龙井绿茶 250 克"),
            ("gtin", "16901234567899"),
            ("count", "40"),
            ("lot", "L2607A"),
        ),
    },
    "item": {
        "en": (
            ("item", "Green tea 250 g"),
            ("code", "TEA-250"),
            ("gtin", "06901234567892"),
            ("lot", "L2607A"),
            ("house_code", ""),
        ),
        "zh": (
            ("item", "明前龙井绿茶 250 克"),
            ("code", "TEA-250"),
            ("gtin", "06901234567892"),
            ("lot", "L2607A"),
            ("house_code", ""),
        ),
    },
}


def sample_values(use: Use, *, language: Language, given: FieldValues = ()) -> FieldValues:
    """Return the example values, replaced by the given ones."""
    return tuple((dict(SAMPLES[use][language]) | dict(given)).items())
