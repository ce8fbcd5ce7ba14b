"""Reference data and serial references that outlive a restart. Edge of SQLite."""

import msgspec

from central.contract.notices import ReferenceChanged
from central.contract.reference import ExpectedDocument, Item, Location, Reference, Warehouse
from gateway.journal.reference_patch import patch_reference
from tests.gateway.journal.samples import opened


def reference(revision, name="Rice"):
    return Reference(
        revision=revision,
        warehouses=(
            Warehouse(
                code="sh1",
                name="Shanghai",
                name_zh="上海",
                locations=(Location(code="dock-1", kind="dock_door"),),
            ),
        ),
        items=(Item(code="rice", name=name, name_zh="大米", unit="KGM", kind="bulk"),),
    )


def test_a_document_of_another_warehouse_with_the_code_of_ours_stays():
    def expected(code, warehouse):
        return ExpectedDocument(code=code, warehouse=warehouse, partner="", lines=())

    ours, theirs, other = expected("TR-1", "sh1"), expected("TR-1", "bj1"), expected("PO-1", "sh1")
    kept = msgspec.structs.replace(reference(1), documents=(theirs, ours))
    for change, documents in (
        (ReferenceChanged(revision=2, documents=(other,)), (theirs, ours, other)),
        (ReferenceChanged(revision=3, gone_documents=("TR-1",)), (theirs, other)),
    ):
        kept = patch_reference(kept, [change], warehouse="sh1")
        assert kept.documents == documents


def test_only_a_higher_revision_replaces_the_reference_data(tmp_path):
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        assert journal.reference() is None
        assert journal.store_reference(reference(2))
        assert not journal.store_reference(reference(2, "Other"))
        assert not journal.store_reference(reference(1))
    with opened(path, nonce=8) as journal:
        assert journal.reference() == reference(2)
        assert journal.store_reference(reference(3, "Other"))
        assert journal.reference().items[0].name == "Other"


def test_a_serial_reference_is_never_given_out_twice(tmp_path):
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        assert [journal.next_sscc_reference() for _ in range(2)] == [1, 2]
    with opened(path, nonce=8) as journal:
        assert journal.next_sscc_reference() == 3
