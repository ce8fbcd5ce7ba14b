"""The demo from the first line to the summary. Loop."""

import random
import time
from dataclasses import dataclass
from pathlib import Path

from provisioning.demo.actions import Action
from provisioning.demo.afternoon import afternoon
from provisioning.demo.checks import judge
from provisioning.demo.collect import collect
from provisioning.demo.goods import Goods
from provisioning.demo.installation import GivenBroker, Installation
from provisioning.demo.morning import morning
from provisioning.demo.performer import Performer
from provisioning.demo.terminal import Language, Terminal
from provisioning.demo.traffic import traffic_round
from provisioning.demo.words import N_


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
        while until_s is None or time.monotonic() < until_s:
            for action in work(chance.choice(sorted(installation.stands))):
                performer.perform(action)
        with terminal.step(N_("Comparing every journal with the ledger")):
            performer.wait_for_convergence()
            figures = judge(collect(installation, performer))
        terminal.summary(figures)
        return all(figure.ok for figure in figures)


def _say_addresses(installation: Installation, terminal: Terminal) -> None:
    terminal.say(N_("Open {address} for central, live"), address=installation.ledger.url)
    for stand in installation.stands.values():
        terminal.say(
            N_("Open {address} for the station {gateway}"),
            address=stand.station.url,
            gateway=stand.gateway,
        )
