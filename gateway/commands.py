"""The gateway's commands, all of them: those that begin services, and the others. Root."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from gateway.compose import gateway_identity
from gateway.config import load_config
from gateway.devices.check import check_devices
from gateway.devices.claim_commands import devices_app
from gateway.devices.device_commands import device_app
from gateway.errors import GatewayError, TemplateInvalid
from gateway.identity.settings import with_name
from gateway.journal_commands import journal_app
from gateway.service import EXIT_FINDING, end_with
from gateway.starting import DEFAULT_CONFIG, ConfigOption, app
from gateway.station.templates.files import labels_folder, load_templates
from gateway.station.templates.model import Language

app.add_typer(journal_app, name="journal")
app.add_typer(device_app, name="device")
app.add_typer(devices_app, name="devices")


JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON lines to standard output.")]


@app.command("check-devices")
def check_devices_command(
    *, config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False
) -> None:
    """Check the configuration and open each device once. Exit status 1 if one is not ready."""
    all_ready = True
    for check in check_devices(with_name(load_config(config)), config_path=config):
        all_ready = all_ready and check.ready
        if as_json:
            _write_json(check)
        else:
            state = "ready" if check.ready else f"NOT READY: {check.detail} {check.hint}"
            typer.echo(f"{check.name} ({check.driver}): {state}", err=True)
    if not all_ready:
        raise typer.Exit(EXIT_FINDING)


@app.command()
def identity(*, config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Show the gateway's code and public key, for its enrolment at central."""
    shown = gateway_identity(with_name(load_config(config)))
    if as_json:
        _write_json(shown)
    else:
        typer.echo(f"gateway    {shown.gateway}", err=True)
        typer.echo(f"public key {shown.public_key}", err=True)


@app.command()
def enrol(
    file: Annotated[Path, typer.Option("--file", help="The enrolment file of this gateway.")],
    *,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Become the gateway of an enrolment file now. The service does so by itself."""
    from gateway.identity.child import enrol_now  # noqa: PLC0415 - X.509, as no other needs

    identity = enrol_now(load_config(config), file)
    typer.echo(f"enrolled: {identity.gateway}, until {identity.expires_at}", err=True)


@app.command("preview-label")
def preview_label_command(
    name: Annotated[str, typer.Argument(help="The template: bin, pallet or one of yours.")],
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    labels: Annotated[
        Path | None,
        typer.Option("--labels", help="The folder of your templates; no configuration is read."),
    ] = None,
    field: Annotated[
        list[str] | None, typer.Option("--field", help="NAME=VALUE; may be given again.")
    ] = None,
    language: Annotated[Language, typer.Option("--language")] = "en",
    to: Annotated[Path, typer.Option("--to", help="The PNG to write.")] = Path("label.png"),
) -> None:
    """Draw a label with example values, or those given, as a PNG. Exit status 2 if it cannot be."""
    from gateway.screen.label_preview import preview_png  # noqa: PLC0415 - draws, as no other does

    found = load_templates(labels or labels_folder(load_config(config).gateway.data_directory))
    for fault in found.faults:
        typer.echo(f"NOT USED: {fault.reason}. {fault.hint}", err=True)
    template = found.find(name)
    if template is None:
        known = ", ".join(one.name for one in found.templates)
        raise TemplateInvalid(f"there is no template {name}", hint=f"Name one of these: {known}.")
    given = tuple((one.partition("=")[0], one.partition("=")[2]) for one in field or [])
    try:
        to.write_bytes(preview_png(template, language=language, given=given))
    except OSError as error:
        raise TemplateInvalid(
            f"{to} cannot be written: {error.strerror}", hint="Name another file with --to."
        ) from error
    typer.echo(f"written: {to}", err=True)


def run_commands() -> None:
    """Run the command line; what the world does wrong becomes one sentence and an exit status."""
    try:
        app()
    except GatewayError as error:
        end_with(error)


def _write_json(value: object) -> None:
    typer.echo(msgspec.json.encode(value).decode())
