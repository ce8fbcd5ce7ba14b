"""The station works by what central says, without a restart; nothing of it reaches further."""

import queue
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from central.contract.notices import (
    LabelField,
    Notice,
    PrintRequested,
    ReferenceChanged,
    Setting,
    SettingsChanged,
    TemplateChanged,
)
from central.contract.reference import Barcode, Item, Location
from central.contract.snapshots import Snapshot
from drivers.labels import Code128
from drivers.registry import load_driver
from gateway.config import load_config
from gateway.config_sections import DeviceSection
from gateway.devices.check import ConfiguredDevice
from gateway.following import Following
from gateway.health import Health
from gateway.journal.journal import Journal
from gateway.station.catalogue import Catalogue
from gateway.station_loop import StationLoop
from tests.gateway.journal.samples import GATEWAY, WAREHOUSE, StillClock, open_journal

CONFIG = """
[gateway]
code = "sh1-dock-2"
warehouse = "sh1"
data_directory = "data"
[station]
code = "dock-2"
receive_location = "dock-1"
[mqtt]
host = "127.0.0.1"
"""
TEMPLATE = """
[label]
use = "place"
width_mm = 60
height_mm = 20
[[element]]
kind = "code128"
x_mm = 5
y_mm = 2
height_mm = 10
module_mm = [0.25]
data = "{place}"
"""


@dataclass
class Site:
    """A gateway's parts that follow, and a journal to be told by."""

    folder: Path
    journal: Journal
    following: Following
    station: StationLoop
    health: Health

    def say(self, *notices: Notice) -> None:
        standing = self.journal.knowledge.standing()
        applied = self.journal.knowledge.apply_notices(
            standing.stream, standing.number + 1, notices
        )
        self.following.follow(applied)

    @property
    def labels(self) -> Path:
        return self.folder / "data" / "labels"


@contextmanager
def site_at(folder: Path, *, nonce: int = 7):
    (folder / "gateway.toml").write_text(CONFIG)
    (folder / "data").mkdir(exist_ok=True)
    config = load_config(folder / "gateway.toml")
    clock, health = StillClock(), Health()
    journal = open_journal(folder / "data" / "journal.db", clock=clock, nonce=nonce)
    catalogue = Catalogue(journal.reference(), warehouse=WAREHOUSE)
    following = Following(
        config,
        [printer("p1"), printer("p2")],
        catalogue,
        journal=journal,
        health=health,
        clock=clock,
    )
    station = StationLoop(
        journal=journal,
        catalogue=catalogue,
        observations=queue.Queue(),
        board=StationLoop.new_board(),
        health=health,
        setup=following.setup,
        clock=clock,
    )
    following.lead(station)
    try:
        yield Site(folder, journal, following, station, health)
    finally:
        journal.close()


def printer(name: str) -> ConfiguredDevice:
    driver = load_driver("zpl-tcp")
    section = DeviceSection(name=name, driver="zpl-tcp", settings={"host": "127.0.0.1"})
    return ConfiguredDevice(section, driver, driver.parse_settings(section.settings))


@pytest.fixture
def site(tmp_path):
    with site_at(tmp_path) as site:
        begin = Snapshot(
            gateway=GATEWAY,
            warehouse=WAREHOUSE,
            stream="s1",
            number=0,
            generation="g1",
            revision=1,
            positions=(),
            levels=(),
        )
        site.journal.knowledge.apply_snapshot(begin)
        yield site


def place_label(**fields) -> PrintRequested:
    values = {
        "job": "J-1",
        "printer": "",
        "template": "bin",
        "fields": (LabelField("place", "A-01-03"),),
        "copies_count": 2,
    }
    return PrintRequested(**{**values, **fields})


def test_new_items_and_places_count_with_the_next_scan(site):
    tea = Item(
        code="TEA", name="Tea", name_zh="茶", unit="C62", barcodes=(Barcode(gtin="6901234567892"),)
    )
    place = Location(code="A-1", kind="bin")
    site.say(ReferenceChanged(revision=2, items=(tea,), locations=(place,)))
    for catalogue in (site.following.catalogue, site.station._catalogue):
        assert catalogue.revision == 2
        assert catalogue.pack("06901234567892").item == tea
        assert catalogue.location("A-1") == place


def test_settings_of_the_list_count_and_others_do_not(site):
    before = msgspec.to_builtins(site.following.config)
    site.say(
        SettingsChanged(
            settings=(
                Setting("language", "zh"),
                Setting("receive_location", "dock-7"),
                Setting("place_template", "mine"),
                Setting("data_directory", "/tmp"),
                Setting("journal", "/dev/null"),
                Setting("mqtt.host", "evil.example.com"),
                Setting("device", "x"),
                Setting("pallet_template", "../../etc/passwd"),
            )
        )
    )
    setup = site.station._setup
    assert (setup.language, setup.receive_location) == ("zh", "dock-7")
    assert (setup.place_template, setup.pallet_template) == ("mine", "pallet")
    assert site.following.config.gateway.language == "zh"
    refused = {one.subject for one in site.health.troubles()}
    assert refused == {"data_directory", "journal", "mqtt.host", "device", "pallet_template"}
    after = msgspec.to_builtins(site.following.config)
    before["gateway"]["language"] = "zh"
    before["station"] |= {"receive_location": "dock-7", "place_template": "mine"}
    assert after == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("language", "de"),
        ("language", ""),
        ("receive_location", "a/b"),
        ("receive_location", "customer"),
        ("receive_location", ""),
        ("place_template", "a.b"),
        ("place_template", "x" * 65),
    ],
)
def test_a_setting_that_cannot_be_used_changes_nothing_and_is_told(site, name, value):
    before = site.station._setup
    site.say(SettingsChanged(settings=(Setting(name, value),)))
    assert site.station._setup == before
    (trouble,) = site.health.troubles()
    assert (trouble.problem, trouble.subject) == ("setting_refused", name)
    assert trouble.detail
    site.say(SettingsChanged(settings=()))
    assert site.health.troubles() == ()


def test_a_setting_that_central_takes_away_is_the_files_again(site):
    site.say(SettingsChanged(settings=(Setting("language", "zh"),)))
    site.say(SettingsChanged(settings=()))
    assert site.station._setup.language == "en"


def test_a_template_of_central_is_used_at_once_and_the_users_own_stays(site):
    site.labels.mkdir()
    own = TEMPLATE.replace("60", "80")
    (site.labels / "bin.toml").write_text(own)
    site.say(TemplateChanged(name="bin", text=TEMPLATE), TemplateChanged(name="new", text=TEMPLATE))
    templates = site.station._setup.templates
    assert templates.find("bin").label.width_mm == 60
    assert templates.find("new") is not None
    assert (site.labels / "bin.toml").read_text() == own
    site.say(TemplateChanged(name="bin", text=""), TemplateChanged(name="new", text=""))
    templates = site.station._setup.templates
    assert templates.find("bin").label.width_mm == 80
    assert templates.find("new") is None


def test_a_broken_template_of_central_is_told_and_not_used(site):
    site.say(TemplateChanged(name="bin", text="no template"))
    assert site.station._setup.templates.find("bin").label.width_mm == 100
    (trouble,) = site.health.troubles()
    assert (trouble.problem, trouble.subject) == ("template_broken", "central/bin.toml")


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", ".hidden", "a.b"])
def test_a_template_writes_nowhere_but_into_its_folder(site, name):
    site.say(TemplateChanged(name=name, text=TEMPLATE))
    written = [path for path in site.folder.rglob("*") if path.suffix == ".toml"]
    assert written == [site.folder / "gateway.toml"]
    assert list(site.folder.parent.glob("*evil*")) == []


def test_what_central_said_counts_at_the_next_start(tmp_path):
    with site_at(tmp_path) as site:
        begin = Snapshot(
            gateway=GATEWAY,
            warehouse=WAREHOUSE,
            stream="s1",
            number=0,
            generation="g1",
            revision=1,
            positions=(),
            levels=(),
            templates=(TemplateChanged(name="new", text=TEMPLATE),),
            settings=(Setting("language", "zh"),),
        )
        site.following.follow(site.journal.knowledge.apply_snapshot(begin))
    (tmp_path / "data" / "labels" / "central" / "new.toml").unlink()
    with site_at(tmp_path, nonce=8) as site:
        assert site.following.config.gateway.language == "zh"
        assert site.station._setup.templates.find("new") is not None


def test_a_label_for_central_is_made_of_template_and_fields(site):
    job, refused = site.following.label_for(place_label())
    assert refused == ""
    assert (job.printer, job.template, job.copies_count) == ("p1", "bin", 2)
    assert (job.content, job.station) == ("J-1: A-01-03", "dock-2")
    (bar_code,) = [one for one in job.label.elements if isinstance(one, Code128)]
    assert bar_code.data == "LOC-A-01-03"


def test_a_label_goes_to_the_printer_that_central_names(site):
    assert site.following.label_for(place_label(printer="p2"))[0].printer == "p2"


@pytest.mark.parametrize(
    ("fields", "devices", "reason"),
    [
        ({"printer": "x"}, ["p1"], "No label printer here is called x."),
        ({"template": "x"}, ["p1"], "There is no label template x."),
        ({}, [], "This station has no label printer."),
        (
            {"fields": (LabelField("place", "A" * 200),)},
            ["p1"],
            "A bar code is too long for the template.",
        ),
    ],
    ids=["printer", "template", "no printer", "too long"],
)
def test_a_label_that_cannot_be_printed_says_why(site, fields, devices, reason):
    site.following.set_devices([printer(name) for name in devices])
    request = place_label(**fields)
    job, refused = site.following.label_for(request)
    assert refused == reason
    assert job.label.width_mm == Decimal(1)
    site.say(request)
    site.journal.end_requested(request, job, refused=refused)
    ((_, fact),) = site.journal.recent(1)
    assert (fact.outcome, fact.detail) == ("failed", reason)
