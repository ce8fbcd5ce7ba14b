"""The proof of purchasing finds each thing that can be off."""

import pytest
from sqlalchemy import delete, update

from central.orders.purchasing.purchase_proof import faults
from central.storage import bulk, purchasing_tables, tables
from tests.central.orders.purchasing import Purchasing


@pytest.fixture
def site(database):
    made = Purchasing(database)
    code = made.order({"item": "RICE", "quantity": "100"})
    made.receive("60", item="RICE", document=code, line=1, lot="L1")
    made.code = code
    return made


def found(site):
    with site.database.read() as connection:
        return [(fault.check, fault.subject) for fault in faults(connection)]


def write(site, statement):
    with site.database.write() as connection:
        connection.execute(statement)


def test_nothing_is_off_of_an_order_that_is_half_received_and_not_inspected_yet(site):
    assert found(site) == []


def test_stations_work_on_something_else_than_is_released(site):
    lines = tables.document_lines
    write(site, update(lines).where(lines.c.document == site.code).values(expected_micro=1))
    assert found(site) == [("document", f"SH1/{site.code}")]


def test_stations_work_on_an_order_that_has_ended(site):
    write(site, update(purchasing_tables.purchase_orders).values(state="closed"))
    assert found(site) == [("document", f"SH1/{site.code}")]


def test_stations_tolerate_another_part_of_a_notice_than_its_order_does(site):
    order = site.order({"item": "BOLT", "quantity": "100", "over_tolerance_percent": "10"})
    body = {"order": order, "lines": [{"line": 1, "item": "BOLT", "quantity": "60"}]}
    codes = [site.post("/shipping-notices", body, status=201)["code"] for _ in range(2)]
    site.post(f"/shipping-notices/{codes[0]}/expect")
    lines = tables.document_lines
    of_notice = update(lines).where(lines.c.document == codes[0])
    write(site, of_notice.values(tolerance_percent_micro=20_000_000))
    assert found(site) == [("document", f"SH1/{order}/1")]
    write(site, of_notice.values(tolerance_percent_micro=10_000_000))
    assert found(site) == []
    write(site, of_notice.values(tolerance_percent_micro=0))  # As earlier programs told it.
    assert found(site) == []
    write(site, of_notice.values(expected_micro=1))
    assert found(site) == [("document", f"SH1/{codes[0]}")]


def test_arrivals_are_not_what_was_counted(site):
    write(site, update(purchasing_tables.document_arrivals).values(quantity_micro=7))
    assert found(site) == [("arrivals", f"SH1/{site.code}/1/RICE/KGM")]


def test_what_came_from_elsewhere_under_an_order_is_no_arrival_and_no_fault(site):
    site.gateway.move("BOLT", "5", source="customer", document=site.code)
    site.receive("3", item="BOLT", document=site.code)
    seq = site.receive("2", item="BOLT", document=site.code)
    site.gateway.reverse(seq)
    site.send()
    assert found(site) == []
    arrivals = purchasing_tables.document_arrivals
    write(site, update(arrivals).where(arrivals.c.item == "BOLT").values(quantity_micro=7_000_000))
    assert found(site) == [("arrivals", f"SH1/{site.code}/0/BOLT/C62")]


ARRIVALS = purchasing_tables.document_arrivals


def test_arrivals_that_are_not_there_are_missed(site):
    write(site, delete(ARRIVALS))
    assert found(site) == [("arrivals", f"SH1/{site.code}/1/RICE/KGM")]


def test_what_a_difference_tells_of_one_item_hides_nothing_of_another(site):
    site.receive("3", item="BOLT", document=site.code)
    site.gateway.move("BOLT", "5", source="customer", document=site.code)
    site.send()
    assert ("unexpected", f"{site.code}/BOLT", "open", "") in site.discrepancies()
    write(site, update(ARRIVALS).where(ARRIVALS.c.item == "RICE").values(quantity_micro=7))
    assert found(site) == [("arrivals", f"SH1/{site.code}/1/RICE/KGM")]


def test_arrivals_that_are_wrong_just_as_progress_counts_other_goods_too_are_found(site):
    site.receive("3", item="BOLT", document=site.code)
    site.gateway.move("BOLT", "5", source="customer", document=site.code)
    site.send()
    assert found(site) == []
    of_bolts = update(ARRIVALS).where(ARRIVALS.c.item == "BOLT")
    write(site, of_bolts.values(quantity_micro=8_000_000))  # What progress has.
    assert found(site) == [("arrivals", f"SH1/{site.code}/0/BOLT/C62")]


def test_what_came_under_a_code_that_nobody_knows_is_proved_line_by_line(site):
    site.receive("3", item="BOLT", document="PO-X", line=1)
    site.receive("4", item="NUT", document="PO-X", line=2)
    assert found(site) == []
    write(site, delete(ARRIVALS).where(ARRIVALS.c.item == "NUT"))
    assert found(site) == [("arrivals", "SH1/PO-X/2/NUT/C62")]


def test_goods_wait_for_inspection_of_which_no_inspection_knows(site):
    write(site, delete(purchasing_tables.inspections))
    assert found(site) == [("inspection", "SH1/RICE/L1/KGM")]


def test_an_inspection_is_closed_before_everything_is_decided(site):
    write(site, update(purchasing_tables.inspections).values(open=False))
    assert found(site) == [("inspection", "QI-000001")]


def test_a_difference_that_is_known_explains_goods_without_an_inspection(site):
    write(site, delete(purchasing_tables.inspections))
    site.gateway.move("RICE", "5", unit="KGM", source="BIN-2", target="BIN-3", lot="L1")
    site.send()
    assert [one[0] for one in site.discrepancies()] == ["negative_balance"]
    assert found(site) == []


def test_arrivals_of_a_ledger_that_kept_none_are_made_of_what_was_counted(own_database):
    from alembic import command
    from alembic.config import Config

    from central.storage.schema import MIGRATIONS, migrate

    with own_database.write() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        for table in reversed(tables.metadata.sorted_tables):
            table.drop(connection)
        connection.exec_driver_sql("DROP TABLE alembic_version")
        command.upgrade(config, "0008")
        progress = ("SH1", "PO-7", 1, "BOLT", "C62", 5, 0, 3_000_000, 1)
        columns = len(tables.document_progress.columns)
        row = progress + (1,) * (columns - len(progress))
        bulk.insert_rows(connection, tables.document_progress, [row])
        fact = ("SH1", "g", "e", 1, "movement", b"", b"", 1234, True, 5678, 1)
        bulk.insert_rows(connection, tables.facts, [fact])
    migrate(own_database, generation="g")
    with own_database.read() as connection:
        kept = connection.execute(purchasing_tables.document_arrivals.select()).all()
    assert [tuple(one) for one in kept] == [
        ("SH1", "PO-7", 1, "BOLT", "C62", "", "", 3_000_000, 1234, 1234, 1)
    ]
