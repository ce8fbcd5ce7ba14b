"""The command `dockledger-provision image`. Root."""

import tomllib
from pathlib import Path
from typing import Annotated

import typer

from provisioning.first_boot.card import (
    FOLDER,
    GROWTH_TAKEN,
    READ_ONLY_FLAG,
    CardPlan,
    Wifi,
    card_files,
    grows,
    with_growth,
    without_growth,
)
from provisioning.first_boot.errors import CardRefused
from provisioning.first_boot.writing import is_on_card, read_from_card, write_card

HERE = Path(__file__).parent
SCRIPTS = ("first-boot.sh", "start.sh", "dockledger-first-boot.service")
TEXT_BYTES_MAX = 1024 * 1024
USAGE = 2
KERNEL_WORDS = "cmdline.txt"
NAMELESS_HOST = "dockledger"  # Of a card that says no gateway's code; many Pis may have it.


def image(
    target: Annotated[
        Path, typer.Argument(help="The mounted boot partition of a card, or an image file.")
    ],
    *,
    package: Annotated[
        Path, typer.Option(help="The folder that `gateway-package` wrote for this gateway.")
    ],
    deb: Annotated[
        list[Path], typer.Option("--deb", help="The gateway's package; others that it needs, too.")
    ],
    host_name: Annotated[
        str, typer.Option(help="The machine's name; else the gateway's code.")
    ] = "",
    admin: Annotated[str, typer.Option(help="The user who looks after it.")] = "keeper",
    ssh_key: Annotated[
        Path | None, typer.Option(help="Public SSH keys of that user; without, nobody logs in.")
    ] = None,
    time_server: Annotated[
        list[str] | None, typer.Option("--time-server", help="Of the site; may be given again.")
    ] = None,
    time_zone: Annotated[str, typer.Option(help="For example Asia/Shanghai.")] = "UTC",
    wifi: Annotated[str, typer.Option(help="The name of a wireless network.")] = "",
    wifi_password_file: Annotated[Path | None, typer.Option(help="Its password.")] = None,
    wifi_country: Annotated[str, typer.Option(help="Whose regulations, e.g. CN.")] = "",
    update_settings: Annotated[Path | None, typer.Option(help="An update.toml.")] = None,
    update_key: Annotated[Path | None, typer.Option(help="The releases' public key.")] = None,
    read_only_root: Annotated[
        bool, typer.Option("--read-only-root", help="The root is only read; data lie apart.")
    ] = False,
) -> None:
    """Prepare Raspberry Pi OS so that a Pi becomes this gateway in its first boot, untouched."""
    try:
        gateway_toml = _text(package / "gateway.toml")
        code = str(tomllib.loads(gateway_toml)["gateway"]["code"])
        plan = CardPlan(
            host_name=host_name
            or code.lower().replace("_", "-").replace(".", "-")
            or NAMELESS_HOST,
            gateway_toml=gateway_toml,
            enrol_toml=_text(package / "dockledger-enrol.toml"),
            admin_name=admin,
            admin_keys=_lines(ssh_key),
            time_servers=tuple(time_server or ()),
            wifi=_wifi(wifi, wifi_password_file, wifi_country),
            time_zone=time_zone,
            update_toml=_text(update_settings) if update_settings else "",
            update_public_key=_text(update_key) if update_key else "",
            read_only_root=read_only_root,
        )
        debs = {f"{FOLDER}/debs/{path.name}": _existing(path) for path in deb}
        write_card(target, _files(plan, target), debs, gone=_gone(plan))
    except CardRefused as error:
        typer.echo(f"error: {error}\nhint: {error.hint}", err=True)
        raise typer.Exit(USAGE) from error
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        typer.echo(f"error: {package}/gateway.toml names no gateway: {error}\n", err=True)
        raise typer.Exit(USAGE) from error
    becomes = f"makes a Pi the gateway {code}" if code else "lets a Pi show a code"
    typer.echo(f"{target} {becomes}. Put the card in and switch it on.")


def _files(plan: CardPlan, target: Path) -> dict[str, bytes]:
    scripts = {name: (HERE / name).read_bytes() for name in SCRIPTS}
    files = card_files(plan, scripts=scripts)
    flag = read_from_card(target, READ_ONLY_FLAG) if is_on_card(target, READ_ONLY_FLAG) else b""
    if plan.read_only_root:
        words = read_from_card(target, KERNEL_WORDS)
        if grows(words) or flag == GROWTH_TAKEN:
            files[READ_ONLY_FLAG] = GROWTH_TAKEN  # Written before cmdline.txt: a cut loses nothing.
        return {READ_ONLY_FLAG: files[READ_ONLY_FLAG], KERNEL_WORDS: without_growth(words), **files}
    if flag == GROWTH_TAKEN:
        return {KERNEL_WORDS: with_growth(read_from_card(target, KERNEL_WORDS)), **files}
    return files


def _gone(plan: CardPlan) -> tuple[str, ...]:
    """Return what an earlier preparation left, and is not wanted any more."""
    return () if plan.read_only_root else (READ_ONLY_FLAG,)


def _wifi(ssid: str, password_file: Path | None, country: str) -> Wifi | None:
    if not ssid:
        return None
    if password_file is None:
        raise CardRefused(
            "the Wi-Fi has no password", hint="Write it into a file; give --wifi-password-file."
        )
    return Wifi(ssid, _text(password_file).strip("\r\n"), country)


def _lines(path: Path | None) -> tuple[str, ...]:
    if path is None:
        return ()
    lines = (line.strip() for line in _text(path).splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def _existing(path: Path) -> Path:
    if path.suffix != ".deb" or not path.is_file():
        raise CardRefused(
            f"{path} is no package", hint="Build one with `dockledger-provision deb gateway`."
        )
    return path


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(TEXT_BYTES_MAX + 1)
        if len(data) > TEXT_BYTES_MAX:
            raise CardRefused(f"{path} is too large", hint="Name the right file.")
        return data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CardRefused(
            f"{path} cannot be read: {error}", hint="Name a text file that is there."
        ) from error
