"""Several stations at one gateway: each has its devices, session, page and facts. Edge."""

import json
import socket
import subprocess
import sys
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import httpx
import pytest

from central.contract.facts import Movement, Reversal
from central.contract.notices import Setting
from gateway.config import load_config
from gateway.errors import ConfigInvalid
from gateway.remote_settings import with_settings
from tests.gateway.journal.samples import StillClock
from tests.waiting import wait_for

CONFIGURATION = """
[gateway]
code = "sh1-gate"
warehouse = "sh1"
data_directory = "data"
[[stations]]
code = "dock-1"
receive_location = "DOCK-1"
devices = ["hand-scanner"]
[[stations]]
code = "dock-2"
receive_location = "DOCK-2"
[mqtt]
host = "127.0.0.1"
port = 1
[screen]
port = 0
[discovery]
enabled = false
[[device]]
name = "hand-scanner"
driver = "scanner-tcp"
settings = { host = "127.0.0.1", port = PORT_1 }
[[device]]
name = "dock-2-scanner"
driver = "scanner-tcp"
settings = { host = "127.0.0.1", port = PORT_2 }
"""
TEA = "6901234567892"


class Scanner:
    """A scanner with a socket, to which the gateway connects."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.settimeout(60)
        self.line = None

    @property
    def port(self):
        return str(self.server.getsockname()[1])

    def scan(self, *codes):
        if self.line is None:
            self.line, _ = self.server.accept()
        self.line.sendall(b"".join(code.encode() + b"\r" for code in codes))

    def close(self):
        self.server.close()
        if self.line is not None:
            self.line.close()


@contextmanager
def gateway_at(folder, configuration):
    """Run a whole gateway; give what asks its pages."""
    (folder / "gateway.toml").write_text(configuration)
    log_file = folder / "gateway.log"
    with log_file.open("wb") as log:
        program = subprocess.Popen(
            [sys.executable, "-m", "gateway.service", str(folder / "gateway.toml"), "info"],
            stderr=log,
        )

    def url():
        lines = log_file.read_text().splitlines()
        said = [json.loads(line) for line in lines if line.startswith("{")]
        return [one["screen"] for one in said if one["event"] == "gateway running"]

    try:
        base = wait_for(url, what="gateway running")[0]
        with httpx.Client(base_url=base) as client:
            yield client
    finally:
        program.terminate()
        assert program.wait(60) == 0


def facts_in(folder):
    from gateway.journal.journal import Journal

    journal = Journal.open(
        folder / "data" / "journal.db",
        gateway="sh1-gate",
        warehouse="sh1",
        clock=StillClock(),
        nonce=1,
    )
    with closing(journal):
        return [fact for _, fact in reversed(journal.recent(100))]


def test_each_station_has_its_own_session_page_devices_and_facts(tmp_path):
    with ExitStack() as open_parts:
        one, two = (open_parts.enter_context(closing(Scanner())) for _ in range(2))
        text = CONFIGURATION.replace("PORT_1", one.port).replace("PORT_2", two.port)
        with gateway_at(tmp_path, text) as client:

            def state(station):
                return client.get(f"/api/v1/state?station={station}").json()

            one.scan("CMD-RECEIVE", TEA)
            wait_for(lambda: state("dock-1")["unsent_count"] == 1, what="the scan at dock-1")
            assert state("dock-2")["scans"] == []
            two.scan("CMD-RECEIVE", TEA, TEA)
            wait_for(lambda: state("dock-1")["unsent_count"] == 3, what="the scans at dock-2")
            one.scan("CMD-UNDO")
            wait_for(lambda: state("dock-1")["unsent_count"] == 4, what="undone at dock-1")
            assert [len(state(code)["scans"]) for code in ("dock-1", "dock-2")] == [3, 3]
            assert [d["name"] for d in state("dock-1")["devices"]] == ["hand-scanner"]
            assert [d["name"] for d in state("dock-2")["devices"]] == ["dock-2-scanner"]
            listed = client.get("/").text
            assert 'href="/s/dock-1"' in listed
            assert 'href="/s/dock-2"' in listed
            assert client.get("/s/dock-2").status_code == 200
            assert client.get("/s/dock-3").status_code == 404
            touched = {"code": "CMD-DONE", "station": "dock-2", "id": "ab" * 10}
            assert client.post("/api/v1/scan", json=touched).json() == {"done": True}
            assert state("dock-2")["scans"][0]["code"] == "CMD-DONE"
            assert client.post("/api/v1/scan", json=touched | {"station": "x"}).status_code == 404
    facts = facts_in(tmp_path)
    moved = [(one.station, one.to_location) for one in facts if isinstance(one, Movement)]
    assert sorted(moved) == [("dock-1", "DOCK-1"), ("dock-2", "DOCK-2"), ("dock-2", "DOCK-2")]
    (undone,) = [one for one in facts if isinstance(one, Reversal)]
    assert undone.station == "dock-1"


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        pytest.param("", "expected one [station], or [[stations]]", id="none"),
        pytest.param(
            '[station]\ncode = "a"\nreceive_location = "d"\n'
            '[[stations]]\ncode = "b"\nreceive_location = "d"\n',
            "expected one [station], or [[stations]]",
            id="both",
        ),
        pytest.param(
            '[[stations]]\ncode = "a"\nreceive_location = "d"\n'
            '[[stations]]\ncode = "a"\nreceive_location = "d"\n',
            "line 11, stations[1].code: a second station is called 'a'",
            id="same code",
        ),
        pytest.param(
            '[[stations]]\ncode = "a"\nreceive_location = "d"\ndevices = ["x"]\n'
            '[[stations]]\ncode = "b"\nreceive_location = "d"\ndevices = ["x"]\n',
            "line 14, stations[1].devices: 'x' serves another station already",
            id="same device",
        ),
        pytest.param(
            '[[stations]]\ncode = "a"\nreceive_location = "in_transit"\n',
            "stations[0].receive_location: nothing is kept at in_transit",
            id="virtual place",
        ),
    ],
)
def test_a_mistake_in_the_stations_is_answered_with_its_line(tmp_path, sections, words):
    path = tmp_path / "gateway.toml"
    path.write_text(
        '[gateway]\ncode = "g"\nwarehouse = "w"\ndata_directory = "d"\n[mqtt]\nhost = "h"\n'
        + sections
    )
    with pytest.raises(ConfigInvalid) as refused:
        load_config(path)
    assert words in str(refused.value)


def test_a_device_serves_the_station_that_names_it_else_the_one_whose_code_it_bears(tmp_path):
    path = Path(tmp_path / "gateway.toml")
    path.write_text(CONFIGURATION.replace("PORT_1", "1").replace("PORT_2", "2"))
    config = load_config(path)
    served = {
        name: config.station_of_device(name)
        for name in ("hand-scanner", "dock-2-scale", "dock-1-printer", "rfid", "screen")
    }
    assert served == {
        "hand-scanner": "dock-1",
        "dock-2-scale": "dock-2",
        "dock-1-printer": "dock-1",
        "rfid": "dock-1",
        "screen": "dock-1",
    }


def test_settings_of_central_count_for_every_station_but_for_the_one_that_has_its_own(tmp_path):
    path = Path(tmp_path / "gateway.toml")
    path.write_text(CONFIGURATION.replace("PORT_1", "1").replace("PORT_2", "2"))
    settings = (
        Setting("receive_location@dock-2", "STAGE-2"),
        Setting("receive_location@dock-9", "STAGE-9"),
        Setting("language@dock-1", "zh"),
        Setting("receive_location", "STAGE-1"),
        Setting("pallet_template", "mine"),
    )
    config, refused = with_settings(load_config(path), settings)
    places = [(one.code, one.receive_location, one.pallet_template) for one in config.work_places]
    assert places == [("dock-1", "STAGE-1", "mine"), ("dock-2", "STAGE-2", "mine")]
    assert config.gateway.language == "en"
    assert [one.name for one in refused] == ["receive_location@dock-9", "language@dock-1"]
