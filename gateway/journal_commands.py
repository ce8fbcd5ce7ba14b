"""The commands that look into the journal, mend it and bring it back from its copy. Root."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from central.contract.facts import (
    Count,
    Fact,
    Movement,
    Packing,
    Passage,
    Print,
    Weighing,
    fact_fields,
    kind_of,
)
from gateway.backup_commands import add_backup_commands
from gateway.config import load_config
from gateway.errors import JournalDamaged
from gateway.housekeeping import journal_path
from gateway.identity.settings import with_name
from gateway.journal.opening import repair, take_lock
from gateway.journal.restore import SSCC_GAP_COUNT, Restored, restore
from gateway.service import EXIT_FINDING

TAIL_COUNT_MAX = 1_000_000
SSCC_GAP_COUNT_MAX = 10**9
DEFAULT_CONFIG = Path("/etc/dockledger-gateway/gateway.toml")

ConfigOption = Annotated[Path, typer.Option("--config", help="The configuration file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON lines to standard output.")]

journal_app = typer.Typer(
    help="Look into the journal; beside a running gateway, but for repair and restore.",
    no_args_is_help=True,
)


@journal_app.command("tail")
def journal_tail(
    *,
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
def journal_verify(*, config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Prove chain, stock, progress and alibi memory by the facts. Exit status 1 if any is off."""
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
            f"of {verified.epochs_count} starts, {verified.weighings_count} weighings, "
            f"{verified.pruned_count} facts forgotten, {len(verified.findings)} findings",
            err=True,
        )
    if verified.findings:
        raise typer.Exit(EXIT_FINDING)


@journal_app.command("alibi")
def journal_alibi(
    scale: Annotated[str, typer.Option("--scale", help="The name of the scale.")],
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    number: Annotated[
        int | None, typer.Option("--number", min=1, help="One weighing; all if not given.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the weighings of a scale with their proof. Exit status 1 if none, or one is not proven.

    A weighing that was kept long enough and is forgotten is not shown.
    """
    from gateway.journal.alibi import find_weighings  # noqa: PLC0415 - see journal/schema.py
    from gateway.journal.reading import open_reader  # noqa: PLC0415

    reader = open_reader(journal_path(load_config(config)))
    try:
        found = find_weighings(reader, scale, number=number)
    finally:
        reader.close()
    for one in found:
        if as_json:
            _write_json(
                {
                    "fact": str(one.fact_id),
                    **fact_fields(one.weighing),
                    "previous_digest": one.previous_digest,
                    "digest": one.digest,
                    "data": one.data,
                    "proven": one.is_proven,
                }
            )
        else:
            proof = "proven" if one.is_proven else "NOT PROVEN"
            typer.echo(f"{one.fact_id} {_fact_text(one.weighing)} {proof}", err=True)
    if not found or not all(one.is_proven for one in found):
        raise typer.Exit(EXIT_FINDING)


@journal_app.command("repair")
def journal_repair(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Compute everything that follows from the facts anew; the gateway must be stopped.

    The file before is kept aside. Facts that are damaged cannot be mended: then nothing is changed.
    """
    settings = with_name(load_config(config))
    path = journal_path(settings)
    with closing(take_lock(path)):
        if _is_whole(path):
            typer.echo(f"{path} is whole, nothing was changed", err=True)
            return
        gateway = settings.gateway
        kept = repair(path, gateway=gateway.code, warehouse=gateway.warehouse)
    typer.echo(f"mended; the damaged journal is kept as {kept}", err=True)


@journal_app.command("restore")
def journal_restore(
    folder: Annotated[
        Path | None,
        typer.Option("--from", help="The folder of the copy; else [journal] copy_directory."),
    ] = None,
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    sscc_gap: Annotated[
        int,
        typer.Option(
            "--sscc-gap",
            min=0,
            max=SSCC_GAP_COUNT_MAX,
            help="How many serial references of pallets to skip.",
        ),
    ] = SSCC_GAP_COUNT,
    as_json: JsonOption = False,
) -> None:
    """Make the journal anew from its copy on a second medium; the gateway must be stopped."""

    settings = with_name(load_config(config))
    path = journal_path(settings)
    with closing(take_lock(path)):
        restored = restore(
            path,
            folder or Path(settings.journal.copy_directory),
            gateway=settings.gateway.code,
            warehouse=settings.gateway.warehouse,
            sscc_gap_count=sscc_gap,
        )
    if as_json:
        _write_json(restored)
        return
    for line in restored_text(restored):
        typer.echo(line, err=True)


add_backup_commands(journal_app)


def restored_text(restored: Restored) -> list[str]:
    """Return what a restored journal holds, what it lacks and where its numbers go on."""
    lines = [f"restored {restored.facts_count} facts, up to number {restored.last_number}"]
    if restored.missing_count is None:
        lines.append("what was recorded after that is not in the copy; nobody knows how much")
    elif restored.missing_count:
        lines.append(f"NOT RESTORED: {restored.missing_count} facts after it are not in the copy")
    if restored.missing_acked_count:
        lines.append(f"of these the ledger has at least {restored.missing_acked_count}")
    if restored.kept:
        lines.append(f"the journal before is kept as {restored.kept}")
    lines.append(f"pallets go on after serial reference {restored.sscc_reference}")
    if restored.alibi_skipped_count:
        lines.append(f"each scale skips {restored.alibi_skipped_count} alibi numbers")
    if restored.labels_count:
        lines.append(f"{restored.labels_count} labels end as unknown: look whether they came out")
    return lines


def _is_whole(path: Path) -> bool:
    from gateway.journal.reading import open_reader  # noqa: PLC0415 - see journal/schema.py
    from gateway.journal.verify import verify_journal  # noqa: PLC0415

    try:
        with closing(open_reader(path)) as reader:
            return not verify_journal(reader).findings
    except JournalDamaged:
        return False


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
    if isinstance(fact, Passage):
        return f"{text} {fact.direction} at {fact.read_point}: {_tag_text(fact)}"
    if isinstance(fact, Print):
        return f"{text} {fact.printer} job {fact.job}: {fact.content}: {fact.outcome}"
    if isinstance(fact, Count):
        lot = f" lot {fact.lot}" if fact.lot else ""
        return f"{text} at {fact.location}: {fact.quantity} {fact.unit} {fact.item}{lot}"
    if isinstance(fact, Packing):
        return f"{text} {fact.action} {fact.parent}: {', '.join(fact.children)}"
    return f"{text} of {fact.reverses_epoch}/{fact.reverses_seq}"


def _tag_text(fact: Passage) -> str:
    keys = (("gtin", fact.gtin), ("serial", fact.serial), ("sscc", fact.sscc), ("grai", fact.grai))
    stated = "".join(f" {name} {value}" for name, value in keys if value)
    return f"{fact.epc}{stated}, {fact.reads_count} reads"
