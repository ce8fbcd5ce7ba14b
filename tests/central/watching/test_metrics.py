"""Figures for Prometheus: readable, explained, and all that dashboard and rules speak of."""

import json
import re

import pytest
import yaml
from sqlalchemy import insert

from central.api.metric_text import HELPS, metric
from central.backup.records import Run, record_run
from central.storage.trust_tables import certificates
from gateway.screen import metrics as of_gateway
from tests.central.clients import ask
from tests.central.one_app import application
from tests.central.orders.purchasing import row
from tests.central.scenery import NOW_MS, Gateway, furnished
from tests.central.watching.test_mail import KEEPER, ON_SQLITE, Desk
from tests.house.exposition import parse
from tests.house.source_tree import ROOT

FOLDER = ROOT / "provisioning" / "monitoring"
OF_PROMETHEUS = frozenset({"up"})
EXPRESSION_NAME = re.compile(r"\b(dockledger_[a-z_]+|up)\b")


def expressions():
    """(where, expression) of everything that asks Prometheus."""
    dashboard = json.loads((FOLDER / "grafana_dashboard.json").read_text("utf-8"))
    rules = yaml.safe_load((FOLDER / "prometheus_rules.yml").read_text("utf-8"))
    found = [
        (panel["title"], target["expr"])
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]
    return found + [
        (rule["alert"], rule["expr"]) for group in rules["groups"] for rule in group["rules"]
    ]


@pytest.fixture
def served(database):
    """What central serves with a backup, a letter, a certificate and a gateway."""
    desk = Desk(database, KEEPER)
    gateway = Gateway()
    furnished(database, gateway)
    for kind in ("dump", "drill"):
        run = Run(
            kind=kind, name="b", began_ms=NOW_MS, ended_ms=NOW_MS, good=True, bytes_count=4096
        )
        record_run(database, run)
    desk.fail()
    with database.write() as connection:
        values = row(
            certificates,
            serial="1",
            spki=b"",
            signing_key=b"",
            gateway=gateway.code,
            expires_ms=NOW_MS + 86_400_000,
        )
        connection.execute(insert(certificates), [values])
    desk.look()
    answer = ask(application(database=database, clock=desk.clock), "/metrics")
    assert answer.status_code == 200
    return parse(answer.text)


@ON_SQLITE
def test_every_figure_is_explained_and_named_by_convention(served):
    for name, family in served.items():
        assert family.help, name
        assert name.startswith("dockledger_")
        assert (family.kind == "counter") == name.endswith("_total"), name


def test_backups_letters_and_certificates_are_figures(served):
    def value(name, labels=""):
        return served[f"dockledger_{name}"].samples[labels]

    assert value("backup_last_good_timestamp_seconds", 'kind="dump"') == NOW_MS // 1000
    assert value("backup_last_run_good", 'kind="dump"') == 0
    assert value("backup_last_run_good", 'kind="drill"') == 1
    assert value("letters_waiting") == 1
    assert value("alerts", 'kind="backup_failed",severity="bad"') == 1
    assert value("alerts", 'kind="login_failures",severity="bad"') == 0
    assert value("certificate_expiry_timestamp_seconds", 'gateway="sh1-dock-1"') == (
        NOW_MS // 1000 + 86_400
    )


@ON_SQLITE
def test_dashboard_and_rules_speak_only_of_figures_that_there_are(served):
    known = set(served) | {f"{of_gateway.PREFIX}{name}" for name in of_gateway.HELPS}
    known |= OF_PROMETHEUS | {"dockledger_intake_up"}
    assert len(expressions()) > 25
    for where, expression in expressions():
        names = set(EXPRESSION_NAME.findall(expression)) - {"dockledger_central"}
        assert names, where
        assert names <= known, where


def test_every_rule_says_what_to_do():
    rules = yaml.safe_load((FOLDER / "prometheus_rules.yml").read_text("utf-8"))
    for rule in rules["groups"][0]["rules"]:
        assert set(rule["annotations"]) == {"summary", "action"}, rule["alert"]
        assert rule["labels"]["severity"] in {"bad", "warn"}


@ON_SQLITE
def test_every_figure_of_the_list_of_helps_is_served(served):
    absent = set(HELPS) - set(served) - {"dockledger_intake_up", "dockledger_intake_credit_facts"}
    assert not absent


def test_a_label_can_hold_anything():
    hostile = 'a"b\\c\nd{}'
    found = parse(metric("dockledger_alerts", "gauge", [((("kind", hostile),), 1)]))
    assert list(found["dockledger_alerts"].samples) == ['kind="a\\"b\\\\c\\nd{}"']


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a 1", id="no end of line"),
        pytest.param("# TYPE a gauge\na{b=c} 1\n", id="a label without quotes"),
        pytest.param("# TYPE a gauge\nb 1\n", id="a sample of another"),
        pytest.param("# TYPE a gauge\na 1\na 2\n", id="a sample twice"),
        pytest.param("# TYPE a gauge\na 1\n# TYPE a gauge\n", id="a figure twice"),
        pytest.param("# TYPE a gauge\na one\n", id="no number"),
    ],
)
def test_the_reader_of_these_tests_refuses_what_a_scraper_does(text):
    with pytest.raises((AssertionError, ValueError)):
        parse(text)
