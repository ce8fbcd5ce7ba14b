"""The command `dockledger-demo`: two warehouses on this machine, until Ctrl-C. Root."""

import shutil
import signal
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal, NoReturn

import httpx
import typer

from provisioning.demo.children import ChildFailed
from provisioning.demo.installation import GivenBroker
from provisioning.demo.performer import ScriptFailed
from provisioning.demo.play import Wishes, play
from provisioning.demo.terminal import Terminal
from provisioning.demo.words import N_

HTTP_PORT = 8080
PACE_S = 0.4
CUT_S = 10.0
SEED = 2026
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Ctrl-C, SIGTERM or SIGHUP came: a person has seen enough. No error."""


def run(
    *,
    seconds: Annotated[
        float | None,
        typer.Option(min=0, help="End by itself after so long, but not before the morning does."),
    ] = None,
    broker: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Use this MQTT 5 broker, not the embedded one.")
    ] = "",
    broker_username: Annotated[str, typer.Option(help="User at that broker.")] = "",
    broker_password: Annotated[
        str, typer.Option(envvar="DOCKLEDGER_BROKER_PASSWORD", help="Password at that broker.")
    ] = "",
    http_port: Annotated[
        int, typer.Option(min=1, max=65535, help="Port of central's page; if taken, another one.")
    ] = HTTP_PORT,
    pace: Annotated[
        float, typer.Option(min=0, max=10, help="Seconds that a person takes for one scan.")
    ] = PACE_S,
    cut_seconds: Annotated[
        float, typer.Option(min=0, max=600, help="How long the network is cut.")
    ] = CUT_S,
    seed: Annotated[int, typer.Option(help="Decides the traffic after the morning.")] = SEED,
    keep: Annotated[
        Path | None, typer.Option(help="Keep data and logs in this new or empty directory.")
    ] = None,
    language: Annotated[
        Literal["en", "zh"], typer.Option(help="Language of the texts and of the stations.")
    ] = "en",
) -> None:
    """Run central, the gateways of two warehouses and ten virtual devices on this machine.

    Ends at Ctrl-C, or by itself with --seconds: then with a summary, and with exit status 1 if any
    of its figures is off. Leaves nothing behind.
    """
    wishes = Wishes(
        seconds=seconds,
        broker=_broker(broker, broker_username, broker_password) if broker else None,
        http_port=http_port,
        pace_s=pace,
        cut_s=cut_seconds,
        seed=seed,
        language=language,
    )
    terminal = Terminal(language)
    raise typer.Exit(_play(wishes, keep, terminal))


def main() -> None:
    """Run the command with the arguments of this process."""
    typer.run(run)


def _play(wishes: Wishes, keep: Path | None, terminal: Terminal) -> int:
    try:
        with _signals_raise(), _directory(keep) as directory:
            if keep:
                terminal.say(N_("Data and logs are kept in {directory}"), directory=str(directory))
            return 0 if play(wishes, directory, terminal) else 1
    except Interrupted:
        terminal.say(N_("Stopped on request; nothing is left running."))
        return 0
    except (ChildFailed, ScriptFailed) as error:
        terminal.quote(f"{error}\n{error.hint}")
    except (httpx.HTTPError, sqlite3.Error) as error:
        terminal.quote(f"{type(error).__name__}: {error}")
    return 1


@contextmanager
def _signals_raise() -> Iterator[None]:
    """Raise Interrupted at the first signal; ignore the next ones while everything is stopped."""

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        for one in SIGNALS:
            signal.signal(one, signal.SIG_IGN)
        raise Interrupted

    before = {one: signal.signal(one, stop) for one in SIGNALS}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


@contextmanager
def _directory(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        if any(keep.iterdir()):
            raise typer.BadParameter(f"{keep} is not empty", param_hint="--keep")
        yield keep.resolve()
        return
    directory = Path(tempfile.mkdtemp(prefix="dockledger-demo-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _broker(text: str, username: str, password: str) -> GivenBroker:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise typer.BadParameter(f"{text} is not HOST:PORT", param_hint="--broker")
    return GivenBroker(host=host.strip("[]"), port=int(port), username=username, password=password)


if __name__ == "__main__":
    main()
