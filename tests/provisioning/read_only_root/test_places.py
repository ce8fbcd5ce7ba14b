"""Backups and copies that would lie on a root that is only read are named before. Edge of files."""

from pathlib import Path

import pytest

from provisioning.read_only_root.errors import RootRefused
from provisioning.read_only_root.places import refuse_places_on_the_root

ON_THE_ROOT = Path("/usr")


def settings_of(folder, text):
    path = folder / "gateway.toml"
    path.write_text(text, encoding="utf-8")
    return path


def told(settings, kept=()):
    """Return what a person is told."""
    said = []
    refuse_places_on_the_root(kept, said.append, settings=settings)
    return said


LINES = {
    "backup.places": f'[backup]\nplaces = ["{ON_THE_ROOT}"]\n',
    "journal.copy_directory": f'[journal]\ncopy_directory = "{ON_THE_ROOT}"\n',
}
elsewhere = pytest.mark.skipif(
    ON_THE_ROOT.stat().st_dev != Path("/").stat().st_dev, reason="/usr is a file system of its own"
)


@elsewhere
@pytest.mark.parametrize(("key", "text"), LINES.items(), ids=LINES)
def test_a_place_on_the_root_is_refused_by_its_name(tmp_path, key, text):
    with pytest.raises(RootRefused, match=f"{ON_THE_ROOT} .{key}") as refused:
        told(settings_of(tmp_path, text))
    assert "Mount" in refused.value.hint


@elsewhere
def test_a_place_that_the_data_hold_is_none_on_the_root(tmp_path):
    settings = settings_of(tmp_path, LINES["backup.places"])
    assert told(settings, kept=(str(ON_THE_ROOT),)) == []


def test_a_place_on_a_medium_of_its_own_is_taken(tmp_path):
    assert told(settings_of(tmp_path, '[backup]\nplaces = ["/proc"]\n')) == []


def test_a_place_whose_medium_may_be_away_is_told(tmp_path):
    said = told(settings_of(tmp_path, '[backup]\nplaces = ["/no-such-medium/dockledger"]\n'))
    assert len(said) == 1 and said[0].startswith("/no-such-medium/dockledger (backup.places)")


@pytest.mark.parametrize("text", ["", "[backup]\nplaces = 3\n", 'journal = "x"\n'])
def test_without_places_nothing_is_told(tmp_path, text):
    assert told(settings_of(tmp_path, text)) == []
    assert told(tmp_path / "none.toml") == []


def test_settings_that_cannot_be_read_are_refused(tmp_path):
    with pytest.raises(RootRefused, match="cannot be read"):
        told(settings_of(tmp_path, "[backup\n"))
