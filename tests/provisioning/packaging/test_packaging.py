"""Wheels are those of the lock file; releases are signed; packages are sound. Edge of dpkg-deb."""

import json
import shutil
import subprocess
import sys
import tomllib
from inspect import signature

import pytest
from typer.testing import CliRunner

from central.config import load_config
from gateway.release import CENTRAL_MIN
from provisioning.__main__ import app
from provisioning.packaging.commands import build_release
from provisioning.packaging.deb import SCRIPTS, build_deb, python_depends
from provisioning.packaging.locked import name_of_wheel, parse_lock
from provisioning.packaging.release import Terms, write_manifest
from provisioning.packaging.wheelhouse import Target, Wheelhouse, buildable
from provisioning.updating.agent import offered_release
from provisioning.updating.errors import ReleaseRefused, SourceUnreachable
from provisioning.updating.manifest import parse_manifest
from provisioning.updating.source import FolderSource
from tests.house.source_tree import ROOT
from tests.provisioning.updating.releases import make_wheel, manifest_of

LOCK = """# comment
evdev==2.0.0 ; sys_platform == 'linux' \\
    --hash=sha256:{a}
zxing-cpp==3.1.1 \\
    --hash=sha256:{b} \\
    --hash=sha256:{c}
"""


def command(*words):
    """Run `dockledger-provision`."""
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})


def test_the_lock_file_says_versions_and_digests():
    digests = {name: name * 64 for name in "abc"}
    locked = parse_lock(LOCK.format(**digests))
    assert "evdev==2.0.0 ; sys_platform == 'linux'" in locked.constraints
    assert locked.digests["zxing-cpp"] == {digests["b"], digests["c"]}
    assert name_of_wheel("zxing_cpp-3.1.1-cp311-cp311-linux_x86_64.whl") == "zxing-cpp"


def test_the_real_lock_file_has_a_digest_for_everything():
    locked = parse_lock((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    assert set(locked.versions) == set(locked.digests)
    assert {"evdev", "msgspec", "pip"} <= set(locked.versions)


@pytest.fixture
def release(tmp_path):
    """A folder with one wheel and its manifest, not signed."""
    folder = tmp_path / "release"
    folder.mkdir()
    make_wheel(folder, "1.2.0", "good")
    manifest = manifest_of(folder, "1.2.0", rings=[{"name": "rest", "percent": 0}])
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("echo not this one >&2; exit 127", ["3.11"]),
        ("echo 3.12", ["3.11"]),
        ("echo 3.13", ["3.11", "3.13"]),
    ],
    ids=["a shim that starts nothing", "another version", "the Python that it is called"],
)
def test_a_python_counts_only_if_it_starts(tmp_path, monkeypatch, script, found):
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    other = "3.13" if running != "3.13" else "3.11"
    path = tmp_path / f"python{other}"
    path.write_text(f"#!/bin/sh\n{script.replace('3.13', other)}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    wanted = [running, *(other for one in found if one == "3.13")]
    assert buildable([running, other], "gateway") == wanted


def test_a_key_is_made_once_and_signs_releases(tmp_path, release):
    key = tmp_path / "update.key"
    assert command("release", "new-key", key).exit_code == 0
    assert key.stat().st_mode & 0o777 == 0o600
    assert command("release", "new-key", key).exit_code == 2
    public = tmp_path / "update.key.pub"
    with pytest.raises(SourceUnreachable, match=r"manifest\.json\.sig"):
        offered_release(FolderSource(release), public)
    assert "1.2.0 is signed" in command("release", "sign", release, "--key", key).output
    assert offered_release(FolderSource(release), public).version == "1.2.0"


def test_a_roll_out_goes_on_by_signing_anew(tmp_path, release):
    key = tmp_path / "update.key"
    command("release", "new-key", key)
    command("release", "sign", release, "--key", key)
    done = command("release", "roll-out", release, "--ring", "rest=10", "--key", key)
    assert done.exit_code == 0, done.output
    offered = offered_release(FolderSource(release), tmp_path / "update.key.pub")
    assert [(ring.name, ring.percent) for ring in offered.rings] == [("rest", 10)]


def test_a_manifest_that_is_changed_by_hand_is_not_taken(tmp_path, release):
    key = tmp_path / "update.key"
    command("release", "new-key", key)
    command("release", "sign", release, "--key", key)
    path = release / "manifest.json"
    path.write_text(path.read_text("utf-8").replace('"percent": 0', '"percent": 100'), "utf-8")
    with pytest.raises(ReleaseRefused, match="not signed by a key"):
        offered_release(FolderSource(release), tmp_path / "update.key.pub")


WRONG = {
    "a ring without a number": (["roll-out", "{}", "--ring", "rest", "--key", "k"], "no ring"),
    "more than all": (["roll-out", "{}", "--ring", "rest=101", "--key", "k"], "no ring"),
    "no release": (["sign", "{}/nothing", "--key", "k"], "cannot be read"),
    "no key": (["sign", "{}", "--key", "nothing"], "cannot be used as a private key"),
}


@pytest.mark.parametrize(("words", "said"), WRONG.values(), ids=WRONG)
def test_a_mistake_is_named(release, words, said):
    done = command("release", *(word.format(release) for word in words))
    assert done.exit_code == 2
    assert said in done.output


@pytest.mark.parametrize("least", ["", "9.8"], ids=["for any", "for a newer one"])
def test_a_release_says_for_which_central_it_is(release, least):
    house = Wheelhouse(release, "1.2.0", ())
    terms = Terms(released_s=0, expires_s=1, rings=(), central_min=least)
    write_manifest(house, product="dockledger-gateway", terms=terms)
    assert parse_manifest((release / "manifest.json").read_bytes()).central_min == least


def test_a_release_needs_the_central_that_its_sources_name():
    assert signature(build_release).parameters["central_min"].default == CENTRAL_MIN


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg is not installed")
@pytest.mark.parametrize("kind", ["gateway", "central"])
def test_a_package_holds_what_its_scripts_and_units_name(tmp_path, release, kind):
    wheels = tuple(path.name for path in release.glob("*.whl"))
    targets = ((Target("3.11", "aarch64"), wheels), (Target("3.13", "aarch64"), wheels))
    house = Wheelhouse(release, "1.2.0", targets)
    path = build_deb(ROOT, house, kind=kind, machine="aarch64", into=tmp_path)
    assert path.name == f"dockledger-{kind}_1.2.0_arm64.deb"
    assert python_depends(house) == "python3 (>= 3.11), python3 (<< 3.14)"
    root = tmp_path / "unpacked"
    subprocess.run(["dpkg-deb", "--raw-extract", path, root], check=True)
    lib = root / f"usr/lib/dockledger-{kind}"
    assert {one.name for one in (lib / "release").iterdir()} == {*wheels, "manifest.json"}
    shown = subprocess.run([lib / "dockledger-update", "--help"], capture_output=True, check=False)
    assert shown.returncode == 0 or b"cryptography" in shown.stderr  # Debian's, if it is there.
    if kind == "gateway":
        switch = root / "usr/sbin/dockledger-root"
        shown = subprocess.run([switch, "read-only", "--help"], capture_output=True, check=True)
        assert b"--data" in shown.stdout
    for name in ("postinst", "prerm", "postrm"):
        script = root / "DEBIAN" / name
        assert script.stat().st_mode & 0o111
        subprocess.run(["sh", "-n", script], check=True)
        text = script.read_text(encoding="utf-8")
        for word in text.replace('"', " ").replace("'", " ").split():
            if word.startswith("dockledger-") and word.endswith((".service", ".path")):
                unit = word.replace("@*", "@")
                assert (root / "usr/lib/systemd/system" / unit).exists(), f"{name}: {word}"
    for conffile in (root / "DEBIAN/conffiles").read_text("utf-8").split():
        assert (root / conffile.lstrip("/")).is_file()


def test_every_file_of_systemd_is_in_a_package_or_an_example():
    text = (ROOT / "provisioning/packaging/deb.py").read_text(encoding="utf-8")
    folder = ROOT / "systemd"
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "README.md"]
    assert not [path for path in files if f'"{path.relative_to(folder)}"' not in text]


def test_the_settings_that_the_packages_bring_are_understood():
    config = load_config(SCRIPTS / "central.toml")
    assert config.database.url.startswith("sqlite:////var/lib/dockledger-central/")
    assert tomllib.loads((SCRIPTS / "update.toml").read_text(encoding="utf-8"))["source"] == ""


def test_what_purge_would_delete_it_asks_for_and_the_answer_is_no():
    deletes = {"gateway": 'clear_folder "$DATA"', "central": 'rm -rf "$DATA"'}
    for kind, words in deletes.items():
        questions = (SCRIPTS / f"{kind}.templates").read_text(encoding="utf-8")
        assert "Default: false" in questions
        removal = (SCRIPTS / f"{kind}.postrm").read_text(encoding="utf-8")
        before, after = removal.split('if [ "$answer" = true ]; then')
        assert words not in before
        assert words in after
