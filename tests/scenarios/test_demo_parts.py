"""Pieces of the demo that stand alone: relay, child, script, traffic, texts. Edge."""

import ast
import gettext
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from central.contract.reference import parse_reference
from provisioning.demo.actions import Cut, Mend, ReadLabel, Scan
from provisioning.demo.children import Child, ChildFailed, free_port
from provisioning.demo.goods import Goods
from provisioning.demo.installation import REFERENCE_FILE
from provisioning.demo.morning import morning
from provisioning.demo.relay import Relay
from provisioning.demo.terminal import LOCALE_FOLDER
from provisioning.demo.traffic import traffic_round
from tests.waiting import wait_for

REFERENCE = parse_reference(REFERENCE_FILE.read_bytes())
DEMO_FOLDER = REFERENCE_FILE.parent


@pytest.fixture
def echo():
    """A TCP server that sends back what it gets."""
    server = socket.create_server(("127.0.0.1", 0))
    clients = []

    def serve():
        while True:
            try:
                client = server.accept()[0]
            except OSError:
                return
            clients.append(client)
            threading.Thread(target=answer, args=(client,), daemon=True).start()

    def answer(client):
        try:
            while data := client.recv(1024):
                client.sendall(data)
        except OSError:
            return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    for client in clients:
        client.close()
    thread.join(60)


def test_a_relay_passes_bytes_until_it_is_cut_and_again_when_it_is_mended(echo):
    with Relay(host="127.0.0.1", port=echo) as relay:
        with socket.create_connection(("127.0.0.1", relay.port), timeout=60) as client:
            client.sendall(b"one")
            assert client.recv(10) == b"one"
            relay.cut()
            assert relay.is_cut
            assert client.recv(10) == b""
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", relay.port), timeout=60)
        relay.mend()
        with socket.create_connection(("127.0.0.1", relay.port), timeout=60) as client:
            client.sendall(b"two")
            assert client.recv(10) == b"two"


def test_a_child_that_ended_by_itself_is_told_with_its_last_words(tmp_path):
    child = Child("witness", [sys.executable, "-c", "print('last words')"], log=tmp_path / "log")
    child.start()
    wait_for(lambda: not child.is_running, what="the end of the child")
    with pytest.raises(ChildFailed, match="last words"):
        child.check()
    child.stop()


def test_a_child_dies_with_a_parent_that_is_killed(tmp_path):
    program = (
        "import sys, time; from pathlib import Path; from provisioning.demo.children import Child\n"
        "child = Child('c', [sys.executable, '-c', 'import time; time.sleep(60)'],"
        f" log=Path({str(tmp_path / 'log')!r}))\n"
        "child.start(); print(child.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        pid = int(parent.stdout.readline())
        # The child must have replaced its launcher, which asks for the signal, before.
        wait_for(lambda: b"sleep" in Path(f"/proc/{pid}/cmdline").read_bytes(), what="start")
        wait_for(lambda: b"prctl" not in Path(f"/proc/{pid}/cmdline").read_bytes(), what="exec")
        parent.send_signal(signal.SIGKILL)
    wait_for(lambda: has_ended(pid), what="the end of the child")


def test_a_child_that_does_not_listen_is_ended_all_the_same(tmp_path):
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf'); time.sleep(60)"
    child = Child("deaf", [sys.executable, "-u", "-c", deaf], log=tmp_path / "log")
    child.start()
    wait_for(lambda: "deaf" in child.log_tail(), what="the child to be deaf")
    assert child.stop(timeout_s=0.1) == -signal.SIGKILL


def test_a_port_that_is_taken_gives_way_to_a_free_one():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert free_port(port) not in {0, port}
    assert free_port(port) == port


def test_the_morning_scans_only_what_the_warehouses_know():
    places = {
        (warehouse.code, f"LOC-{location.code}")
        for warehouse in REFERENCE.warehouses
        for location in warehouse.locations
    }
    documents = {(one.warehouse, f"DOC-{one.code}") for one in REFERENCE.documents}
    actions = [action for step in morning(Goods(REFERENCE)) for action in step.actions]
    for action in actions:
        if isinstance(action, Scan) and action.code.startswith("LOC-"):
            assert (action.warehouse, action.code) in places
        if isinstance(action, Scan) and action.code.startswith("DOC-"):
            assert (action.warehouse, action.code) in documents
    assert sum(isinstance(action, Cut) for action in actions) == 1
    assert sum(isinstance(action, Mend) for action in actions) == 1
    assert sum(isinstance(action, ReadLabel) for action in actions) == 5


def test_the_same_seed_makes_the_same_traffic_and_everything_that_came_is_put_away():
    rounds = [traffic_round(REFERENCE, random.Random(7), "HZ1") for _ in range(2)]
    assert rounds[0] == rounds[1]
    chance = random.Random(8)
    for _ in range(50):
        codes = [action.code for action in traffic_round(REFERENCE, chance, "SH1")]
        middle = codes.index("CMD-PUTAWAY")
        assert codes[1 : middle - 1] == codes[middle + 1 : -1 : 2]
        assert all(code.startswith("LOC-") for code in codes[middle + 2 : -1 : 2])


def test_every_text_of_the_demo_is_there_in_chinese_with_the_same_values():
    chinese = gettext.translation("demo", localedir=LOCALE_FOLDER, languages=["zh"])
    marked = set()
    for path in DEMO_FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "N_":
                marked.add(ast.literal_eval(node.args[0]))
    assert len(marked) > 30
    for text in marked:
        translated = chinese.gettext(text)
        assert translated != text, text
        assert set(re.findall(r"{\w+}", translated)) == set(re.findall(r"{\w+}", text)), text
    # What is compiled is what is written, and nothing more.
    assert {key for key in chinese._catalog if key} == marked


def has_ended(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
