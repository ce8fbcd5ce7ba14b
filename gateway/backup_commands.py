"""The commands that back the journal up, elsewhere and encrypted, and prove backups. Root."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import msgspec
import typer

from central.contract.backup_keeping import Keeping
from gateway.clock import SystemClock
from gateway.config import load_config
from gateway.config_sections import GatewayConfig
from gateway.housekeeping import journal_path
from gateway.identity.settings import with_name
from gateway.service import EXIT_FINDING

DEFAULT_CONFIG = Path("/etc/dockledger-gateway/gateway.toml")

ConfigOption = Annotated[Path, typer.Option("--config", help="The configuration file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON lines to standard output.")]
FileArgument = Annotated[Path, typer.Argument(help="The .dlb file.")]
IdentityOption = Annotated[
    Path, typer.Option("--identity", help="The file of the private key.")
]  # fmt: skip


def add_backup_commands(app: typer.Typer) -> None:
    """Add the commands of backups to those of the journal."""
    app.command("backup")(journal_backup)
    app.command("prepare-place")(journal_prepare_place)
    app.command("check-backup")(journal_check)
    app.command("unpack-backup")(journal_unpack)


def journal_backup(
    folder: Annotated[Path | None, typer.Option("--to", help="A folder in another place.")] = None,
    recipient: Annotated[
        list[str] | None,
        typer.Option("--recipient", help="Who may read it: a public key; repeatable."),
    ] = None,
    *,
    configured: Annotated[
        bool, typer.Option("--configured", help="Into every place of [backup], thinned out.")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Write encrypted backups of the journal, beside a running gateway.

    Either --configured, or one folder. Exit status 1 if a place does not have it; others do then.
    """
    if configured == (folder is not None) or configured == bool(recipient):
        raise typer.BadParameter("give --configured, or else --to and --recipient")
    settings = load_config(config)
    if folder is None:
        _back_up_configured(settings, as_json=as_json)
        return
    from gateway.journal.backup_export import export_backup  # noqa: PLC0415

    written = export_backup(
        journal_path(settings),
        folder,
        gateway=with_name(settings).gateway.code,
        recipients=recipient or [],
        clock=SystemClock(),
    )
    if as_json:
        _write_json({"backup": str(written), "bytes_count": written.stat().st_size})
    else:
        typer.echo(f"{written} is written", err=True)


def journal_prepare_place(
    folder: Annotated[Path, typer.Argument(help="A folder on a mounted medium of its own.")],
) -> None:
    """Mark a folder as a place of backups; without the mark nothing is written there."""
    from gateway.journal.backup_places import prepare_place  # noqa: PLC0415

    prepare_place(folder)
    typer.echo(f"{folder} is a place of backups", err=True)


def journal_check(
    file: FileArgument,
    identity: IdentityOption,
    *,
    scratch: Annotated[
        Path | None, typer.Option("--scratch", help="Where it is decrypted; gone afterwards.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Decrypt a backup aside and prove its journal, chain and all. Exit status 1 if it is off."""
    from gateway.journal.backup_export import unpack_backup  # noqa: PLC0415
    from gateway.journal.copy_file import COPY_FILE  # noqa: PLC0415
    from gateway.journal.reading import open_reader  # noqa: PLC0415
    from gateway.journal.verify import verify_journal  # noqa: PLC0415

    secret = _secret(identity)
    with TemporaryDirectory(prefix="dockledger-check-", dir=scratch) as aside:
        contents = unpack_backup(file, Path(aside), secret=secret)
        reader = open_reader(Path(aside) / COPY_FILE)
        try:
            verified = verify_journal(reader)
        finally:
            reader.close()
    if as_json:
        _write_json({"backup": contents.name, "verified": verified})
    else:
        for finding in verified.findings:
            typer.echo(f"WRONG: {finding}", err=True)
        typer.echo(
            f"backup of {verified.gateway} in {verified.warehouse}: {verified.facts_count} facts "
            f"of {verified.epochs_count} starts, {len(verified.findings)} findings",
            err=True,
        )
    if verified.findings:
        raise typer.Exit(EXIT_FINDING)


def journal_unpack(
    file: FileArgument,
    identity: IdentityOption,
    folder: Annotated[Path, typer.Option("--to", help="An empty folder for the copy.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Decrypt a copy into a folder; then `journal restore --from` makes the journal of it."""
    from gateway.journal.backup_export import unpack_backup  # noqa: PLC0415

    contents = unpack_backup(file, folder, secret=_secret(identity))
    if as_json:
        _write_json(contents)
    else:
        typer.echo(f"the copy of {contents.owner} lies in {folder}", err=True)


def _back_up_configured(settings: GatewayConfig, *, as_json: bool) -> None:
    from gateway.journal.backup_news import write_news  # noqa: PLC0415
    from gateway.journal.backup_places import back_up  # noqa: PLC0415

    section, path = settings.backup, journal_path(settings)
    if not section.places:  # The timer runs everywhere; a gateway without places is no fault.
        typer.echo("[backup] has no places: no backup was made", err=True)
        return
    outcomes = back_up(
        path,
        gateway=with_name(settings).gateway.code,
        recipients=section.recipients,
        places=section.places,
        keeping=Keeping(section.daily, section.weekly, section.monthly),
        clock=SystemClock(),
    )
    write_news(path.parent, outcomes)
    for one in outcomes:
        if as_json:
            _write_json(one)
        elif one.fault:
            typer.echo(f"NO BACKUP in {one.place}: {one.fault}", err=True)
        else:
            typer.echo(f"{one.place}: {one.file}, {one.gone_count} older ones removed", err=True)
    if any(one.fault for one in outcomes):
        raise typer.Exit(EXIT_FINDING)


def _secret(identity: Path) -> bytes:
    from gateway.journal.backup_crypto import read_key  # noqa: PLC0415 - X25519, as no other needs

    return read_key(identity)


def _write_json(value: object) -> None:
    typer.echo(msgspec.json.encode(value).decode())
