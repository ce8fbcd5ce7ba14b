"""The page of label templates: pictures that scan, mistakes that are explained, no script."""

import io

import httpx
import pytest
from PIL import Image

from gateway.station.templates.files import SHIPPED_FOLDER
from tests.drivers.label_pictures import read_codes
from tests.gateway.screen.served import served

SHIPPED_BIN = (SHIPPED_FOLDER / "bin.toml").read_text("utf-8")


@pytest.fixture
def page(tmp_path):
    with served(tmp_path) as (_, server), httpx.Client(base_url=server.url) as client:
        (tmp_path / "labels").mkdir()
        yield tmp_path / "labels", client


def test_the_page_shows_each_template_in_both_languages_and_no_script(page):
    _, client = page
    answer = client.get("/labels?lang=zh")
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text and "style=" not in answer.text
    for name in ("bin", "pallet"):
        for language in ("en", "zh"):
            assert f'src="/labels/{name}.png?lang={language}"' in answer.text
    assert "标签" in answer.text and "托盘标签" in answer.text
    assert "faults" not in answer.text


def test_the_pictures_are_what_will_be_printed(page):
    _, client = page
    pictures = {}
    for language in ("en", "zh"):
        answer = client.get(f"/labels/pallet.png?lang={language}")
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["x-content-type-options"] == "nosniff"
        picture = Image.open(io.BytesIO(answer.content)).convert("L")
        assert [text for _, text in read_codes(picture)] == [
            *("02169012345678993740", "10L2607A", "00069012340000000012")
        ]
        pictures[language] = answer.content
    assert pictures["en"] != pictures["zh"]


def test_a_users_template_shows_at_once_and_a_broken_one_with_what_to_write(page):
    folder, client = page
    (folder / "shelf.toml").write_text(SHIPPED_BIN.replace("LOC-{", "SHELF-{"))
    (folder / "bin.toml").write_text(SHIPPED_BIN.replace("{place}", "{plaice}"))
    (folder / "narrow.toml").write_text(SHIPPED_BIN.replace("width_mm = 100", "width_mm = 20"))
    (folder / "flat.toml").write_text(SHIPPED_BIN.replace("height_mm = 50", "height_mm = 30"))
    text = client.get("/labels").text
    assert "/labels/shelf.png" in text
    assert "Did you mean {place}?" in text
    assert "the shipped one is used" in text
    assert "narrow.toml" in text and "Offer a thinner width" in text
    assert "flat.toml" in text and "make it smaller or use a larger label" in text
    picture = Image.open(io.BytesIO(client.get("/labels/shelf.png").content)).convert("L")
    assert read_codes(picture) == [("]C0", "SHELF-A-01-03")]
    assert client.get("/labels/narrow.png").status_code == 422
    assert client.get("/labels/bin.png").status_code == 200


def test_text_of_a_template_is_text_on_the_page(page):
    folder, client = page
    (folder / "bad.toml").write_text('[label]\n"<img src=x>" = 1\n')
    text = client.get("/labels").text
    assert "<img src=x>" not in text
    assert "&lt;img" in text


@pytest.mark.parametrize("name", ["nothing", "..%2f..%2fetc%2fpasswd", "bin.toml"])
def test_what_is_no_template_is_not_found(page, name):
    _, client = page
    assert client.get(f"/labels/{name}.png").status_code == 404
