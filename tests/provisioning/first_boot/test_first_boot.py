"""A card becomes a gateway, wherever the power is cut in its first boot. Edge of processes."""

import json
import os
import tomllib
from dataclasses import replace

import pytest

from provisioning.first_boot.card import CardPlan, Wifi, card_files, without_growth
from provisioning.first_boot.commands import HERE, SCRIPTS
from provisioning.first_boot.errors import CardRefused
from tests.memory_folder import memory_folder
from tests.provisioning.first_boot.machine import FAILS_BEHIND, NO_ROOM, Machine

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGv1 keeper@office"
PLAN = CardPlan(
    host_name="sh1-dock-1",
    gateway_toml='[gateway]\ncode = "sh1-dock-1"\n',
    enrol_toml='claim = "ABCD"\n',
    admin_keys=(KEY,),
    time_servers=("192.168.10.1", "time.example.com"),
    update_toml='source = "https://mirror.example.com"\n',
    update_public_key="-----BEGIN PUBLIC KEY-----\n",
)
READ_ONLY = replace(PLAN, read_only_root=True)
STEPS_BETWEEN_CUTS = int(os.environ.get("STEPS_BETWEEN_CUTS", "30"))


def scripts():
    return {name: (HERE / name).read_bytes() for name in SCRIPTS}


@pytest.fixture
def folder(tmp_path):
    with memory_folder(tmp_path) as folder:
        yield folder


def boots(folder, name, plan=PLAN, **options):
    return Machine(folder / name, card_files(plan, scripts=scripts()), **options)


def test_the_first_boot_puts_everything_in_its_place(folder):
    machine = boots(folder, "one")
    assert machine.boot()
    tree = machine.tree()
    settings = "etc/dockledger-gateway"
    assert tree[f"{settings}/gateway.toml"] == PLAN.gateway_toml.encode()
    assert tree[f"{settings}/dockledger-enrol.toml"] == PLAN.enrol_toml.encode()
    assert tree[f"{settings}/update.toml"] == PLAN.update_toml.encode()
    assert tree["home/keeper/.ssh/authorized_keys"].decode().strip() == KEY
    assert b"makestep 1 -1" in tree["etc/chrony/conf.d/dockledger.conf"]
    assert tree["opt/installed"] == b"installed\n"
    assert (machine.root / "var/lib/dockledger-first-boot/done").exists()
    assert "restart --no-block" in (machine.root / "systemctl").read_text("utf-8")


def test_the_claim_does_not_stay_where_everybody_reads_it(folder):
    machine = boots(folder, "one")
    assert machine.boot()
    assert not (machine.card / "dockledger/dockledger-enrol.toml").exists()


def test_a_second_boot_does_nothing(folder):
    machine = boots(folder, "one")
    assert machine.boot()
    before, commands = machine.tree(), machine.steps_count
    (machine.root / "etc/dockledger-gateway/gateway.toml").write_bytes(b"changed by a person")
    assert machine.boot()
    assert machine.steps_count < commands / 4
    changed = before | {"etc/dockledger-gateway/gateway.toml": b"changed by a person"}
    assert machine.tree() == changed


def test_wherever_the_power_is_cut_the_next_boot_ends_in_the_same_machine(folder):
    whole = boots(folder, "whole")
    assert whole.boot()
    cuts = range(1, whole.steps_count + 1, STEPS_BETWEEN_CUTS)
    whole_count = 0
    for cut in cuts:
        machine = boots(folder, f"cut-{cut}")
        whole_count += machine.boot(cut_at=cut)
        assert machine.boot()
        assert machine.tree() == whole.tree(), f"cut at {cut}"
        assert not (machine.card / "dockledger/dockledger-enrol.toml").exists()
    assert whole_count <= 1  # Within the installation one count passes without a look.


def test_cut_again_and_again_it_still_gets_there(folder):
    machine = boots(folder, "again")
    cut = 5
    while not machine.boot(cut_at=cut):
        cut += 25
    whole = boots(folder, "whole")
    assert whole.boot()
    assert machine.tree() == whole.tree()


def said_to_systemd(machine):
    return (machine.root / "systemctl").read_text("utf-8").splitlines()


def test_a_root_that_is_to_be_only_read_is_switched_last_and_started_anew(folder):
    machine = boots(folder, "one", READ_ONLY)
    assert machine.boot()
    assert machine.tree()["switched"] == b"read-only\n"
    done = machine.root / "var/lib/dockledger-first-boot/done"
    assert not done.exists()  # It would not be among the data that were copied.
    assert machine.boot()
    assert done.exists()
    # The gateway begins on the root that it will have.
    assert not [line for line in said_to_systemd(machine) if "restart --no-block" in line]


def test_a_root_is_only_read_where_that_is_wanted_alone(folder):
    machine = boots(folder, "one")
    assert machine.boot()
    assert not (machine.root / "switched").exists()


def test_a_machine_that_cannot_have_such_a_root_becomes_a_gateway_all_the_same(folder):
    machine = boots(folder, "one", READ_ONLY, switch=NO_ROOM)
    assert machine.boot()
    assert (machine.root / "var/lib/dockledger-first-boot/done").exists()
    said = said_to_systemd(machine)
    assert "restart --no-block" in said[-1]
    # Also if the switch was killed outright, and could not do it itself.
    assert said[-2].startswith("unmask --runtime dockledger-gateway.service ")


def test_where_the_switch_fails_behind_the_switch_no_fact_is_written_beside_the_data(folder):
    machine = boots(folder, "one", READ_ONLY, switch=FAILS_BEHIND)
    assert machine.boot()
    said = said_to_systemd(machine)
    assert said[-1] == "--no-block reboot"
    assert not [line for line in said if "restart" in line and "gateway" in line]
    assert not (machine.root / "var/lib/dockledger-first-boot/done").exists()
    # Begun again before that boot, it frees nobody.
    assert machine.boot()
    again = said_to_systemd(machine)[len(said) :]
    assert again[-1] == "--no-block reboot"
    assert not [line for line in again if "unmask" in line or "enable" in line]


def test_cut_anywhere_the_power_leaves_a_root_of_one_kind_or_the_other(folder):
    whole = boots(folder, "whole", READ_ONLY)
    assert whole.boot()
    # Each step from the one before the switch on: those are the ones that know of it.
    cuts = [*range(1, whole.steps_count - 12, STEPS_BETWEEN_CUTS)]
    for cut in [*cuts, *range(whole.steps_count - 12, whole.steps_count + 1)]:
        machine = boots(folder, f"cut-{cut}", READ_ONLY)
        machine.boot(cut_at=cut)
        switched = not (machine.root / "usr").exists()
        assert machine.boot()
        if switched:
            assert machine.steps_count < 12, "a root that is only read is not installed on"
        assert machine.boot()
        assert machine.tree() == whole.tree(), f"cut at {cut}"
        assert (machine.root / "var/lib/dockledger-first-boot/done").exists()


def test_the_root_of_a_card_is_kept_from_growing_only_where_it_is_to_be_only_read():
    files = card_files(READ_ONLY, scripts=scripts())
    assert "dockledger/read-only-root" in files
    user_data = json.loads(files["user-data"].split(b"\n", 1)[1])
    assert user_data["growpart"] == {"mode": "off"}
    assert user_data["resize_rootfs"] is False
    assert "dockledger/read-only-root" not in card_files(PLAN, scripts=scripts())


PI_WORDS = b"console=tty1 root=PARTUUID=4c-02 rootfstype=ext4 fsck.repair=yes rootwait"


def test_the_kernel_is_not_told_to_grow_the_root():
    assert without_growth(PI_WORDS + b" resize\n") == PI_WORDS + b"\n"
    assert without_growth(PI_WORDS + b"\n") == PI_WORDS + b"\n"


@pytest.mark.parametrize(
    "words",
    [b"", b"root=/dev/vda", PI_WORDS + b" init=/usr/lib/raspberrypi-sys-mods/firstboot"],
    ids=["nothing", "of another system", "of an older edition"],
)
def test_a_system_that_would_grow_its_root_in_another_way_is_refused(words):
    with pytest.raises(CardRefused, match=r"cmdline\.txt"):
        without_growth(words)


def test_cloud_init_calls_the_first_boot_at_every_boot_and_nothing_else():
    files = card_files(PLAN, scripts=scripts())
    head, body = files["user-data"].split(b"\n", 1)
    assert head == b"#cloud-config"
    user_data = json.loads(body)
    # runcmd, users and write_files count as done before they begin: none of them is used.
    assert set(user_data) == {
        "bootcmd", "disable_root", "hostname", "manage_etc_hosts", "ssh_pwauth", "timezone"
    }  # fmt: skip
    assert user_data["bootcmd"] == [["sh", "/boot/firmware/dockledger/start.sh"]]
    assert list(files)[-1] == "user-data"


def test_another_content_is_another_instance():
    first = card_files(PLAN, scripts=scripts())["meta-data"]
    other = CardPlan(host_name="sh1-dock-1", gateway_toml="[gateway]\n")
    assert first != card_files(other, scripts=scripts())["meta-data"]
    assert first == card_files(PLAN, scripts=scripts())["meta-data"]


def test_a_wireless_network_is_in_the_network_and_in_no_repr():
    wifi = Wifi("Halle 3", "long secret", "CN")
    plan = CardPlan(host_name="pi", gateway_toml="", wifi=wifi)
    network = json.loads(card_files(plan, scripts={})["network-config"])["network"]
    assert network["wifis"]["wlan0"]["access-points"] == {"Halle 3": {"password": "long secret"}}
    assert "long secret" not in repr(plan)
    assert "ABCD" not in repr(PLAN)


def test_the_settings_on_the_card_are_toml():
    files = card_files(PLAN, scripts={})
    assert tomllib.loads(files["dockledger/gateway.toml"].decode())["gateway"]["code"]


WRONG = {
    "host name": {"host_name": "Dock_1"},
    "host name that is a command": {"host_name": "a;reboot"},
    "user name": {"admin_name": "root me"},
    "time server": {"time_servers": ("a b",)},
    "time server with a line": {"time_servers": ("a\nserver b",)},
    "key": {"admin_keys": ("ssh-ed25519",)},
    "key with a second line": {"admin_keys": (f"{KEY}\nssh-rsa AAAA",)},
    "Wi-Fi without a name": {"wifi": Wifi("", "long enough", "CN")},
    "Wi-Fi with a short password": {"wifi": Wifi("halle", "short", "CN")},
    "Wi-Fi in no country": {"wifi": Wifi("halle", "long enough", "china")},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_what_would_not_boot_is_refused_before_anything_is_written(changes):
    with pytest.raises(CardRefused):
        card_files(CardPlan(**({"host_name": "pi", "gateway_toml": ""} | changes)), scripts={})
