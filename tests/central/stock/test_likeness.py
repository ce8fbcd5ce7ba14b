"""Names that probably mean the same have the same likeness, and others have not."""

import pytest

from central.stock.likeness import name_likeness


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("六角螺栓 M8", "六角螺栓M8"),
        ("六角螺栓M8x40", "六角螺栓 M8 × 40"),
        ("Bolt M8x40", "bolt, m8 X 40"),
        ("Bolt M8*40", "BOLT M8×40"),
        ("Ｍ８ bolt", "Bolt M8"),
        ("Stainless bolt", "bolt (stainless)"),
    ],
)
def test_spaces_width_and_signs_make_no_other_name(one, other):
    assert name_likeness(one) == name_likeness(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("六角螺栓M8", "六角螺栓M10"),
        ("六角螺栓M8", "六角螺母M8"),
        ("Bolt M8x40", "Bolt M40x8"),
        ("Box 4", "Bo 4"),
        ("10 x", "10"),
    ],
)
def test_other_names_stay_others(one, other):
    assert name_likeness(one) != name_likeness(other)
