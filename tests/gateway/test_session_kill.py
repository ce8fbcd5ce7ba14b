"""kill -9 in the middle of the work: the next process goes on at the step where it was."""

from decimal import Decimal

import pytest

from central.contract.facts import Count, Movement, Weighing, decode_fact
from drivers.simulators.lines import VirtualTcpPort
from drivers.simulators.scale_mt_sics import VirtualMtSicsScale
from tests.gateway.test_downlink_whole import Gateway
from tests.waiting import wait_for

TEA, CASE, SALT = "6901234567892", "16901234567899", "96385074"
REFERENCE = """
revision = 1
[[warehouses]]
code = "sh1"
name = "Shanghai"
name_zh = "Shanghai"
locations = [{ code = "DOCK-1", kind = "dock_door" }, { code = "A-01", kind = "bin" }]
[[items]]
code = "TEA-250"
name = "Tea"
name_zh = "Cha"
unit = "C62"
barcodes = [{ gtin = "6901234567892" }, { gtin = "16901234567899", quantity = "12" }]
[[items]]
code = "SALT"
name = "Salt"
name_zh = "Yan"
unit = "KGM"
kind = "bulk"
barcodes = [{ gtin = "96385074" }]
[[operators]]
code = "ann"
name = "Ann Li"
"""


@pytest.fixture
def scale():
    with VirtualTcpPort() as line, VirtualMtSicsScale(line) as scale:
        scale.port = line.port
        yield scale


@pytest.fixture
def gateway(tmp_path, scale):
    (tmp_path / "reference.toml").write_text(REFERENCE)
    program = Gateway(tmp_path, "dock-1", port=9, url="http://127.0.0.1:9")
    text = program.config.read_text().replace('[central]\nurl = "http://127.0.0.1:9"\n', "")
    text = text.replace("[station]", 'reference_file = "reference.toml"\n[station]')
    text += (
        f'[[device]]\nname = "dock-1-scale"\ndriver = "mt-sics-tcp"\n'
        f'settings = {{ host = "127.0.0.1", port = {scale.port} }}\n'
    )
    program.config.write_text(text)
    program.start()
    try:
        yield program
    finally:
        program.kill()


def prompt(gateway):
    return gateway.state()["prompt"]


def scan(gateway, code, *, until):
    gateway.scan(code)
    return wait_for(lambda: until in prompt(gateway), what=f"{code}: {until}")


def killed_and_started(gateway):
    before = prompt(gateway)
    gateway.kill()
    gateway.start()
    wait_for(lambda: prompt(gateway) == before, what="the step before")


def facts(gateway):
    return [decode_fact(data) for (data,) in gateway.rows("SELECT data FROM facts ORDER BY number")]


def test_a_count_goes_on_with_its_tally_document_free_and_operator(gateway):
    gateway.scan("OPR-ann", "CMD-COUNT", "LOC-A-01")
    scan(gateway, TEA, until="Counted 1 pcs")
    killed_and_started(gateway)
    scan(gateway, CASE, until="Counted 13 pcs")
    killed_and_started(gateway)
    assert facts(gateway) == []
    gateway.scan("CMD-CONFIRM")
    (fact,) = wait_for(lambda: facts(gateway), what="the count")
    assert isinstance(fact, Count)
    assert (fact.item, fact.quantity, fact.operator) == ("TEA-250", "13", "ann")


def test_a_weighing_goes_on_with_its_tare_and_records_its_load_once(gateway, scale):
    gateway.scan("CMD-WEIGH")
    scan(gateway, SALT, until="empty container on")
    stand(gateway, scale, "2.5")
    scan(gateway, "CMD-TARE", until="tare 2.5 kg")
    killed_and_started(gateway)
    stand(gateway, scale, "12.5")
    scan(gateway, "CMD-CONFIRM", until="take the load off")
    proof, moved = facts(gateway)
    assert isinstance(proof, Weighing)
    assert isinstance(moved, Movement)
    assert (proof.gross, proof.tare, proof.net) == ("12.500", "2.500", "10.000")
    assert (moved.quantity, moved.weighing_seq) == ("10", 1)
    killed_and_started(gateway)  # The load stands there still.
    stand(gateway, scale, "12.5")
    gateway.scan("CMD-CONFIRM")
    wait_for(lambda: gateway.state()["signal"]["kind"] == "error", what="refused")
    assert len(facts(gateway)) == 2


def stand(gateway, scale, kilograms):
    scale.put(Decimal(kilograms))

    def stands():
        weight = gateway.state()["weight"]
        return weight and weight["stable"] and Decimal(weight["value"]) == Decimal(kilograms)

    wait_for(stands, what=f"{kilograms} kg on the screen")
