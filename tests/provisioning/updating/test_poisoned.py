"""What is forged, changed, cut off, older or too large is refused, and says why. Edge of the disk.

Nothing of it may reach the folder of releases, and the link of what runs stays as it was.
"""

import json
import os
import ssl
import subprocess
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from provisioning.updating.agent import Agent
from provisioning.updating.clock import SystemClock
from provisioning.updating.settings import load_settings
from provisioning.updating.state import State, load_state, save_state
from tests.ports import steady_port
from tests.provisioning.updating.releases import (
    make_keys,
    make_release,
    manifest_of,
    write_manifest,
)
from tests.provisioning.updating.site import Site


@pytest.fixture
def site(tmp_path):
    """A gateway that runs 1.0.0; no environment is built for these tests."""
    site = Site(tmp_path / "site")
    (site.root / "releases/1.0.0").mkdir(parents=True)
    (site.root / "releases/1.0.0/.complete").write_text("1.0.0\n", encoding="ascii")
    (site.root / "current").symlink_to("releases/1.0.0")
    return site


def said_after_a_turn(site):
    """Let the agent look once; return what it says."""
    Agent(site.settings, clock=SystemClock(), asked=lambda: None).turn()
    assert str((site.root / "current").readlink()) == "releases/1.0.0"
    assert [path.name for path in (site.root / "releases").iterdir()] == ["1.0.0"]
    return site.report()["said"]


def wheel_of(site):
    return next(site.mirror.glob("dockledger-*.whl"))


def change_a_wheel(site):
    data = bytearray(wheel_of(site).read_bytes())
    data[len(data) // 2] ^= 1
    wheel_of(site).write_bytes(bytes(data))


def cut_a_wheel(site):
    wheel_of(site).write_bytes(wheel_of(site).read_bytes()[:-1])


def lengthen_a_wheel(site):
    wheel_of(site).write_bytes(wheel_of(site).read_bytes() + b"more")


def remove_a_wheel(site):
    wheel_of(site).unlink()


def change_the_manifest(site):
    path = site.mirror / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"1.1.0"', b'"1.1.1"'))


def cut_the_manifest(site):
    path = site.mirror / "manifest.json"
    path.write_bytes(path.read_bytes()[:-10])


def cut_the_signature(site):
    path = site.mirror / "manifest.json.sig"
    path.write_bytes(path.read_bytes()[:-20])


def sign_with_another_key(site):
    other, _ = make_keys(site.folder / "others")
    make_release(site.mirror, "1.1.0", other)


def offer_what_is_older(site):
    make_release(site.mirror, "0.9.0", site.key)


def offer_what_has_expired(site):
    make_release(site.mirror, "1.1.0", site.key, expires_s=1_795_000_001)


def offer_to_others_only(site):
    rings = [{"name": "first", "percent": 100}, {"name": "rest", "percent": 0}]
    make_release(site.mirror, "1.1.0", site.key, rings=rings)


def lead_out_of_the_folder(site):
    manifest = manifest_of(site.mirror, "1.1.0")
    manifest["files"][0]["name"] = "../../etc/evil.whl"
    write_manifest(site.mirror, manifest, site.key)


def lead_out_by_the_version(site):
    write_manifest(site.mirror, manifest_of(site.mirror, "../1.1.0"), site.key)


def offer_for_another_machine(site):
    environments = [{"python": "3.99", "machine": "pdp11", "wheels": []}]
    make_release(site.mirror, "1.1.0", site.key, environments=environments)


def promise_the_impossible(site):
    manifest = manifest_of(site.mirror, "1.1.0")
    manifest["files"][0]["size"] = 2**40
    write_manifest(site.mirror, manifest, site.key)


def fill_the_manifest(site):
    (site.mirror / "manifest.json").write_bytes(b" " * 300_000)


def take_the_mirror_away(site):
    (site.mirror / "manifest.json").unlink()


POISONS = {
    change_a_wheel: "is not what was signed",
    cut_a_wheel: "bytes instead of",
    lengthen_a_wheel: "more than the",
    remove_a_wheel: "No such file",
    change_the_manifest: "not signed by a key",
    cut_the_manifest: "not signed by a key",
    cut_the_signature: "cut off",
    sign_with_another_key: "not signed by a key",
    offer_what_is_older: "release 0.9.0: older",
    offer_what_has_expired: "release 1.1.0: expired",
    offer_to_others_only: "release 1.1.0: not_chosen",
    lead_out_of_the_folder: "stands where it cannot",
    lead_out_by_the_version: "stands where it cannot",
    offer_for_another_machine: "has nothing for Python",
    promise_the_impossible: "no number from 0",
    fill_the_manifest: "has more than",
    take_the_mirror_away: "No such file",
}


@pytest.mark.parametrize("poison", POISONS, ids=lambda poison: poison.__name__)
def test_what_is_not_right_is_refused_with_its_reason(site, poison):
    make_release(site.mirror, "1.1.0", site.key)
    poison(site)
    assert POISONS[poison] in said_after_a_turn(site)


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
def test_what_an_administrator_writes_belongs_to_the_agent(tmp_path):
    elsewhere, agent = tmp_path / "elsewhere", 54321
    elsewhere.write_text("kept")
    folder = tmp_path / "state"
    folder.mkdir()
    os.chown(folder, agent, agent)
    (folder / "state.json.new").symlink_to(elsewhere)
    save_state(folder, State())
    assert (folder / "state.json").stat().st_uid == agent
    assert (elsewhere.read_text(), elsewhere.stat().st_uid) == ("kept", 0)


@pytest.mark.parametrize(("number", "failed"), [(15, []), (9, []), (11, ["2.0.0"])])
def test_a_build_that_is_ended_from_outside_is_no_fault_of_the_release(site, number, failed):
    make_release(site.mirror, "2.0.0", site.key)
    for pip in site.mirror.glob("pip-*.whl"):
        pip.unlink()
    with zipfile.ZipFile(site.mirror / "pip-99-py3-none-any.whl", "w") as wheel:
        wheel.writestr("pip/__main__.py", f"import os; os.kill(os.getpid(), {number})")
    write_manifest(site.mirror, manifest_of(site.mirror, "2.0.0"), site.key)
    Agent(site.settings, clock=SystemClock(), asked=lambda: None).turn()
    assert [one.version for one in load_state(site.state).failed] == failed
    assert str((site.root / "current").readlink()) == "releases/1.0.0"


def test_a_disk_without_room_is_told_before_anything_is_written(site, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "none", small], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    try:
        text = site.config.read_text(encoding="utf-8").replace(str(site.state), str(small))
        site.config.write_text(text, encoding="utf-8")
        moved = Site.__new__(Site)
        moved.__dict__ = {**site.__dict__, "state": small}
        moved.settings = load_settings(site.config)
        make_release(site.mirror, "1.1.0", site.key)
        assert "MiB are needed" in said_after_a_turn(moved)
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_downgrade_that_the_release_names_is_let_through_to_its_wheels(site):
    make_release(site.mirror, "0.9.0", site.key, downgrade=True)
    change_a_wheel(site)  # So far it gets, and no further.
    assert "is not what was signed" in said_after_a_turn(site)


def test_two_keys_may_sign_while_one_replaces_the_other(site):
    other, public = make_keys(site.folder / "others")
    with Path(site.settings.key_file).open("ab") as file:
        file.write(public.read_bytes())
    make_release(site.mirror, "0.9.0", other)
    assert said_after_a_turn(site) == "release 0.9.0: older"


class Mirror:
    """An HTTPS server of a folder. Its certificate is made by openssl(1)."""

    def __init__(self, folder, keys):
        self.certificate, key = keys / "mirror.pem", keys / "mirror-key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
             "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", key, "-out", self.certificate],
            check=True, capture_output=True,
        )  # fmt: skip

        class Files(SimpleHTTPRequestHandler):
            def __init__(self, *words):
                super().__init__(*words, directory=str(folder))

            def log_message(self, *_words):
                """Say nothing."""

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.server = ThreadingHTTPServer(("127.0.0.1", steady_port()), Files)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}"
        self.thread = Thread(target=self.server.serve_forever)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.mark.parametrize(("trusted", "said"), [(True, "not what was signed"), (False, "mirror:")])
def test_a_mirror_is_believed_only_with_a_certificate_of_ours(site, trusted, said):
    make_release(site.mirror, "1.1.0", site.key)
    change_a_wheel(site)
    mirror = Mirror(site.mirror, site.folder)
    try:
        text = site.config.read_text(encoding="utf-8").replace(
            f"source = {json.dumps(str(site.mirror))}", f"source = {json.dumps(mirror.url)}"
        )
        if trusted:
            text += f"ca_file = {json.dumps(str(mirror.certificate))}\n"
        site.config.write_text(text, encoding="utf-8")
        assert said in site.command("check") or trusted
        site.settings = load_settings(site.config)
        assert said in said_after_a_turn(site)
    finally:
        mirror.stop()


def test_the_settings_name_their_mistake(tmp_path):
    site = Site(tmp_path / "site")
    for line, said in (
        ('source = "http://mirror"', "neither https://"),
        ("sourc = 1", "no key 'sourc'"),
        ("probation_s = 0", "no number above 0"),
    ):
        site.config.write_text(line, encoding="utf-8")
        assert said in site.command("status")
