"""The commands `dockledger-provision release` and `deb`. Root."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from gateway.release import CENTRAL_MIN
from provisioning.packaging.deb import SHAPES, Kind, build_deb
from provisioning.packaging.errors import PackagingError
from provisioning.packaging.release import (
    DAY_S,
    Terms,
    change_rings,
    parse_ring,
    sign_release,
    write_manifest,
)
from provisioning.packaging.wheelhouse import Target, Wheelhouse, buildable, collect_wheels
from provisioning.updating.clock import SystemClock
from provisioning.updating.errors import UpdateError
from provisioning.updating.signatures import new_key_pair

SOURCE = Path(__file__).resolve().parents[2]
# The Pythons of Debian 12 and 13.
PYTHONS = ("3.11", "3.13")
EXPIRES_DAYS = 90

release_app = typer.Typer(help="Signed releases for the update agents.", no_args_is_help=True)

TargetsOption = Annotated[
    list[str] | None,
    typer.Option("--target", help="PYTHON:MACHINE, e.g. 3.13:aarch64; may be given again."),
]
WheelsOption = Annotated[
    list[Path] | None,
    typer.Option("--wheels", help="A folder of wheels built on a machine of that kind."),
]


@release_app.command("new-key")
def new_key(
    to: Annotated[Path, typer.Argument(help="The private key; FILE.pub is its public key.")],
) -> None:
    """Make the key that signs releases. Keep it away from every network."""
    private, public = new_key_pair()
    with _errors_named():
        _write_new(to, private, mode=0o600)
        _write_new(to.with_name(to.name + ".pub"), public, mode=0o644)
    typer.echo(f"Private key: {to}\nPublic key:  {to}.pub, for update.pub of every gateway")


@release_app.command("build")
def build_release(
    to: Annotated[Path, typer.Argument(help="The folder, new or empty.")],
    *,
    key: Annotated[Path | None, typer.Option(help="Sign with this key at once.")] = None,
    target: TargetsOption = None,
    wheels: WheelsOption = None,
    ring: Annotated[
        list[str] | None, typer.Option("--ring", help="NAME=PERCENT; may be given again.")
    ] = None,
    expires_days: Annotated[
        int, typer.Option(help="After that no gateway takes it.")
    ] = EXPIRES_DAYS,
    downgrade: Annotated[
        bool, typer.Option("--downgrade", help="It may replace a newer release.")
    ] = False,
    central_min: Annotated[
        str, typer.Option("--central-min", help="Gateways wait until central is this version.")
    ] = CENTRAL_MIN,
) -> None:
    """Make a release of this checkout: wheels, manifest and signature, for a mirror or a stick."""
    with _errors_named():
        now_s = SystemClock().now_s()
        terms = Terms(
            released_s=now_s,
            expires_s=now_s + expires_days * DAY_S,
            rings=tuple(parse_ring(one) for one in ring or ["first=100", "rest=0"]),
            downgrade=downgrade,
            central_min=central_min,
        )
        house = _collected(to, "gateway", target, wheels)
        write_manifest(house, product="dockledger-gateway", terms=terms)
        if key is not None:
            sign_release(to, key)
    signed = "signed" if key is not None else "not signed yet"
    typer.echo(f"Release {house.version} is in {to}, {signed}.")


@release_app.command("sign")
def sign(
    folder: Annotated[Path, typer.Argument(help="The folder of the release.")],
    *,
    key: Annotated[Path, typer.Option(help="The private key.")],
) -> None:
    """Sign the manifest of a release, on the machine that has the key."""
    with _errors_named():
        version = sign_release(folder, key)
    typer.echo(f"Release {version} is signed.")


@release_app.command("roll-out")
def roll_out(
    folder: Annotated[Path, typer.Argument(help="The folder of the release.")],
    *,
    ring: Annotated[list[str], typer.Option("--ring", help="NAME=PERCENT; may be given again.")],
    key: Annotated[Path, typer.Option(help="The private key.")],
) -> None:
    """Let more gateways take a release: set rings, and sign anew."""
    with _errors_named():
        change_rings(folder, [parse_ring(one) for one in ring])
        version = sign_release(folder, key)
    typer.echo(f"Release {version} is signed for {', '.join(ring)}.")


def deb(
    kind: Annotated[str, typer.Argument(help="gateway or central.")],
    *,
    to: Annotated[Path, typer.Option(help="The folder for the package.")] = Path("dist"),
    target: TargetsOption = None,
    wheels: WheelsOption = None,
) -> None:
    """Build a Debian package that installs without any network on Debian 12 and 13."""
    with _errors_named():
        if kind not in SHAPES:
            raise PackagingError(f"{kind!r} is no package", hint="Write gateway or central.")
        chosen: Kind = "gateway" if kind == "gateway" else "central"
        folder = to / f"{kind}.wheels"
        shutil.rmtree(folder, ignore_errors=True)  # Of an earlier run, perhaps a broken one.
        house = _collected(folder, kind, target, wheels)
        now_s = SystemClock().now_s()
        terms = Terms(released_s=now_s, expires_s=now_s, rings=())
        write_manifest(house, product=f"dockledger-{kind}", terms=terms)
        machine = house.wheels[0][0].machine
        path = build_deb(SOURCE, house, kind=chosen, machine=machine, into=to)
    typer.echo(str(path))


def _collected(
    to: Path, extra: str, targets: list[str] | None, wheels: list[Path] | None
) -> Wheelhouse:
    chosen = [Target.parse(one) for one in targets or buildable(PYTHONS, extra)]
    if len({one.machine for one in chosen}) > 1 and extra == "central":
        raise PackagingError("a package is for one kind of machine", hint="Build each by itself.")
    if to.exists():
        if any(path.suffix not in {".whl", ".json", ".sig"} for path in to.iterdir()):
            raise PackagingError(f"{to} holds something else", hint="Name a new folder.")
        for path in to.iterdir():
            path.unlink()
    return collect_wheels(SOURCE, to, extra=extra, targets=chosen, built=wheels or [])


def _write_new(path: Path, data: bytes, *, mode: int) -> None:
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except OSError as error:
        raise PackagingError(
            f"{path} cannot be made: {error.strerror}", hint="Name a file that is not there yet."
        ) from error
    with os.fdopen(number, "wb") as file:
        file.write(data)


@contextmanager
def _errors_named() -> Iterator[None]:
    try:
        yield
    except (PackagingError, UpdateError) as error:
        typer.echo(f"error: {error}\nhint: {error.hint}", err=True)
        raise typer.Exit(2) from error
