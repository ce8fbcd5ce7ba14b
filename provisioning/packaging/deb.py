"""Builds the Debian packages of gateway and central with dpkg-deb alone. Edge of the disk.

    /usr/lib/dockledger-gateway/release/          the wheels and their manifest
    /usr/lib/dockledger-gateway/dockledger-update the update agent, one file for Debian's Python
    /usr/lib/dockledger-gateway/dockledger-root   a root that is only read, made in the same way
    /usr/lib/systemd/system/, udev/rules.d/, ...  of `systemd/` in the source tree
    /etc/dockledger-gateway/update.toml           a conffile

The environment is built by postinst, offline, from the wheels: a virtual environment cannot be
moved, and one package serves Debian 12 and 13, whose Pythons differ.
"""

import gzip
import io
import shutil
import zipapp
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from provisioning.packaging.programs import run
from provisioning.packaging.wheelhouse import Wheelhouse

Kind = Literal["gateway", "central"]
SCRIPTS = Path(__file__).parent / "debian"
# dpkg's names of what uname -m says.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
MAINTAINER = "Dockledger maintainers <maintainers@dockledger.example>"
# Where systemd, udev and their like look, by the file's place in the source tree.
GATEWAY_FILES = {
    "dockledger-gateway.service": "usr/lib/systemd/system/dockledger-gateway.service",
    "dockledger-gateway-backup.service": (
        "usr/lib/systemd/system/dockledger-gateway-backup.service"
    ),
    "dockledger-gateway-backup.timer": "usr/lib/systemd/system/dockledger-gateway-backup.timer",
    "dockledger-clock.service": "usr/lib/systemd/system/dockledger-clock.service",
    "dockledger-update.service": "usr/lib/systemd/system/dockledger-update.service",
    "dockledger-update-guard.service": "usr/lib/systemd/system/dockledger-update-guard.service",
    "dockledger-restart.path": "usr/lib/systemd/system/dockledger-restart.path",
    "dockledger-restart.service": "usr/lib/systemd/system/dockledger-restart.service",
    "dockledger-memory.service": "usr/lib/systemd/system/dockledger-memory.service",
    "apt-daily.service.d/dockledger.conf": (
        "usr/lib/systemd/system/apt-daily.service.d/dockledger.conf"
    ),
    "apt-daily-upgrade.service.d/dockledger.conf": (
        "usr/lib/systemd/system/apt-daily-upgrade.service.d/dockledger.conf"
    ),
    "dphys-swapfile.service.d/dockledger.conf": (
        "usr/lib/systemd/system/dphys-swapfile.service.d/dockledger.conf"
    ),
    "70-dockledger.rules": "usr/lib/udev/rules.d/70-dockledger.rules",
    "dockledger-gateway.sysusers": "usr/lib/sysusers.d/dockledger-gateway.conf",
    "dockledger-gateway.tmpfiles": "usr/lib/tmpfiles.d/dockledger-gateway.conf",
    "dockledger-gateway.modules-load": "usr/lib/modules-load.d/dockledger-gateway.conf",
    "journald.conf.d/dockledger.conf": "usr/lib/systemd/journald.conf.d/dockledger.conf",
    "system.conf.d/dockledger.conf": "usr/lib/systemd/system.conf.d/dockledger.conf",
}
CENTRAL_FILES = {
    "dockledger-central.service": "usr/lib/systemd/system/dockledger-central.service",
    "dockledger-intake@.service": "usr/lib/systemd/system/dockledger-intake@.service",
    "dockledger-broker-reload.path": "usr/lib/systemd/system/dockledger-broker-reload.path",
    "dockledger-broker-reload.service": "usr/lib/systemd/system/dockledger-broker-reload.service",
    "dockledger-backup.service": "usr/lib/systemd/system/dockledger-backup.service",
    "dockledger-backup.timer": "usr/lib/systemd/system/dockledger-backup.timer",
    "dockledger-drill.service": "usr/lib/systemd/system/dockledger-drill.service",
    "dockledger-drill.timer": "usr/lib/systemd/system/dockledger-drill.timer",
    "dockledger-central.sysusers": "usr/lib/sysusers.d/dockledger-central.conf",
    "dockledger-central.tmpfiles": "usr/lib/tmpfiles.d/dockledger-central.conf",
}
# Of central, for the broker beside it: examples, for another package owns their places.
BROKER_EXAMPLES = (
    "mosquitto/dockledger.conf",
    "mosquitto.service.d/dockledger.conf",
    "mosquitto.service.d/heard-by-dockledger.conf",
    "run-dockledger-broker.mount",
)

# Programs for Debian's Python, each in one file, and what starts them.
UPDATE_PROGRAM = {"dockledger-update": "provisioning.updating.__main__:main"}
ROOT_PROGRAM = {"dockledger-root": "provisioning.read_only_root.__main__:main"}


@dataclass(frozen=True, slots=True)
class Shape:
    """What is different about a package. depends, recommends: as in its control file.

    programs: beside the release, with what starts them. administration: those of them in /usr/sbin.
    """

    files: Mapping[str, str]
    depends: str
    recommends: str
    description: str
    documents: tuple[str, ...]
    settings: Mapping[str, str]
    commands: tuple[str, ...] = ()
    programs: Mapping[str, str] = field(default_factory=lambda: UPDATE_PROGRAM)
    administration: tuple[str, ...] = ()


BASE_DEPENDS = "python3-cryptography, systemd, debconf (>= 0.5), init-system-helpers, util-linux"
SHAPES: dict[Kind, Shape] = {
    "gateway": Shape(
        files=GATEWAY_FILES,
        depends=f"{BASE_DEPENDS}, udev, libudev1, libstdc++6, e2fsprogs, kmod",
        recommends="chrony | systemd-timesyncd",
        description="edge gateway for warehouse hardware\n"
        " Reads scanners, scales and RFID readers, prints labels, keeps every fact in a\n"
        " journal and sends it to the central ledger.",
        documents=("gateway/README.md", "gateway/gateway.example.toml"),
        settings={"update.toml": "etc/dockledger-gateway/update.toml"},
        programs=UPDATE_PROGRAM | ROOT_PROGRAM,
        administration=("dockledger-root",),
    ),
    "central": Shape(
        files=CENTRAL_FILES,
        depends=f"{BASE_DEPENDS}, libstdc++6",
        recommends="fonts-wqy-microhei",
        description="central stock ledger of many warehouses\n"
        " Takes facts from gateways, posts them by double entry, serves pages and API.",
        documents=("central/README.md", "central/central.example.toml"),
        settings={
            "central.toml": "etc/dockledger-central/central.toml",
            "install.toml": "usr/lib/dockledger-central/install.toml",
        },
        # Claims and cards are made where the authority is.
        commands=("dockledger-provision",),
    ),
}


def build_deb(source: Path, house: Wheelhouse, *, kind: Kind, machine: str, into: Path) -> Path:
    """Build the package of a wheelhouse with its manifest; return the path. Raises ToolFailed."""
    name = f"dockledger-{kind}"
    architecture = ARCHITECTURES.get(machine, machine)
    root = into / f"{name}.root"
    shutil.rmtree(root, ignore_errors=True)
    shape = SHAPES[kind]
    lib = root / "usr/lib" / name
    shutil.copytree(house.folder, lib / "release")
    for program, main in shape.programs.items():
        _write_program(lib / program, main)
    for place, target in shape.files.items():
        _copy(source / "systemd" / place, root / target)
    for file, target in shape.settings.items():
        _copy(SCRIPTS / file, root / target)
    _write_documents(source, root / "usr/share/doc" / name, shape, kind)
    (root / "usr/bin").mkdir(parents=True)
    for command in (name, *shape.commands):
        (root / "usr/bin" / command).symlink_to(f"/opt/{name}/current/bin/{command}")
    for command in shape.administration:
        (root / "usr/sbin").mkdir(exist_ok=True)
        (root / "usr/sbin" / command).symlink_to(f"../lib/{name}/{command}")
    _write_control(root, house, kind=kind, architecture=architecture)
    path = into / f"{name}_{house.version}_{architecture}.deb"
    hint = "Install dpkg, on Debian or Raspberry Pi OS."
    # Wheels are compressed already.
    run(
        ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", str(root), str(path)],
        hint=hint,
    )
    shutil.rmtree(root)
    return path


def _write_program(path: Path, main: str) -> None:
    """Write a program as one file, for a Python without any package of ours."""
    folder = path.with_suffix(".source")
    package = folder / "provisioning"
    ours = Path(__file__).parents[1]
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", "*.md")
    for name in ("updating", "read_only_root"):
        shutil.copytree(ours / name, package / name, ignore=ignored)
    shutil.copy(ours / "__init__.py", package / "__init__.py")
    data = io.BytesIO()
    # -I: no folder, variable or package of a user is in its way.
    zipapp.create_archive(folder, data, interpreter="/usr/bin/python3 -I", main=main)
    path.write_bytes(data.getvalue())
    path.chmod(0o755)
    shutil.rmtree(folder)


def _write_documents(source: Path, folder: Path, shape: Shape, kind: Kind) -> None:
    for document in shape.documents:
        _copy(source / document, folder / Path(document).name)
    _copy(source / "LICENSE", folder / "copyright")
    if kind == "gateway":
        _copy(source / "provisioning/updating/README.md", folder / "UPDATING.md")
        _copy(source / "provisioning/read_only_root/README.md", folder / "READ_ONLY_ROOT.md")
    else:
        for example in BROKER_EXAMPLES:
            _copy(source / "systemd" / example, folder / "examples" / example)
    text = f"dockledger-{kind} is described in README.md beside this file.\n"
    with gzip.GzipFile(folder / "changelog.gz", "wb", mtime=0) as file:
        file.write(text.encode())


def python_depends(house: Wheelhouse) -> str:
    """Return the Pythons for which there are wheels, as a package depends on them."""
    minors = sorted(int(target.python.split(".")[1]) for target, _ in house.wheels)
    return f"python3 (>= 3.{minors[0]}), python3 (<< 3.{minors[-1] + 1})"


def _write_control(root: Path, house: Wheelhouse, *, kind: Kind, architecture: str) -> None:
    shape, folder = SHAPES[kind], root / "DEBIAN"
    folder.mkdir()
    size_kib = sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) // 1024
    (folder / "control").write_text(
        f"Package: dockledger-{kind}\n"
        f"Version: {house.version}\n"
        f"Architecture: {architecture}\n"
        f"Maintainer: {MAINTAINER}\n"
        "Section: misc\nPriority: optional\n"
        f"Installed-Size: {size_kib}\n"
        f"Depends: {python_depends(house)}, {shape.depends}\n"
        f"Recommends: {shape.recommends}\n"
        f"Description: {shape.description}\n",
        encoding="utf-8",
    )
    for name in ("postinst", "prerm", "postrm"):
        _copy(SCRIPTS / f"{kind}.{name}", folder / name, mode=0o755)
    for name in ("templates", "conffiles", "triggers"):
        _copy(SCRIPTS / f"{kind}.{name}", folder / name)


def _copy(source: Path, target: Path, *, mode: int = 0o644) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(mode)
