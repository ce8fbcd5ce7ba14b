"""The commands that make, look at, prove and bring back backups. Root."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from central.backup import archive, drills, keys, places, reading, records, restoring, taking
from central.clock import SystemClock, random_64
from central.command_line import (
    CONFIG_FILE,
    FINDING,
    AsJson,
    ConfigFile,
    errors_named,
    opened,
    say,
)
from central.config import Config, load_config
from central.errors import BackupRefused, CentralError
from central.inbox import backups, ledger_key
from central.orders.proofs import PROOFS
from central.storage.database import Database

Identity = Annotated[
    Path | None,
    typer.Option("--identity", help="The file of the private key; `backup new-key` writes one."),
]
LedgerKey = Annotated[
    str, typer.Option("--ledger-key", help="The key that must have signed it (`ledger-key`).")
]
RestoreFile = Annotated[Path, typer.Argument(help="The .dlb file.")]

backup_app = typer.Typer(
    help="Make an encrypted backup of the ledger while it works; look at the ones there are."
)


@backup_app.callback(invoke_without_command=True)
def backup(
    context: typer.Context, *, config: ConfigFile = CONFIG_FILE, as_json: AsJson = False
) -> None:
    """Make a backup in every place; then gateways may forget what is in it.

    Exit code 1 if a place does not have it; then gateways forget nothing.
    """
    if context.invoked_subcommand is None:
        _make(config, as_json=as_json, base=False)


@backup_app.command("base")
def base(*, config: ConfigFile = CONFIG_FILE, as_json: AsJson = False) -> None:
    """Copy the files of the whole PostgreSQL server, for recovery up to any moment after it."""
    _make(config, as_json=as_json, base=True)


@backup_app.command("wal")
def wal(
    path: Annotated[Path, typer.Argument(help="%p of archive_command.")],
    segment: Annotated[str, typer.Argument(help="%f of archive_command.")],
    config: ConfigFile = CONFIG_FILE,
) -> None:
    """Archive one WAL segment in every place; what PostgreSQL's archive_command runs."""
    with errors_named():
        settings = load_config(config)
        archive.archive_segment(
            path,
            segment=segment,
            section=settings.backup,
            site=settings.ledger.site,
            clock=SystemClock(),
        )


@backup_app.command("new-key")
def new_key(
    *,
    to: Annotated[Path, typer.Option("--to", help="Where the private key is written.")],
    as_json: AsJson = False,
) -> None:
    """Make the key that reads backups; keep it elsewhere. Making them needs the public one."""
    with errors_named():
        public = keys.write_new_key(to)
    say(public, {"public_key": public}, as_json=as_json)


@backup_app.command("prepare-place")
def prepare_place(
    folder: Annotated[Path, typer.Argument(help="A folder on a medium of its own.")],
) -> None:
    """Mark a folder as a place of backups; none are written where the mark is missing."""
    with errors_named():
        places.prepare_place(folder)
    typer.echo(f"{folder} is a place of backups. Name it under [backup] places.")


@backup_app.command("list")
def list_all(*, config: ConfigFile = CONFIG_FILE, as_json: AsJson = False) -> None:
    """Show the backups of every place by their manifests. Exit code 1 if one is damaged."""
    with errors_named():
        found = [one for place in _places(config) for one in reading.list_backups(place)]
    _show(found, as_json=as_json)


@backup_app.command("verify")
def verify(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Backups; all of all places if none are given.")
    ] = None,
    *,
    config: ConfigFile = CONFIG_FILE,
    identity: Identity = None,
    ledger_key: LedgerKey = "",
    as_json: AsJson = False,
) -> None:
    """Read backups to their last byte; with --identity decrypt them. Exit code 1 for a fault."""
    with errors_named():
        secret = keys.read_key(identity) if identity is not None else None
        paths = files or [
            one.path for place in _places(config) for one in reading.list_backups(place)
        ]
        found = [reading.verify(path, ledger_key=ledger_key, secret=secret) for path in paths]
    _show(found, as_json=as_json)


def restore(
    file: RestoreFile,
    *,
    identity: Identity = None,
    ledger_key: LedgerKey = "",
    config: ConfigFile = CONFIG_FILE,
    as_json: AsJson = False,
) -> None:
    """Restore a backup into the empty place of [database] url, as a new generation.

    Gateways then offer again what it does not have. Nothing is ever overwritten.
    """
    with errors_named():
        settings = load_config(config)
        restored = restoring.restore(
            file,
            url=settings.database.url,
            secret=_secret(identity),
            ledger_key=ledger_key,
            programs_folder=settings.backup.postgresql_binaries,
            renew=_renew,
        )
    contents = restored.contents
    text = (
        f"{contents.name} is restored, up to record {contents.record_no}, as generation"
        f" {restored.generation}.\nRun `dockledger-central verify-ledger`, then start `serve`:"
        " gateways offer again what it does not have."
    )
    say(text, msgspec.to_builtins(restored), as_json=as_json)


def restore_base(
    file: RestoreFile,
    *,
    into: Annotated[Path, typer.Option("--into", help="The empty data folder of a server.")],
    identity: Identity = None,
    ledger_key: LedgerKey = "",
    until: Annotated[
        str, typer.Option("--until", help="The moment, e.g. '2026-11-22 02:00:00+00'.")
    ] = "",
    config: ConfigFile = CONFIG_FILE,
    as_json: AsJson = False,
) -> None:
    """Unpack a base backup into an empty data folder, from where a server recovers by itself."""
    with errors_named():
        secret = _secret(identity)
        fetch = [sys.argv[0], "restore-wal", "--identity", str(_absolute(identity))]
        fetch += ["--config", str(config.absolute())]
        contents = archive.restore_base(
            file,
            into,
            secret=secret,
            ledger_key=ledger_key,
            fetch=archive.fetch_command(fetch),
            target_time=until,
        )
    text = (
        f"{contents.name} is unpacked into {into}. Start a server on it; when it has recovered,"
        " run `dockledger-central new-generation` before `serve`."
    )
    say(text, msgspec.to_builtins(contents), as_json=as_json)


def restore_wal(
    segment: Annotated[str, typer.Argument(help="%f of restore_command.")],
    to: Annotated[Path, typer.Argument(help="%p of restore_command.")],
    identity: Identity = None,
    config: ConfigFile = CONFIG_FILE,
) -> None:
    """Bring back one archived WAL segment; what PostgreSQL's restore_command runs."""
    with errors_named():
        found = archive.restore_segment(
            segment, to, places=_places(config), secret=_secret(identity)
        )
    raise typer.Exit(0 if found else FINDING)


def restore_drill(
    *,
    identity: Identity = None,
    ledger_key: LedgerKey = "",
    scratch: Annotated[
        Path | None, typer.Option("--scratch", help="A folder with room for the ledger.")
    ] = None,
    config: ConfigFile = CONFIG_FILE,
    as_json: AsJson = False,
) -> None:
    """Restore the newest backup aside, prove it, throw it away. Exit code 1 if it is not good."""
    with errors_named():
        settings = load_config(config)
        found = drills.drill(
            _places(config),
            url=settings.database.url,
            secret=_drill_secret(settings, identity),
            ledger_key=ledger_key,
            programs_folder=settings.backup.postgresql_binaries,
            scratch=scratch,
            clock=SystemClock(),
            renew=_renew,
            proofs=PROOFS,
        )
    noted = _note_drill(settings, found)
    outcome = "good" if found.good else f"NOT GOOD: {found.detail}"
    text = (
        f"{found.backup or 'no backup'}, {found.age_s // 3600} hours old: {outcome}\n"
        f"{found.facts_count} facts, {found.lines_count} lines, {found.balances_count} balances,"
        f" {found.faults_count} faults, in {(found.ended_ms - found.began_ms) // 1000} s."
    )
    if noted:
        text += f"\nThe ledger could not note it: {noted}"
    say(text, msgspec.to_builtins(found) | {"not_noted": noted}, as_json=as_json)
    raise typer.Exit(0 if found.good else FINDING)


def add_commands(app: typer.Typer) -> None:
    """Add everything about backups to the program."""
    app.add_typer(backup_app, name="backup")
    commands: tuple[Callable[..., None], ...] = (restore, restore_base, restore_wal, restore_drill)
    for command in commands:
        app.command(command.__name__.replace("_", "-"))(command)


def _make(config: Path, *, as_json: bool, base: bool) -> None:
    with errors_named():
        settings = load_config(config)
        with opened(settings) as database:
            key = ledger_key.load_ledger_key(database)
            ledger = taking.Ledger(
                database=database,
                url=settings.database.url,
                site=settings.ledger.site,
                sign=key.sign,
                public_key_hex=key.public_key_hex,
            )
            taken = taking.take_backup(ledger, settings.backup, clock=SystemClock(), base=base)
            # Of a base backup only the WAL after it makes a whole: it confirms nothing.
            confirmed = backups.Confirmed(0, 0)
            if taken.good and not base:
                confirmed = backups.confirm_backup(database, taken_ms=taken.taken_ms)
    lines = [
        f"{one.place}: {one.detail or 'kept'}"
        + (f", {len(one.removed)} older ones removed" if one.removed else "")
        for one in taken.places
    ]
    lines.append(
        f"{taken.name}: {taken.bytes_count} bytes, up to record {taken.record_no};"
        f" {confirmed.facts_count} more facts are stable."
    )
    result = msgspec.to_builtins(taken) | {"good": taken.good, "stable": confirmed.facts_count}
    say("\n".join(lines), result, as_json=as_json)
    if not taken.good:
        raise typer.Exit(FINDING)


def _show(found: list[reading.Found], *, as_json: bool) -> None:
    lines = []
    for one in found:
        taken = ""
        if one.contents is not None:
            moment = datetime.fromtimestamp(one.contents.taken_ms / 1000, UTC)
            taken = f"{moment:%Y-%m-%d %H:%M:%S} UTC, up to record {one.contents.record_no}, "
        state = one.fault or f"signed by {one.signed_by[:8]}"
        lines.append(f"{one.path}: {taken}{one.bytes_count} bytes: {state}")
    result = [msgspec.to_builtins(one, enc_hook=str) for one in found]
    say("\n".join(lines) or "There are none.", {"backups": result}, as_json=as_json)
    raise typer.Exit(FINDING if any(one.fault for one in found) else 0)


def _drill_secret(settings: Config, identity: Path | None) -> bytes:
    """Return the private key; that it cannot be read is a drill that failed."""
    try:
        return _secret(identity)
    except BackupRefused as error:
        _note_drill(settings, drills.not_begun(error, now_ms=SystemClock().now_ms()))
        raise


def _note_drill(settings: Config, found: drills.Drill) -> str:
    """Have the ledger remember a drill; return why it could not, "" if it did."""
    run = records.Run(
        kind="drill",
        name=found.backup,
        began_ms=found.began_ms,
        ended_ms=found.ended_ms,
        good=found.good,
        record_no=found.record_no,
        detail=found.detail,
    )
    try:
        with opened(settings) as database:
            records.record_run(database, run)
    except CentralError as error:
        return str(error)
    return ""


def _renew(database: Database) -> str:
    return backups.begin_generation(database, generation=f"{random_64():016x}").new


def _places(config: Path) -> list[Path]:
    found = [Path(place) for place in load_config(config).backup.places]
    if not found:
        raise BackupRefused("no places of backups are configured", hint="Name [backup] places.")
    return found


def _secret(identity: Path | None) -> bytes:
    return keys.read_key(_absolute(identity))


def _absolute(identity: Path | None) -> Path:
    if identity is None:
        raise BackupRefused(
            "a backup is read with its private key",
            hint="Give --identity the file that `backup new-key` wrote.",
        )
    return identity.absolute()
