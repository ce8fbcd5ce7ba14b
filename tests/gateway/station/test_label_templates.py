"""Template files: what they become, what is said about a mistake, and that a station goes on."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bitmap import Bitmap
from drivers.drawing.png import png_bytes
from drivers.labels import (
    Box,
    Code128,
    Gs1Code128,
    Gs1DataMatrix,
    Label,
    Line,
    Picture,
    Qr,
    Text,
)
from gateway.errors import TemplateInvalid
from gateway.station.templates.files import (
    SHIPPED_FOLDER,
    labels_folder,
    load_templates,
    use_templates,
)
from gateway.station.templates.fill import fill_template, one_line
from gateway.station.templates.model import FIELDS, Template
from gateway.station.templates.parse import parse_template
from gateway.station.templates.samples import SAMPLES, sample_values

HEAD = '[label]\nuse = "pallet"\nwidth_mm = 60\nheight_mm = 40\n'
TEXT = '[[element]]\nkind = "text"\nx_mm = 1\ny_mm = 2\nheight_mm = 3.5\n'
BARS = '[[element]]\nkind = "code128"\nx_mm = 5\ny_mm = 2\nheight_mm = 8\n'
D = Decimal


def template(text: str, pictures: tuple[tuple[str, Bitmap], ...] = ()) -> Template:
    parsed = parse_template(text, file_name="mine.toml")
    return Template(name="mine", label=parsed.label, elements=parsed.elements, pictures=pictures)


def filled(text: str, language: str = "en", **values: str) -> Label | None:
    return fill_template(template(text), tuple(values.items()), language=language)


def only(text: str, language: str = "en", **values: str):
    label = filled(HEAD + text, language, **values)
    assert label is not None
    (element,) = label.elements
    return element


def test_every_kind_of_element_becomes_its_own():
    logo = Bitmap(2, 1, b"\x80")
    made = fill_template(
        template(
            HEAD
            + TEXT
            + 'text = "a {lot}"\n'
            + BARS
            + 'module_mm = 0.25\ndata = "X{lot}"\n'
            + """
[[element]]
kind = "gs1_code128"
x_mm = 3
y_mm = 4
height_mm = 5
module_mm = 0.25
elements = [["10", "{lot}"]]
[[element]]
kind = "gs1_data_matrix"
x_mm = 3
y_mm = 4
module_mm = 0.5
elements = [["10", "{lot}"], ["37", "{count}"]]
[[element]]
kind = "qr"
x_mm = 3
y_mm = 4
module_mm = 0.5
data = "q {lot}"
[[element]]
kind = "line"
x_mm = 3
y_mm = 4
width_mm = 5
height_mm = 0.5
[[element]]
kind = "box"
x_mm = 3
y_mm = 4
width_mm = 5
height_mm = 6
line_mm = 0.5
[[element]]
kind = "picture"
x_mm = 3
y_mm = 4
width_mm = 5
file = "logo.png"
""",
            (("logo.png", logo),),
        ),
        (("lot", "L7"), ("count", "9")),
        language="en",
    )
    assert made == Label(
        D(60),
        D(40),
        (
            Text(D(1), D(2), D("3.5"), "a L7"),
            Code128(D(5), D(2), D(8), D("0.25"), "XL7"),
            Gs1Code128(D(3), D(4), D(5), D("0.25"), (("10", "L7"),)),
            Gs1DataMatrix(D(3), D(4), D("0.5"), (("10", "L7"), ("37", "9"))),
            Qr(D(3), D(4), D("0.5"), "q L7"),
            Line(D(3), D(4), D(5), D("0.5")),
            Box(D(3), D(4), D(5), D(6), D("0.5")),
            Picture(D(3), D(4), D(5), logo),
        ),
    )


def test_a_text_may_be_in_both_languages():
    text = TEXT + 'text = { en = "LOT {lot}", zh = "批号 {lot}" }\n'
    assert only(text, "en", lot="L7").text == "LOT L7"
    assert only(text, "zh", lot="L7").text == "批号 L7"


def test_an_element_is_left_out_when_its_field_is_empty():
    text = HEAD + TEXT + 'text = "x"\n' + TEXT + 'when = "lot"\ntext = "{lot}"\n'
    assert len(filled(text).elements) == len(filled(text, lot="").elements) == 1
    assert len(filled(text, lot="L7").elements) == 2


def test_two_braces_are_one_and_a_value_with_braces_stays_a_value():
    assert only(TEXT + 'text = "{{{lot}}}"\n', lot="{sscc}").text == "{{sscc}}"


@pytest.mark.parametrize(
    ("value", "height_mm"),
    [("A", "3.5"), ("A" * 20, "3.0"), ("国" * 20, "2.0"), ("A" * 200, "0.5")],
)
def test_a_long_text_gets_smaller_letters_where_a_width_is_given(value, height_mm):
    element = only(TEXT + 'width_mm = 40\ntext = "{item}"\n', item=value)
    assert element.height_mm == D(height_mm)


@pytest.mark.parametrize(
    ("length", "module_mm"), [(1, "0.5"), (5, "0.5"), (6, "0.375"), (15, "0.25"), (16, None)]
)
def test_the_first_width_of_bars_that_fits_is_taken(length, module_mm):
    label = filled(
        HEAD + BARS + 'module_mm = [0.5, 0.375, 0.25]\ndata = "{lot}"\n', lot="A" * length
    )
    assert (label and label.elements[0].module_mm) == (module_mm and D(module_mm))


@given(st.text(max_size=300))
def test_any_text_becomes_one_line(text):
    line = one_line(text)
    assert len(line) <= 200
    assert not set(line) & set("\r\n\t\x1b\x00\u2028")


MISTAKES = {
    "no TOML": ("label = [", "not TOML"),
    "empty": ("", "label: is missing"),
    "no elements": (HEAD, "element: is missing"),
    "empty elements": ("element = []\n" + HEAD, "1 to 100 elements"),
    "unknown use": (
        HEAD.replace("pallet", "parcel") + TEXT + 'text = "x"\n',
        "line 2, label.use: invalid enum value 'parcel': Write for example use = \"pallet\"",
    ),
    "unknown key of the label": (
        HEAD + "heigth_mm = 3\n" + TEXT + 'text = "x"\n',
        "line 5, label.heigth_mm: there is no such key: Did you mean height_mm?",
    ),
    "unknown section": ("[labels]\n" + HEAD, "there is no such key: Did you mean label?"),
    "unknown kind": (
        HEAD + TEXT.replace('"text"', '"txt"'),
        "line 6, element 1, kind: there is no such kind of element: txt: Write one of these: text,",
    ),
    "no kind": (HEAD + "[[element]]\nx_mm = 1\n", "element 1, kind: is missing"),
    "no text": (HEAD + TEXT, "element 1 (text), text: is missing: Write for example text ="),
    "unknown key of an element": (
        HEAD + TEXT + 'text = "x"\n' + TEXT + 'text = "x"\nwidht_mm = 3\n',
        "element 2 (text), widht_mm: there is no such key: Did you mean width_mm?",
    ),
    "unknown key, nothing close": (
        HEAD + TEXT + 'text = "x"\nqqq = 3\n',
        "Remove it; known here: kind, ",
    ),
    "length as text": (
        HEAD + TEXT.replace("x_mm = 1", 'x_mm = "left"') + 'text = "x"\n',
        "line 7, element 1 (text), x_mm: ",
    ),
    "negative length": (
        HEAD + TEXT.replace("x_mm = 1", "x_mm = -1") + 'text = "x"\n',
        "line 7, element 1 (text), x_mm: expected millimetres from 0 to 990",
    ),
    "endless length": (
        HEAD + TEXT.replace("x_mm = 1", "x_mm = inf") + 'text = "x"\n',
        "x_mm: expected millimetres",
    ),
    "unknown field": (
        HEAD + TEXT + 'text = "{iten}"\n',
        "line 10, element 1 (text), text: there is no field {iten}: Did you mean {item}?",
    ),
    "field of another use": (
        HEAD + TEXT + 'text = "{place}"\n',
        "there is no field {place}: Known fields: {sscc}, {item}, {gtin}, {count}, {lot}.",
    ),
    "unknown field in one language": (
        HEAD + TEXT + 'text = { en = "x", zh = "{lott}" }\n',
        "Did you mean {lot}?",
    ),
    "one language only": (HEAD + TEXT + 'text = { en = "x" }\n', "zh: is missing"),
    "attribute of a field": (HEAD + TEXT + 'text = "{lot.__class__}"\n', "there is no field"),
    "format of a field": (HEAD + TEXT + 'text = "{lot:>999999999}"\n', "there is no field"),
    "nested field": (HEAD + TEXT + 'text = "{lot:{item}}"\n', "there is no field"),
    "conversion of a field": (HEAD + TEXT + 'text = "{lot!r}"\n', "there is no field"),
    "field by number": (HEAD + TEXT + 'text = "{}"\n', "there is no field {}"),
    "open brace": (HEAD + TEXT + 'text = "{lot"\n', "text: "),
    "close brace": (HEAD + TEXT + 'text = "lot}"\n', "a brace that is meant as text twice"),
    "unknown when": (
        HEAD + TEXT + 'when = "lots"\ntext = "x"\n',
        "element 1 (text), when: there is no field lots: Did you mean lot?",
    ),
    "field in a GS1 element": (
        HEAD
        + '[[element]]\nkind = "gs1_code128"\nx_mm = 5\ny_mm = 2\nheight_mm = 8\nmodule_mm = 0.25\n'
        + 'elements = [["10", "{batch}"]]\n',
        "element 1 (gs1_code128), elements: there is no field {batch}: Known fields",
    ),
    "GS1 element of three": (
        HEAD
        + '[[element]]\nkind = "gs1_data_matrix"\nx_mm = 5\ny_mm = 2\nmodule_mm = 0.25\n'
        + 'elements = [["10", "a", "b"]]\n',
        "element 1 (gs1_data_matrix), elements",
    ),
    "no width of bars": (
        HEAD + BARS + 'module_mm = []\ndata = "x"\n',
        "element 1 (code128), module_mm: expected at least one width",
    ),
    "picture elsewhere": (
        HEAD + '[[element]]\nkind = "picture"\nx_mm = 5\ny_mm = 2\nwidth_mm = 8\n'
        'file = "../../etc/passwd.png"\n',
        "element 1 (picture), file: expected the name of a PNG beside the template",
    ),
}


@pytest.mark.parametrize(("text", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_answered_with_place_and_what_to_write(text, expected):
    with pytest.raises(TemplateInvalid) as refused:
        parse_template(text, file_name="mine.toml")
    said = f"{refused.value}: {refused.value.hint}"
    assert expected in said
    assert said.startswith("mine.toml")
    assert refused.value.hint.endswith((".", "?"))


@given(st.text(max_size=200))
def test_any_text_is_a_template_or_a_mistake_that_is_explained(text):
    for whole in (text, HEAD + TEXT + f"text = '''{text}'''\n", HEAD + text):
        try:
            parse_template(whole, file_name="mine.toml")
        except TemplateInvalid as refused:
            explained = refused.hint
            assert explained


def test_the_shipped_templates_name_only_known_fields_and_print_their_samples():
    found = load_templates(None)
    assert not found.faults
    assert [one.name for one in found.templates] == ["bin", "item", "pallet"]
    for one in found.templates:
        for language in ("en", "zh"):
            values = sample_values(one.label.use, language=language)
            assert tuple(name for name, _ in values) == FIELDS[one.label.use]
            assert fill_template(one, values, language=language) is not None
    assert set(SAMPLES) == set(FIELDS)


def test_a_station_that_starts_says_once_what_it_does_not_use(tmp_path, caplog):
    folder = labels_folder(str(tmp_path))
    folder.mkdir()
    (folder / "bin.toml").write_text("[label]")
    assert use_templates(folder).find("bin", use="place") is not None
    (record,) = caplog.records
    assert (record.levelname, record.getMessage()) == ("ERROR", "label template not used")
    assert record.fields["file"] == "bin.toml"
    assert record.fields["hint"].startswith("Write for example")


SHIPPED_BIN = (SHIPPED_FOLDER / "bin.toml").read_text("utf-8")


def test_a_users_template_replaces_and_adds(tmp_path):
    (tmp_path / "bin.toml").write_text(SHIPPED_BIN.replace("width_mm = 100", "width_mm = 90"))
    (tmp_path / "shelf.toml").write_text(SHIPPED_BIN)
    found = load_templates(tmp_path)
    assert [one.name for one in found.templates] == ["bin", "item", "pallet", "shelf"]
    assert found.find("bin", use="place").label.width_mm == 90
    assert found.find("shelf", use="pallet") is None
    assert found.find("nothing") is None
    assert not found.faults


def test_a_broken_template_is_told_and_the_shipped_one_is_used(tmp_path):
    (tmp_path / "bin.toml").write_text(SHIPPED_BIN.replace("{place}", "{plaice}"))
    (tmp_path / "latin.toml").write_bytes(b"# \xe9\n")
    (tmp_path / "big.toml").write_bytes(b"#" * 70_000)
    (tmp_path / "two words.toml").write_text(SHIPPED_BIN)
    (tmp_path / "pallet.toml").write_text(SHIPPED_BIN)
    (tmp_path / "gone.toml").symlink_to(tmp_path / "nowhere")
    found = load_templates(tmp_path)
    assert found.templates == load_templates(None).templates
    assert {fault.file for fault in found.faults} == {
        *("bin.toml", "latin.toml", "big.toml", "two words.toml", "pallet.toml", "gone.toml")
    }
    reasons = {fault.file: f"{fault.reason}: {fault.hint}" for fault in found.faults}
    assert "Did you mean {place}?" in reasons["bin.toml"]
    assert 'Write use = "pallet"' in reasons["pallet.toml"]


PICTURE = '[[element]]\nkind = "picture"\nx_mm = 5\ny_mm = 2\nwidth_mm = 8\nfile = "logo.png"\n'


def test_a_picture_comes_from_beside_its_template(tmp_path):
    dots = Bitmap(3, 2, b"\xa0\x40")
    (tmp_path / "logo.png").write_bytes(png_bytes(dots, dots_per_mm=8))
    (tmp_path / "mine.toml").write_text(HEAD + PICTURE)
    found = load_templates(tmp_path)
    label = fill_template(found.find("mine"), (), language="en")
    assert label.elements == (Picture(D(5), D(2), D(8), dots),)


@pytest.mark.parametrize(
    "content",
    [None, b"no picture", png_bytes(Bitmap(1000, 1000, bytes(125_000)), dots_per_mm=8)],
    ids=["missing", "no PNG", "too many dots"],
)
def test_a_picture_that_cannot_be_used_is_told(tmp_path, content):
    if content is not None:
        (tmp_path / "logo.png").write_bytes(content)
    (tmp_path / "mine.toml").write_text(HEAD + PICTURE)
    found = load_templates(tmp_path)
    (fault,) = found.faults
    assert fault.file == "mine.toml"
    assert "logo.png" in fault.reason
    assert fault.hint.endswith(".")
