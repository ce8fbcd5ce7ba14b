"""The station page's HTTP interface, over a real port."""

import json
import socket

import httpx
import pytest

from gateway.errors import ConfigInvalid
from gateway.health import DeviceHealth, InstallationTrouble, LinkHealth
from gateway.screen.app import CLIENTS_MAX, local_name
from tests.gateway.screen.served import served
from tests.house.exposition import parse
from tests.waiting import wait_for

TEA = "6901234567892"


@pytest.fixture
def page(tmp_path):
    with served(tmp_path) as (bench, server), httpx.Client(base_url=server.url) as client:
        yield bench, client


def test_the_page_and_its_assets_come_from_here_alone(page):
    _, client = page
    answer = client.get("/")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "http" not in answer.text.replace("http-equiv", "")
    for name in ("station.css", "station.js", "icon.svg", "sheet.css"):
        assert client.get(f"/static/{name}").status_code == 200


def test_the_state_is_in_the_language_asked_for(page):
    bench, client = page
    bench.scan("CMD-RECEIVE", TEA)
    bench.weigh("12.50")
    english = client.get("/api/v1/state").json()
    chinese = client.get("/api/v1/state?lang=zh").json()
    assert english["signal"]["text"] == "Received 1 pcs Green tea 250 g (TEA-250)"
    assert chinese["signal"]["text"] == "已收 1 件 Lv cha (TEA-250)"
    weight = {"device": "dock-1-scale", "value": "12.50", "unit": "kg", "stable": True}
    assert english["weight"] == weight | {"problem": ""}
    assert client.get("/api/v1/words?lang=zh").json()["confirm"] == "确认"


def test_unsent_facts_devices_and_problems_are_part_of_the_state(page):
    bench, client = page
    bench.scan("CMD-RECEIVE", TEA)
    bench.health.set_device(
        DeviceHealth("dock-1-printer", "label_printer", "fault", "paper_out", "paper out")
    )
    bench.health.set_link(LinkHealth(connected=True, problem="fork"))
    state = wait_for(
        lambda: (s := client.get("/api/v1/state").json())["unsent_count"] == 1 and s,
        what="the unsent count",
    )
    assert state["devices"][0]["hint"] == "Load labels into dock-1-printer."
    assert state["connected"]
    assert "call support" in state["problem"]


def test_a_printer_without_paper_and_a_lost_scanner_are_told_in_chinese(page):
    bench, client = page
    bench.health.set_device(
        DeviceHealth("dock-1-printer", "label_printer", "fault", "paper_out", "paper out")
    )
    bench.health.set_device(
        DeviceHealth("dock-1-scanner", "scanner", "offline", "lost", "/dev/ttyACM0: no such file")
    )
    bench.health.set_link(LinkHealth(detail="no route", connection="unreachable"))
    answer = client.get("/api/v1/state?lang=zh")
    printer, scanner = answer.json()["devices"]
    assert printer["hint"] == "请给 dock-1-printer 装上标签纸。"
    assert scanner["hint"] == "dock-1-scanner 未连接：请接好设备并检查电缆。"
    assert answer.json()["problem"] == "连不上中心：请检查网线。可继续工作。"
    assert answer.json()["work_goes_on"] is True
    for english in ("paper out", "no such file", "no route"):
        assert english not in answer.text


def test_what_only_a_newer_ledger_says_is_told_with_its_code(page):
    bench, client = page
    bench.health.set_link(LinkHealth(connected=True, problem="moon_phase"))
    assert "(moon_phase)" in client.get("/api/v1/state").json()["problem"]
    assert client.get("/api/v1/state").json()["work_goes_on"] is False
    assert "中心不接收记录 （moon_phase）" in client.get("/api/v1/state?lang=zh").json()["problem"]


def test_a_problem_of_the_ledger_is_told_before_a_lost_connection(page):
    bench, client = page
    bench.health.set_link(LinkHealth(problem="fork", connection="unreachable"))
    assert "call support" in client.get("/api/v1/state").json()["problem"]


def test_events_begin_with_the_full_state_and_follow_each_change(page):
    bench, client = page
    with client.stream("GET", "/events?lang=en") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        states = (
            json.loads(line.removeprefix("data: "))
            for line in answer.iter_lines()
            if line.startswith("data: ")
        )
        assert "Scan what to do" in next(states)["prompt"]
        bench.scan("CMD-RECEIVE")
        assert "Receiving" in next(states)["prompt"]


def test_no_more_pages_than_the_limit_are_served(page):
    _, client = page
    with httpx.Client(base_url=client.base_url, limits=httpx.Limits(max_connections=99)) as many:
        open_streams = [many.stream("GET", "/events") for _ in range(CLIENTS_MAX)]
        answers = [stream.__enter__() for stream in open_streams]
        try:
            bodies = [answer.iter_raw() for answer in answers]  # Kept: a dropped one hangs up.
            assert all(next(body) for body in bodies)
            assert client.get("/events").status_code == 503
            assert client.get("/health").status_code == 200
        finally:
            for stream in open_streams:
                stream.__exit__(None, None, None)
    wait_for(lambda: _streams(client) == 200, what="a free place")


def _streams(client) -> int:
    with client.stream("GET", "/events") as answer:
        return answer.status_code


def test_health_says_whether_scans_are_recorded(page):
    bench, client = page
    assert client.get("/health").json()["status"] == "ok"
    bench.health.set_journal_problem("Make space.")
    answer = client.get("/health")
    assert (answer.status_code, answer.json()["problem"]) == (503, "Make space.")


def test_health_says_which_central_is_heard(page):
    bench, client = page
    assert client.get("/health").json()["central_version"] == ""
    bench.health.set_link(LinkHealth(connected=True, central_software="0.2.0"))
    assert client.get("/health").json()["central_version"] == "0.2.0"


def test_metrics_are_prometheus_text(page):
    bench, client = page
    bench.scan("CMD-RECEIVE", TEA)
    bench.health.set_device(DeviceHealth('a"b', "scale", "ready"))
    text = client.get("/metrics").text
    assert "dockledger_gateway_facts_recorded_total 1\n" in text
    assert 'dockledger_gateway_device_ready{device="a\\"b",device_class="scale"} 1\n' in text
    for name, family in parse(text).items():
        assert family.help, name
        assert (family.kind == "counter") == name.endswith("_total"), name


def test_metrics_of_a_device_tell_its_state_its_age_and_its_counts(page):
    bench, client = page
    bench.health.set_device(
        DeviceHealth("gate", "rfid_reader", "degraded", "reader_error", locked=False)
    )
    bench.health.set_device(DeviceHealth("old", "scale", "configured", "locked", locked=True))
    bench.clock.elapsed_ns += 2_500_000_000
    bench.health.note_reading("gate", bench.clock.monotonic_ns() - 1_500_000_000, 12)
    for name, kind in (
        ("faults", "reader_error"),
        ("reopens", ""),
        ("commands", "refused"),
        ("print_jobs", "unknown"),
    ):
        bench.health.count_device("gate", name, kind)
    lines = client.get("/metrics").text.splitlines()
    prefix = "dockledger_gateway_device_"
    for expected in (
        'ready{device="gate",device_class="rfid_reader"} 1',
        'ready{device="old",device_class="scale"} 0',
        'locked{device="old"} 1',
        'state{device="gate",state="degraded"} 1',
        'state{device="gate",state="ready"} 0',
        'last_reading_age_seconds{device="gate"} 1.500',
        'readings_total{device="gate"} 12',
        'faults_total{device="gate",code="reader_error"} 1',
        'reopens_total{device="gate"} 1',
        'commands_total{device="gate",outcome="refused"} 1',
        'print_jobs_total{device="gate",outcome="unknown"} 1',
    ):
        assert prefix + expected in lines
    typed = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(typed) == len(set(typed))
    assert {line.partition("{")[0].split()[0] for line in lines if line[0] != "#"} <= set(typed)


def test_repairs_are_part_of_the_state_and_gone_when_mended(page):
    bench, client = page
    bench.health.set_device(
        DeviceHealth("dock-1-scale", "scale", "configured", "locked", since_ms=5, locked=True)
    )
    bench.health.set_trouble(InstallationTrouble("template_broken", "bin", since_ms=9))
    state = client.get("/api/v1/state?lang=zh").json()
    assert [(one["id"], one["severity"], one["since_ms"]) for one in state["repairs"]] == [
        ("bin/template_broken", "warning", 9),
        ("dock-1-scale/locked", "info", 5),
    ]
    assert state["repairs"][1]["text"] == "dock-1-scale 已锁定：须由管理员解锁。"
    assert state["devices"][0]["word"] == "已锁定"
    bench.health.clear_trouble("template_broken", "bin")
    bench.health.set_device(DeviceHealth("dock-1-scale", "scale", "degraded", "zero_error"))
    (repair,) = client.get("/api/v1/state").json()["repairs"]
    assert repair["text"] == "dock-1-scale has lost its zero: clear it and zero it at the scale."


def test_a_touch_is_an_observation_like_any_scan(page):
    bench, client = page
    assert client.post("/api/v1/scan", json={"code": "CMD-RECEIVE"}).status_code == 202
    assert "Receiving" in bench.step().prompt


BAD_TOUCHES = [
    ("not json", {"content": b"{", "headers": {"content-type": "application/json"}}, 400),
    ("other keys", {"json": {"code": "x", "more": 1}}, 400),
    ("empty", {"json": {"code": ""}}, 400),
    ("a form", {"data": {"code": "x"}}, 415),
    ("too large", {"json": {"code": "x" * 2000}}, 413),
    ("other origin", {"json": {"code": "x"}, "headers": {"origin": "http://evil.example"}}, 403),
    ("rebound name", {"json": {"code": "x"}, "headers": {"host": "evil.example"}}, 421),
    ("bad host", {"json": {"code": "x"}, "headers": {"host": "["}}, 421),
]


@pytest.mark.parametrize(
    ("request_parts", "status"), [r[1:] for r in BAD_TOUCHES], ids=[r[0] for r in BAD_TOUCHES]
)
def test_a_bad_touch_is_refused(page, request_parts, status):
    bench, client = page
    assert client.post("/api/v1/scan", **request_parts).status_code == status
    assert bench.observations.empty()


def test_a_busy_station_says_so(page):
    bench, client = page
    for _ in range(bench.observations.maxsize):
        bench.queue_scan(TEA)
    assert client.post("/api/v1/scan", json={"code": "CMD-DONE"}).status_code == 503


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1:8081", True),
        ("[::1]:8081", True),
        ("localhost", True),
        ("dock-1:8081", True),
        ("dock-1.local:8081", True),
        ("evil.example", False),
        ("", False),
    ],
)
def test_only_names_that_nobody_else_decides_are_answered(host, allowed):
    assert local_name(host) == allowed


def test_a_taken_port_is_a_mistake_in_the_configuration(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        page = served(tmp_path, port=taken.getsockname()[1])
        with pytest.raises(ConfigInvalid) as raised:
            page.__enter__()
    assert "free port" in raised.value.hint
