"""The gateway's commands. Root."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from central.contract.facts import (
    Fact,
    Movement,
    Print,
    Weighing,
    fact_fields,
    kind_of,
)
from gateway.compose import gateway_identity, journal_path
from gateway.config import load_config
from gateway.devices.check import check_devices
from gateway.errors import GatewayError
from gateway.logs import LevelName
from gateway.service import EXIT_FINDING, end_with

TAIL_COUNT_MAX = 1_000_000
DEFAULT_CONFIG = Path("/etc/dockledger-gateway/gateway.toml")

app = typer.Typer(
    name="dockledger-gateway",
    help="Edge gateway for warehouse hardware. Results of --json go to standard output.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
journal_app = typer.Typer(
    help="Look into the journal; works beside a running gateway.", no_args_is_help=True
)
app.add_typer(journal_app, name="journal")


ConfigOption = Annotated[Path, typer.Option("--config", help="The configuration file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON lines to standard output.")]


@app.command()
def run(
    config: ConfigOption = DEFAULT_CONFIG,
    log_level: Annotated[LevelName, typer.Option("--log-level")] = "info",
) -> None:
    """Work until SIGTERM or SIGINT."""
    words = [sys.executable, "-m", "gateway.service", str(config), log_level]
    sys.stdout.flush()
    # The same process goes on as the service: see there why. No shell is in between.
    os.execv(sys.executable, words)  # noqa: S606


@app.command("check-devices")
def check_devices_command(
    config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False
) -> None:
    """Check the configuration and open each device once. Exit status 1 if one is not ready."""
    all_ready = True
    for check in check_devices(load_config(config), config_path=config):
        all_ready = all_ready and check.ready
        if as_json:
            _write_json(check)
        else:
            state = "ready" if check.ready else f"NOT READY: {check.detail} {check.hint}"
            typer.echo(f"{check.name} ({check.driver}): {state}", err=True)
    if not all_ready:
        raise typer.Exit(EXIT_FINDING)


@app.command()
def identity(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Show the gateway's code and public key, for its enrolment at central."""
    shown = gateway_identity(load_config(config))
    if as_json:
        _write_json(shown)
    else:
        typer.echo(f"gateway    {shown.gateway}", err=True)
        typer.echo(f"public key {shown.public_key}", err=True)


@journal_app.command("tail")
def journal_tail(
    config: ConfigOption = DEFAULT_CONFIG,
    count: Annotated[
        int, typer.Option("--count", min=1, max=TAIL_COUNT_MAX, help="How many facts.")
    ] = 20,
    as_json: JsonOption = False,
) -> None:
    """Show the newest facts, oldest first."""
    from gateway.journal.reading import open_reader  # noqa: PLC0415 - see journal/schema.py
    from gateway.journal.verify import tail_facts  # noqa: PLC0415

    reader = open_reader(journal_path(load_config(config)))
    try:
        for fact_id, fact in tail_facts(reader, count):
            if as_json:
                _write_json({"fact": str(fact_id), **fact_fields(fact)})
            else:
                typer.echo(f"{fact_id} {_fact_text(fact)}", err=True)
    finally:
        reader.close()


@journal_app.command("verify")
def journal_verify(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Recompute chain, stock and document progress from the facts. Exit status 1 if any is off."""
    from gateway.journal.reading import open_reader  # noqa: PLC0415 - see journal/schema.py
    from gateway.journal.verify import verify_journal  # noqa: PLC0415

    reader = open_reader(journal_path(load_config(config)))
    try:
        verified = verify_journal(reader)
    finally:
        reader.close()
    if as_json:
        _write_json(verified)
    else:
        for finding in verified.findings:
            typer.echo(f"WRONG: {finding}", err=True)
        typer.echo(
            f"journal of {verified.gateway} in {verified.warehouse}: {verified.facts_count} facts "
            f"of {verified.epochs_count} starts, {len(verified.findings)} findings",
            err=True,
        )
    if verified.findings:
        raise typer.Exit(EXIT_FINDING)


def main() -> None:
    """Run the command line; what the world does wrong becomes one sentence and an exit status."""
    try:
        app()
    except GatewayError as error:
        end_with(error)


def _write_json(value: object) -> None:
    typer.echo(msgspec.json.encode(value).decode())


def _fact_text(fact: Fact) -> str:
    moment = datetime.fromtimestamp(fact.event_time_ms / 1000, UTC).isoformat("T", "seconds")
    text = f"{moment} {kind_of(fact)}"
    if isinstance(fact, Movement):
        return (
            f"{text} {fact.business_step}: {fact.quantity} {fact.unit} {fact.item} "
            f"{fact.from_location} -> {fact.to_location}"
        )
    if isinstance(fact, Weighing):
        return f"{text} {fact.scale} #{fact.alibi_number}: net {fact.net} {fact.unit} {fact.item}"
    if isinstance(fact, Print):
        return f"{text} {fact.printer} job {fact.job}: {fact.content}: {fact.outcome}"
    return f"{text} of {fact.reverses_epoch}/{fact.reverses_seq}"


if __name__ == "__main__":
    main()
