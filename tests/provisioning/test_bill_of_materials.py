"""What the product is made of: complete, hashed, licensed, and the same each time."""

import json
import re
from importlib.metadata import distribution

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from provisioning.bill_of_materials.__main__ import PRODUCTS, bill_of, main
from provisioning.bill_of_materials.parts import licence_of, read_parts
from tests.house.source_tree import ROOT

# Terms that would bind whoever ships the product; the lesser ones bind only changes of the library.
BINDING = re.compile(
    r"(?<!L)\bA?GPL\b|(?<!Lesser )General Public|SSPL|Commons Clause|BUSL", re.IGNORECASE
)


@pytest.fixture(scope="module", params=sorted(PRODUCTS))
def product(request):
    return request.param


@pytest.fixture(scope="module")
def parts(product):
    return read_parts(ROOT, PRODUCTS[product])


@pytest.fixture(scope="module")
def bill(product):
    return json.loads(bill_of(product))


def test_every_package_that_is_needed_at_work_is_in_it(product, parts):
    names = {part.name for part in parts}
    assert names >= {"cryptography", "msgspec", "cffi", "pycparser"}  # Also what those need.
    assert ("evdev" in names) == (product == "gateway")
    assert ("psycopg-binary" in names) == (product == "central")
    assert not names & {"pytest", "mypy", "hypothesis", "cyclonedx-python-lib", "playwright"}
    for part in parts:
        assert set(part.needs) <= names, part


def test_every_package_has_hashes_and_a_licence_that_does_not_bind_us(parts):
    for part in parts:
        assert part.licence, f"{part.name} names no licence"
        assert not BINDING.search(part.licence), f"{part.name}: {part.licence}"
        assert part.hashes, part.name
        assert distribution(part.name).version == part.version


@pytest.mark.parametrize(
    ("text", "binds"),
    [
        ("GPL-3.0-only", True),
        ("AGPL-3.0-or-later", True),
        ("GNU General Public License v3 or later (GPLv3+)", True),
        ("GNU Affero General Public License v3", True),
        ("LGPL-3.0-only", False),
        ("GNU Lesser General Public License v3", False),
        ("MIT", False),
        ("EPL-2.0 OR BSD-3-Clause", False),
    ],
)
def test_the_test_above_knows_binding_licences(text, binds):
    assert bool(BINDING.search(text)) == binds


@pytest.mark.parametrize(
    ("fields", "classifiers", "expected"),
    [
        ({"License-Expression": "MIT OR Apache-2.0"}, [], "MIT OR Apache-2.0"),
        ({}, ["License :: OSI Approved :: MIT License"], "MIT"),
        ({}, ["License :: OSI Approved :: GNU General Public License v3 (GPLv3)"], "GPL-3.0-only"),
        ({"License": "BSD-3-Clause\nand its whole text"}, [], "BSD-3-Clause"),
        ({"License": "Our own"}, ["License :: OSI Approved"], "Our own"),
        ({}, [], ""),
    ],
)
def test_a_licence_is_read_from_whatever_names_it(fields, classifiers, expected):
    assert licence_of(fields, classifiers) == expected


def test_the_file_keeps_the_schema_of_cyclonedx(bill):
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None


def test_the_file_names_every_package_with_its_licence_its_files_and_what_it_needs(bill, parts):
    components = {one["name"]: one for one in bill["components"]}
    assert set(components) == {part.name for part in parts}
    for part in parts:
        found = components[part.name]
        assert found["purl"] == f"pkg:pypi/{part.name}@{part.version}"
        assert found["licenses"]
        (files,) = found["externalReferences"]
        assert {one["content"] for one in files["hashes"]} == set(part.hashes)
    depends = {one["ref"]: one.get("dependsOn", []) for one in bill["dependencies"]}
    cryptography = components["cryptography"]["purl"]
    assert components["cffi"]["purl"] in depends[cryptography]


def test_the_same_lock_gives_the_same_file(tmp_path, capsys):
    assert main(tmp_path / "a") == main(tmp_path / "b") == 0
    for name in PRODUCTS:
        file = f"dockledger-{name}.cdx.json"
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert "dockledger-central.cdx.json" in capsys.readouterr().out
