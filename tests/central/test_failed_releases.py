"""A release that a gateway's update agent gave up is told at central, in words. Edge of both."""

from dataclasses import replace

import pytest

from central.contract.states import GatewayState, encode_state
from central.inbox.gateways import record_states
from central.stock.alert_book import read_alerts
from central.watching.letters import write_letter
from central.web.drawing import drawing_in
from gateway.health import Health
from gateway.replication.telemetry import gateway_state
from provisioning.updating.agent import Agent
from provisioning.updating.clock import SystemClock
from tests.central.clients import ask
from tests.central.one_app import application
from tests.central.scenery import FixedClock, Gateway, furnished
from tests.gateway.journal.samples import GATEWAY, StillClock, opened
from tests.provisioning.updating.releases import make_release
from tests.provisioning.updating.site import Site as Mirrored
from tests.provisioning.updating.test_poisoned import change_a_wheel, sign_with_another_key
from tests.provisioning.updating.test_steps import HEALTHY, Machine

ALERT = (
    "Mend the release and offer it under a new number",
    "请修好该版本并以新版本号提供",
)


class Site:
    """A Pi with its update agent on a clock of the test, and the ledger that hears its gateway."""

    def __init__(self, database, folder):
        (folder / "agent").mkdir()
        self.machine, self.folder = Machine(folder / "agent"), folder
        self.database, self.clock = database, FixedClock()
        furnished(database, Gateway(GATEWAY))
        self.app = application(database=database, clock=self.clock)

    def tell(self):
        """Have the gateway say how it is, byte for byte as it goes over the broker."""
        with opened(self.folder / "journal.db") as journal:
            report = self.machine.folder / "report.json"
            state = gateway_state(journal, StillClock(), Health(), online=True, report=report)
        assert record_states(self.database, [(GATEWAY, encode_state(state))], clock=self.clock)

    def alerts(self):
        found = read_alerts(self.database, self.clock).alerts
        return [one for one in found if one.kind == "update_failed"]

    def page(self, path, language="en"):
        return ask(self.app, f"{path}?lang={language}").text


@pytest.fixture
def site(database, tmp_path):
    return Site(database, tmp_path)


def test_what_did_not_work_is_told_with_its_reason_until_a_newer_release_runs(site):
    site.machine.health = replace(HEALTHY, connected=False)
    site.machine.go_on(seconds=165)
    site.tell()
    (alert,) = site.alerts()
    assert (alert.subject, alert.lot, alert.severity) == (GATEWAY, "1.1.0", "warn")
    assert alert.since_ms == 1_800_000_000_000
    for path in ("/gateways", f"/gateways/{GATEWAY}"):
        english, chinese = site.page(path), site.page(path, "zh")
        assert "not healthy in time: it does not reach the broker" in english
        assert "未能按时恢复正常：它连不上消息代理" in chinese
        assert "1.1.0" in english and "1.1.0" in chinese
    for said, language in zip(ALERT, ("en", "zh"), strict=True):
        page = site.page("/alerts", language)
        assert said in page and "1.1.0" in page
        texts = drawing_in(language).texts
        letter = write_letter("raised", [alert], texts=texts, site="SH", url="")
        assert said in letter.body and "1.1.0" in letter.body
    (answer,) = ask(site.app, "/api/v1/gateways").json()["gateways"]
    assert (answer["failed_release"], answer["failed_reason"]) == ("1.1.0", alert.name)
    newer = site.machine.root / "releases/1.2.0"
    newer.mkdir()
    (newer / ".complete").write_text("1.2.0", encoding="utf-8")
    (site.machine.root / "current").unlink()
    (site.machine.root / "current").symlink_to("releases/1.2.0")
    site.machine.agent.turn()
    site.tell()
    assert site.alerts() == []
    assert "1.1.0" not in site.page(f"/gateways/{GATEWAY}")


WORSE = {
    "another version": ({"version": "1.0.0"}, "应答的是版本 1.0.0"),
    "the journal": ({"writable": False}, "其日志无法写入"),
    "a device": ({"ready": frozenset()}, "原本正常的设备不再工作：dock-1-scanner"),
}


@pytest.mark.parametrize(("worse", "chinese"), WORSE.values(), ids=WORSE)
def test_every_reason_of_the_agent_is_said_in_chinese(worse, chinese, tmp_path):
    machine = Machine(tmp_path)
    machine.health = replace(HEALTHY, **worse)
    (failed,) = machine.go_on(seconds=165).failed
    said = drawing_in("zh").texts.sentence(failed.reason)
    assert said == f"未能按时恢复正常：{chinese}"


@pytest.mark.parametrize(
    ("happened", "chinese"),
    [
        pytest.param("silent", "未能按时恢复正常：它没有应答", id="no answer"),
        pytest.param("ended", "它重新启动过：崩溃了，或被看门狗终止", id="started again"),
        pytest.param("booted", "试运行期间机器启动了 3 次", id="boots"),
    ],
)
def test_what_happens_on_probation_is_said_in_chinese(happened, chinese, tmp_path):
    machine = Machine(tmp_path)
    if happened == "silent":
        machine.health = None
    else:
        machine.go_on(seconds=60)
    if happened == "ended":
        machine.health = replace(HEALTHY, run="run-2")
    if happened == "booted":
        for _ in range(3):
            machine.boot()
    (failed,) = machine.go_on(seconds=165).failed
    assert drawing_in("zh").texts.sentence(failed.reason) == chinese


@pytest.mark.parametrize("reason", ["<script>alert(1)</script>", "x" * 300, ""])
def test_any_reason_is_text(database, reason):
    gateway, clock = Gateway(), FixedClock()
    furnished(database, gateway)
    state = GatewayState(
        gateway=gateway.code,
        warehouse="SH1",
        epoch=str(gateway.epoch),
        online=True,
        failed_release="1.1.0",
        failed_reason=reason,
    )
    record_states(database, [(gateway.code, encode_state(state))], clock=clock)
    page = ask(application(database=database, clock=clock), f"/gateways/{gateway.code}").text
    assert "1.1.0" in page and "<script>alert" not in page


@pytest.mark.parametrize(
    ("poison", "english", "chinese"),
    [
        pytest.param(
            sign_with_another_key,
            ("?", "refused: the manifest is not signed by a key that this gateway knows"),
            "已拒绝：发布清单未由本网关所知的密钥签名，或已被改动",
            id="a manifest of another key",
        ),
        pytest.param(
            change_a_wheel,
            ("1.1.0", "is not what was signed: it was changed"),
            "与签名内容不符：已被改动",
            id="a wheel that was changed",
        ),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_poisoned_release_is_told_at_the_station_and_at_central_until_it_is_gone(
    database, tmp_path, poison, english, chinese
):
    pi = Poisoned(tmp_path / "pi")
    furnished(database, Gateway(GATEWAY))
    app = application(database=database, clock=FixedClock())
    poison(pi)
    pi.look()
    (trouble,) = pi.tell(database).troubles()
    assert (trouble.problem, trouble.subject) == ("update_refused", english[0])
    (alert,) = read_alerts(database, FixedClock()).alerts
    assert (alert.kind, alert.subject, alert.lot) == ("update_failed", GATEWAY, english[0])
    assert english[1] in alert.name
    for language, said in (("en", english[1]), ("zh", chinese)):
        assert said in ask(app, f"/gateways/{GATEWAY}?lang={language}").text
        texts = drawing_in(language).texts
        letter = write_letter("raised", [alert], texts=texts, site="SH", url="")
        assert said in letter.body
    first_ms = alert.since_ms
    pi.look()
    pi.tell(database)
    (alert,) = read_alerts(database, FixedClock()).alerts
    assert alert.since_ms == first_ms
    make_release(pi.mirror, "0.9.0", pi.key)  # A good one, though older than what runs.
    pi.look()
    assert pi.tell(database).troubles() == ()
    assert read_alerts(database, FixedClock()).alerts == ()


class Poisoned(Mirrored):
    """A Pi whose mirror offers a release that somebody has touched."""

    def __init__(self, folder):
        super().__init__(folder)
        (self.root / "releases/1.0.0").mkdir(parents=True)
        (self.root / "releases/1.0.0/.complete").write_text("1.0.0\n", encoding="ascii")
        (self.root / "current").symlink_to("releases/1.0.0")
        make_release(self.mirror, "1.1.0", self.key)
        self.agent = Agent(self.settings, clock=SystemClock(), asked=lambda: None)
        self.health = Health()

    def look(self):
        self.agent.turn()

    def tell(self, database):
        """Have the gateway say how it is; returns what its station shows."""
        report = self.state / "report.json"
        with opened(self.folder / "journal.db") as journal:
            state = gateway_state(journal, StillClock(), self.health, online=True, report=report)
        assert record_states(database, [(GATEWAY, encode_state(state))], clock=FixedClock())
        return self.health
