"""A root whose data lie apart already takes no others, and none that are away. Edge of files."""

from pathlib import Path

import pytest

from provisioning.read_only_root import switching
from provisioning.read_only_root.errors import RootRefused
from provisioning.read_only_root.table import Plan, table_with

PLAIN = "UUID=1 / ext4 defaults 0 1\n"


@pytest.mark.parametrize(
    ("given", "mounted", "said"),
    [("/dev/sdb1", True, "lie apart already"), ("", False, "not mounted")],
)
def test_a_root_keeps_the_data_that_it_has_or_stays_as_it_is(
    tmp_path, monkeypatch, given, mounted, said
):
    table = tmp_path / "fstab"
    table.write_text(table_with(PLAIN, Plan("2-3", ("/etc/credstore",), read_only=False)))
    before = table.read_bytes()
    monkeypatch.setattr(switching, "TABLE", table)
    monkeypatch.setattr(switching, "_refuse_what_would_not_boot", lambda: None)
    monkeypatch.setattr(switching, "_prepare_the_root", lambda: pytest.fail("it was begun"))
    monkeypatch.setattr(Path, "is_mount", lambda _self: mounted)
    with pytest.raises(RootRefused, match=said):
        switching.make_read_only(given, lambda _text: None)
    assert table.read_bytes() == before
