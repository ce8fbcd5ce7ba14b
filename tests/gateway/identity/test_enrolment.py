"""A Pi enrols once, whatever is cut off, and tells nothing to whom it does not know."""

import json
import signal
import subprocess
import sys
from contextlib import closing

import pytest
from msgspec.structs import replace

from central.trust import registry
from central.trust.authority import make_root
from gateway.config import load_config
from gateway.health import Health
from gateway.identity.child import ask, enrol_now
from gateway.identity.exchange import Order
from gateway.identity.files import IdentityFolder, read_enrol_file
from gateway.identity.keeper import IdentityKeeper
from gateway.replication.tls import BrokerTls
from tests.central.trust.machines import DAY_MS
from tests.gateway.identity.https_central import https_central
from tests.programs import started
from tests.waiting import wait_for

# Takes lines "step order"; forks a child that asks, and kills it before the n-th moment at which it
# changes a file or goes to the network. Answers with its wait status.
CUTTER = """
import os, signal, sys
from gateway.identity.child import ask
from gateway.identity.exchange import decode_order
CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.link", "socket.connect"}
for line in sys.stdin.buffer:
    step, _, order = line.partition(b" ")
    pid = os.fork()
    if not pid:
        count = 0
        def hook(event, words):
            global count
            writes = event == "open" and (words[2] or 0) & (os.O_WRONLY | os.O_RDWR)
            if writes or event in CHANGES:
                count += 1
                if count == int(step):
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(hook)
        os._exit(1 if ask(decode_order(order)).problem else 0)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""
CONFIG = """
[gateway]
code = "dock-a"
warehouse = "sh1"
data_directory = "data"
[station]
code = "dock-a"
receive_location = "DOCK-1"
[mqtt]
host = "127.0.0.1"
[identity]
enrol_file = "dockledger-enrol.toml"
"""
STEPS_MAX = 40


@pytest.fixture(scope="module")
def central(tmp_path_factory):
    with https_central(tmp_path_factory.mktemp("central")) as made:
        yield made


@pytest.fixture
def pi(tmp_path, central):
    """A Pi with its configuration; `order(claim)` is what its keeper would say to the child."""
    (tmp_path / "gateway.toml").write_text(CONFIG)
    (tmp_path / "data").mkdir()
    return Pi(tmp_path, central)


class Pi:
    def __init__(self, folder, central):
        self.folder, self.central = folder, central
        self.config = load_config(folder / "gateway.toml")
        self.identity = IdentityFolder(folder / "data")
        self.health = Health()

    def order(self, claim, *, code="dock-a"):
        self.identity.keep_root(self.central.authorities.root_pem)
        return Order(
            data_directory=str(self.folder / "data"),
            signing_key_file=str(self.folder / "data" / "gateway.key"),
            gateway=code,
            central_url=self.central.url,
            claim=claim,
        )

    def put_file(self, text):
        (self.folder / "dockledger-enrol.toml").write_text(text)

    def keeper(self, clock, heard=lambda _key: None):
        return IdentityKeeper(
            self.config,
            signing_key_file=self.folder / "data" / "gateway.key",
            clock=clock,
            health=self.health,
            heard=heard,
        )

    def problems(self):
        return [one.problem for one in self.health.troubles()]


class Clock:
    boot_id = "boot"

    def __init__(self, central):
        self.central = central

    def now_ms(self):
        return self.central.clock.time_ms

    def monotonic_ns(self):
        return self.central.clock.time_ms * 1_000_000

    def synced(self):
        return True


@pytest.fixture(scope="module")
def cut_at():
    """Ask, cut off before a step; return whether it came to its end."""
    words = [sys.executable, "-c", CUTTER]
    with started(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as cutter:

        def cut(step, order):
            line = f"{step} {json.dumps(vars_of(order))}\n".encode()
            cutter.stdin.write(line)
            cutter.stdin.flush()
            status = int(cutter.stdout.readline())
            assert status in {0, -signal.SIGKILL}
            return status == 0

        yield cut


def vars_of(order):
    return {name: getattr(order, name) for name in order.__struct_fields__}


def serials_of(central, gateway):
    with central.database.read() as connection:
        return [one.serial for one in registry.certificates_of(connection, gateway)]


def test_a_pi_that_is_cut_off_at_every_step_has_one_certificate_in_the_end(pi, central, cut_at):
    order = pi.order(central.claim("dock-cut"), code="dock-cut")
    step = 1
    # Each try goes on with what the one before has left; who has a certificate asks no more.
    while not cut_at(step, order) and pi.identity.read() is None:
        step += 1
        assert step < STEPS_MAX
    assert step > 5
    assert serials_of(central, "dock-cut") == [pi.identity.read().serial]
    assert BrokerTls(
        ca_file=str(pi.identity.root), certificate_file=str(pi.identity.certificate), key_file=""
    ).load()
    left = {one.name for one in (pi.folder / "data" / "identity").iterdir()}
    assert left - {"pending.key"} == {"identity.pem", "root.pem"}
    assert pi.identity.certificate.stat().st_mode & 0o777 == 0o600


def test_a_key_that_a_cut_has_left_behind_is_not_renewed_for_ever(pi, central):
    order = pi.order(central.claim("dock-left"), code="dock-left")
    assert ask(order).problem == ""
    first = pi.identity.read()
    pem = pi.identity.key_and_certificate()
    pi.identity.keep_pending(pem[: pem.index("-----BEGIN CERTIFICATE")])
    assert ask(replace(order, claim="")).problem == ""
    assert pi.identity.read().serial != first.serial


def test_an_answer_that_is_lost_is_given_again(pi, central):
    central.lost_count = 1
    order = pi.order(central.claim("dock-lost"), code="dock-lost")
    assert ask(order).problem == "unreachable"
    assert ask(order).problem == ""
    assert serials_of(central, "dock-lost") == [pi.identity.read().serial]


def test_whoever_answers_with_a_foreign_certificate_hears_nothing(pi, central):
    heard_count = len(central.requests)
    order = pi.order("7K3D-9XQM-2TBW-P4HC")
    pi.identity.keep_root(make_root("Foreign", now_ms=central.clock.time_ms).pem)
    assert ask(order).problem == "not_trusted"
    assert len(central.requests) == heard_count


def test_the_command_enrols_and_says_why_not(pi, central):
    file = pi.folder / "usb.toml"
    file.write_text(central.enrol_file("0000-0000-0000-0000"))
    with pytest.raises(Exception, match=r"not good") as caught:
        enrol_now(pi.config, file)
    assert caught.value.hint
    file.write_text(central.enrol_file(central.claim()))
    assert enrol_now(pi.config, file).gateway == "dock-a"
    assert "claim" not in repr(read_enrol_file(file))


def test_the_station_says_what_is_missing_and_a_scanned_claim_makes_it_a_gateway(pi, central):
    heard = []
    keeper = pi.keeper(Clock(central), heard.append)
    pi.put_file(central.enrol_file())
    keeper.start()
    with closing(closer(keeper)):
        wait_for(lambda: pi.problems() == ["not_enrolled"], what="it says so")
        assert keeper.scanned("0000-0000-0000-0000").kind == "success"
        wait_for(lambda: pi.problems() == ["claim_refused"], what="central refuses it")
        keeper.scanned(central.claim())
        wait_for(pi.identity.certificate.exists, what="the certificate")
        wait_for(lambda: pi.problems() == [], what="nothing is wrong any more")
        assert keeper.scanned("0000-0000-0000-0000") is None  # A bar code like any other now.
    assert heard == ["ab" * 32]


def test_a_certificate_is_renewed_at_two_thirds_of_its_life_with_a_new_key(pi, central):
    pi.put_file(central.enrol_file(central.claim("dock-a")))
    enrol_now(pi.config, pi.folder / "dockledger-enrol.toml")
    before, pem = pi.identity.read(), pi.identity.key_and_certificate()
    tls = BrokerTls(
        ca_file=str(pi.identity.root), certificate_file=str(pi.identity.certificate), key_file=""
    )
    assert tls.load() and not tls.is_newer()
    central.clock.time_ms += 61 * DAY_MS
    keeper = pi.keeper(Clock(central))
    keeper.start()
    with closing(closer(keeper)):
        wait_for(lambda: pi.identity.read().serial != before.serial, what="another certificate")
    assert pi.identity.key_and_certificate().split("CERTIFICATE")[0] != pem.split("CERTIFICATE")[0]
    assert tls.is_newer() and tls.load()


def test_a_certificate_that_cannot_be_renewed_is_told_at_the_station(pi, central):
    pi.put_file(central.enrol_file(central.claim("dock-a")))
    enrol_now(pi.config, pi.folder / "dockledger-enrol.toml")
    central.trust.revoke("dock-a", reason="lost", by="tests")
    central.clock.time_ms += 75 * DAY_MS
    keeper = pi.keeper(Clock(central))
    keeper.start()
    with closing(closer(keeper)):
        wait_for(lambda: pi.problems() == ["certificate_ends"], what="it says so")


class closer:  # noqa: N801 - read as a word
    """What `closing` closes: a keeper."""

    def __init__(self, keeper):
        self.close = keeper.stop


def test_an_enrolment_file_that_is_none_is_named_at_the_station(pi, central):
    pi.put_file("central_url = 'http://plain'\nroot_pem = 'x'\n")
    keeper = pi.keeper(Clock(central))
    keeper.start()
    with closing(closer(keeper)):
        wait_for(lambda: pi.problems() == ["not_enrolled"], what="it says so")
    assert "no enrolment file" in pi.health.troubles()[0].detail
    assert not any((pi.folder / "data").iterdir())
