"""The demo from the first line to the summary. Loop."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from provisioning.demo.actions import Action
from provisioning.demo.afternoon import afternoon
from provisioning.demo.checks import judge
from provisioning.demo.collect import collect
from provisioning.demo.goods import Goods
from provisioning.demo.installation import GivenBroker, Installation
from provisioning.demo.morning import morning
from provisioning.demo.performer import Performer, ScriptFailed
from provisioning.demo.terminal import Language, Terminal
from provisioning.demo.traffic import traffic_round
from provisioning.demo.words import N_

VISIT_LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asked for. seconds: None goes on until a signal comes."""

    seconds: float | None
    broker: GivenBroker | None
    http_port: int
    pace_s: float
    cut_s: float
    seed: int
    language: Language


def play(wishes: Wishes, directory: Path, terminal: Terminal) -> bool:
    """Run the demo with its data in `directory`; return True if every figure is as it should be.

    Raises ChildFailed, ScriptFailed, and whatever a signal handler raises; all is stopped then.
    """
    with Installation(
        directory,
        broker=wishes.broker,
        http_port=wishes.http_port,
        language=wishes.language,
    ) as installation:
        with terminal.step(N_("Setting up: broker, central, two gateways and ten virtual devices")):
            installation.start()
        _say_addresses(installation, terminal)
        chance = random.Random(wishes.seed)  # noqa: S311 - decides bar codes, not secrets.

        def work(warehouse: str) -> tuple[Action, ...]:
            return traffic_round(installation.reference, chance, warehouse)

        performer = Performer(installation, pace_s=wishes.pace_s, cut_s=wishes.cut_s, filler=work)
        until_s = None if wishes.seconds is None else time.monotonic() + wishes.seconds
        goods = Goods(installation.reference)
        for step in (*morning(goods), *afternoon(goods)):
            with terminal.step(step.title):
                for action in step.actions:
                    performer.perform(action)
        if until_s is None:
            terminal.say(N_("The day is over; light traffic goes on. Ctrl-C ends the demo."))
            _go_on(performer, installation, terminal, work, chance)
        while time.monotonic() < until_s:
            for action in work(chance.choice(sorted(installation.stands))):
                performer.perform(action)
        with terminal.step(N_("Comparing every journal with the ledger")):
            performer.wait_for_convergence()
            figures = judge(collect(installation, performer))
        terminal.summary(figures)
        return all(figure.ok for figure in figures)


def _go_on(
    performer: Performer,
    installation: Installation,
    terminal: Terminal,
    work: Callable[[str], tuple[Action, ...]],
    chance: random.Random,
) -> NoReturn:
    """Keep the warehouses busy until a signal comes; a station that a visitor tries is his."""
    left = sorted(installation.stands)
    while True:
        for warehouse in [one for one in left if performer.is_visited(one)]:
            left.remove(warehouse)
            gateway = installation.stands[warehouse].gateway
            terminal.say(N_("Somebody works at {gateway}: it is left to them"), gateway=gateway)
        if not left:
            installation.check_children()
            time.sleep(VISIT_LOOK_S)
            continue
        warehouse = chance.choice(left)
        try:
            for action in work(warehouse):
                performer.perform(action)
        except ScriptFailed:
            if not performer.is_visited(warehouse):  # Not a visitor's scan between ours.
                raise


def _say_addresses(installation: Installation, terminal: Terminal) -> None:
    terminal.say(N_("Open {address} for central, live"), address=installation.ledger.url)
    for stand in installation.stands.values():
        terminal.say(
            N_("Open {address} for the station {gateway}"),
            address=stand.station.url,
            gateway=stand.gateway,
        )
