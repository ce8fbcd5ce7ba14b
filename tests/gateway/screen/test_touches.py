"""A touch on the page is done once, whatever becomes of its answer. Edge of loopback HTTP."""

import httpx
import pytest

from tests.gateway.screen.served import served
from tests.waiting import wait_for

TEA = "6901234567892"
ONE, TWO = "a1" * 12, "b2" * 12


def touch(client, code, identity, **more):
    answer = client.post("/api/v1/scan", json={"code": code, "id": identity, **more})
    return answer.status_code, answer.json() if answer.content else None


def test_a_touch_is_answered_when_it_is_durable_and_again_without_being_done_again(tmp_path):
    with (
        served(tmp_path, running=True) as (bench, server),
        httpx.Client(base_url=server.url) as client,
    ):
        assert touch(client, "CMD-RECEIVE", ONE) == (200, {"done": True})
        for _ in range(3):
            assert touch(client, TEA, TWO) == (200, {"done": True})
        assert bench.fact_count() == 1


def test_a_touch_that_waits_is_told_so_and_taken_once(tmp_path):
    with served(tmp_path) as (bench, server), httpx.Client(base_url=server.url) as client:
        assert touch(client, "CMD-RECEIVE", ONE) == (202, {"done": False})
        assert touch(client, "CMD-RECEIVE", ONE) == (202, {"done": False})
        assert bench.observations.qsize() == 1
        bench.step()
        assert touch(client, "CMD-RECEIVE", ONE) == (200, {"done": True})
        assert bench.observations.empty()


def test_who_only_asks_does_nothing(tmp_path):
    with (
        served(tmp_path, running=True) as (bench, server),
        httpx.Client(base_url=server.url) as client,
    ):
        assert touch(client, TEA, ONE, only_ask=True) == (200, {"done": False})
        assert bench.observations.empty()


def test_a_touch_done_before_a_restart_is_not_done_after_it(tmp_path):
    with (
        served(tmp_path, running=True) as (_, server),
        httpx.Client(base_url=server.url) as client,
    ):
        touch(client, "CMD-RECEIVE", ONE)
        touch(client, TEA, TWO)
    with (
        served(tmp_path, running=True) as (bench, server),
        httpx.Client(base_url=server.url) as client,
    ):
        assert touch(client, TEA, TWO) == (200, {"done": True})
        assert touch(client, TEA, "c3" * 12) == (200, {"done": True})
        wait_for(lambda: bench.fact_count() == 2, what="only the new one")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"code": TEA, "id": "x" * 24}, id="identity"),
        pytest.param({"code": "x" * 257}, id="long code"),
        pytest.param({"code": "", "id": ONE}, id="empty"),
        pytest.param({"code": TEA, "id": ONE, "more": 1}, id="unknown field"),
    ],
)
def test_a_touch_that_no_page_of_ours_sends_is_refused(tmp_path, body):
    with served(tmp_path) as (bench, server), httpx.Client(base_url=server.url) as client:
        assert client.post("/api/v1/scan", json=body).status_code == 400
        assert bench.observations.empty()
