"""The command `dockledger-central`: serves the ledger, proves it, mends it, feeds it. Root.

Exit codes: 0 done, 1 a finding (something is off, or was put right), 2 wrong usage, configuration
or input, 3 the database is not usable. Results go to standard output, for programs with --json;
log lines go to standard error.
"""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from central.access.audit import audit_faults
from central.access_commands import token_app, user_app
from central.backup_commands import add_commands as add_backup_commands
from central.clock import SystemClock, random_64
from central.command_line import (
    CONFIG_FILE,
    DONE,
    FINDING,
    AsJson,
    ConfigFile,
    errors_named,
    opened,
    say,
)
from central.config import load_config, parse_shards
from central.contract.errors import ContractError
from central.contract.identifiers import parse_code
from central.contract.reference import parse_reference
from central.errors import BackupRefused, EnrolmentRefused
from central.inbox import backups, gateways, ledger_key
from central.ledger import reference_book, verify
from central.logs import start_logging
from central.orders.catalogue.reference_doubts import reference_doubts
from central.orders.proofs import PROOFS
from central.outbox import notices as outbox
from central.storage import schema
from central.trust_commands import trust_app

app = typer.Typer(
    name="dockledger-central",
    help="The central ledger: takes facts from gateways, posts them, shows what is true.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Exit codes: 0 done, 1 a finding, 2 usage, configuration or input, 3 database.",
)
app.add_typer(trust_app, name="trust")
app.add_typer(user_app, name="user")
app.add_typer(token_app, name="token")
add_backup_commands(app)


def main() -> None:
    """Run the command line."""
    app()


@app.command()
def serve(
    config: ConfigFile = CONFIG_FILE,
    as_json: AsJson = False,
    worker: Annotated[
        str, typer.Option(help="The name of its intake; no other process of the site has it.")
    ] = "main",
    no_intake: Annotated[
        bool, typer.Option("--no-intake", help="Take no facts: `intake` does, with PostgreSQL.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log more.")] = False,
) -> None:
    """Migrate the database, then take facts and serve pages until SIGTERM or Ctrl-C."""
    _leave_out_old_pydantic()
    from central import compose  # noqa: PLC0415 - the other commands need no web server

    def ready(url: str) -> None:
        say(f"Serving {url}", {"url": url}, as_json=as_json)

    with errors_named():
        settings = load_config(config)
        start_logging(verbose=verbose)
        compose.serve(
            settings,
            ready=ready,
            worker_name=parse_code(worker, what="worker"),
            takes_facts=not no_intake,
        )


@app.command()
def intake(
    worker: Annotated[str, typer.Option(help="No other process of the site has this name.")],
    shards: Annotated[
        str, typer.Option(help="Whose gateways it hears, e.g. 0-31,40; all if not given.")
    ] = "",
    config: ConfigFile = CONFIG_FILE,
    as_json: AsJson = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log more.")] = False,
) -> None:
    """Take facts, beside other processes that do, until SIGTERM or Ctrl-C. Needs PostgreSQL.

    Workers may share shards: each fact is posted once, in order.
    """
    from central import taking  # noqa: PLC0415 - the other commands take no facts

    with errors_named():
        settings = load_config(config)
        chosen = parse_shards(shards) if shards else None
        start_logging(verbose=verbose)
        taking.take(
            settings,
            worker_name=parse_code(worker, what="worker"),
            shards=chosen,
            ready=lambda: say(f"Worker {worker} runs.", {"worker": worker}, as_json=as_json),
        )


@app.command()
def migrate(config: ConfigFile = CONFIG_FILE, as_json: AsJson = False) -> None:
    """Bring the database to this program's schema."""
    with (
        errors_named(),
        opened(load_config(config, before_certificates=True), checked=False) as database,
    ):
        revision = schema.migrate(database, generation=f"{random_64():016x}")
        say(f"The database has revision {revision}.", {"revision": revision}, as_json=as_json)


@app.command("verify-ledger")
def verify_ledger(config: ConfigFile = CONFIG_FILE, as_json: AsJson = False) -> None:
    """Compute everything again from the facts, and say what is off. Exit code 1 if anything is."""
    with errors_named(), opened(load_config(config)) as database:
        report = verify.verify_ledger(database, proofs=(*PROOFS, audit_faults))
    lines = [f"{fault.check}: {fault.subject}: {fault.detail}" for fault in report.faults]
    counts = (
        f"{report.facts_count} facts, {report.lines_count} lines,"
        f" {report.balances_count} balances: {report.faults_count} faults."
    )
    say("\n".join([*lines, counts]), msgspec.to_builtins(report), as_json=as_json)
    raise typer.Exit(FINDING if report.faults_count else DONE)


@app.command("rebuild-balances")
def rebuild_balances(config: ConfigFile = CONFIG_FILE, as_json: AsJson = False) -> None:
    """Make every balance the sum of its lines. Exit code 1 if a balance had to be changed."""
    with errors_named(), opened(load_config(config)) as database:
        report = verify.rebuild_balances(database)
        if report.changes_count:
            with database.write() as connection:
                outbox.renew_all(
                    connection,
                    new_name=lambda: f"{random_64():016x}",
                    now_ms=SystemClock().now_ms(),
                )
    lines = [
        f"{'/'.join(change.key)}: {change.actual_micro} -> {change.expected_micro} (micro)"
        for change in report.changes
    ]
    counts = f"{report.balances_count} balances: {report.changes_count} changed."
    say("\n".join([*lines, counts]), msgspec.to_builtins(report), as_json=as_json)
    raise typer.Exit(FINDING if report.changes_count else DONE)


@app.command("ledger-key")
def show_ledger_key(config: ConfigFile = CONFIG_FILE, as_json: AsJson = False) -> None:
    """Print the public key of the ledger, with which gateways check what it says."""
    with errors_named(), opened(load_config(config)) as database:
        key = ledger_key.load_ledger_key(database).public_key_hex
    say(key, {"public_key": key}, as_json=as_json)


@app.command("new-generation")
def new_generation(config: ConfigFile = CONFIG_FILE, as_json: AsJson = False) -> None:
    """After restoring a backup: make gateways offer again what the backup does not have."""
    with errors_named(), opened(load_config(config)) as database:
        changed = backups.begin_generation(database, generation=f"{random_64():016x}")
    text = (
        f"Generation {changed.old} is now {changed.new}."
        " Gateways offer again what this ledger does not have."
    )
    say(text, msgspec.to_builtins(changed), as_json=as_json)


@app.command("confirm-backup")
def confirm_backup(
    taken_at: Annotated[
        datetime,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z"],
            help="When the backup was begun, e.g. 2026-11-22T02:00:00Z.",
        ),
    ],
    config: ConfigFile = CONFIG_FILE,
    as_json: AsJson = False,
) -> None:
    """Say that a backup is safe: gateways may forget what was recorded 2 minutes before it."""
    with errors_named(), opened(load_config(config)) as database:
        now_ms = SystemClock().now_ms()
        taken_ms = int(taken_at.timestamp() * 1000)
        if taken_ms > now_ms:
            raise BackupRefused(
                f"{taken_at.isoformat()} has not come yet",
                hint="Give the time at which the backup was begun, with its time zone.",
            )
        confirmed = backups.confirm_backup(database, taken_ms=taken_ms)
    text = f"{confirmed.facts_count} more facts of {confirmed.epochs_count} epochs are stable."
    say(text, msgspec.to_builtins(confirmed), as_json=as_json)


@app.command("enrol-gateway")
def enrol_gateway(
    code: Annotated[str, typer.Argument(help="The gateway's code, e.g. sh1-dock-2.")],
    warehouse: Annotated[str, typer.Option(help="The warehouse that it speaks for.")],
    public_key: Annotated[str, typer.Option(help="Its Ed25519 public key, 64 hex digits.")],
    config: ConfigFile = CONFIG_FILE,
    as_json: AsJson = False,
) -> None:
    """Let a gateway speak for a warehouse; enrolling it again replaces its key and warehouse."""
    with errors_named():
        settings = load_config(config)
        with opened(settings) as database:
            changed = gateways.enrol_gateway(
                database,
                gateway=code,
                site=settings.ledger.site,
                warehouse=warehouse,
                public_key=_key_bytes(public_key),
                clock=SystemClock(),
            )
    text = "is enrolled" if changed else "was enrolled already"
    result = {"gateway": code, "warehouse": warehouse, "changed": changed}
    say(f"Gateway {code} {text} for {warehouse}.", result, as_json=as_json)


@app.command("load-reference")
def load_reference(
    file: Annotated[Path, typer.Argument(help="The TOML document with the reference data.")],
    config: ConfigFile = CONFIG_FILE,
    as_json: AsJson = False,
) -> None:
    """Make a document the ledger's reference data: warehouses, items, expected documents."""
    with errors_named():
        reference = parse_reference(_file_bytes(file))
        with opened(load_config(config)) as database, database.write() as connection:
            changed = reference_book.load_reference(connection, reference)
    doubts = reference_doubts(reference)
    for doubt in doubts:
        typer.echo(f"Doubtful: {doubt}", err=True)
    text = "is loaded" if changed else "was loaded already"
    result = {"revision": reference.revision, "changed": changed, "doubts": doubts}
    say(f"Revision {reference.revision} {text}.", result, as_json=as_json)


def _leave_out_old_pydantic() -> None:
    # FastAPI asks of each type whether it is a model of pydantic 1, and loads 23 modules for that,
    # 1.8 MB. Nothing of ours is; where they cannot be loaded it takes that for the answer.
    sys.modules.setdefault("pydantic.v1", None)  # type: ignore[arg-type]


def _key_bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise EnrolmentRefused(
            "the public key is not hexadecimal",
            hint="Give the Ed25519 public key that the gateway shows, 64 hexadecimal digits.",
        ) from error


def _file_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ContractError(
            f"cannot read {path}: {error.strerror}",
            hint="Name an existing file that this user may read.",
        ) from error


if __name__ == "__main__":
    main()
