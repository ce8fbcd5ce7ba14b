"""What is written onto the boot partition of a card, as file names and bytes. Pure.

    user-data, network-config, meta-data     cloud-init (NoCloud); JSON, which is YAML as well
    dockledger/start.sh                      called by cloud-init at every boot
    dockledger/first-boot.sh, .service       makes the gateway, and again until it has worked
    dockledger/debs/*.deb                    packages, with dependencies for places without network
    dockledger/gateway.toml                  and the enrolment file, keys, time servers
    dockledger/read-only-root                if the root is to be only read; what cmdline.txt lost
    cmdline.txt                              the card's own, without the growth of such a root

The partition is FAT and readable for whoever holds the card: of secrets there is the claim, which
is good once and is deleted there in the first boot, and the password of a Wi-Fi, if there is one.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from provisioning.first_boot.errors import CardRefused

FOLDER = "dockledger"
MOUNTED_AT = "/boot/firmware"
# A name of RFC 1123 and of NetBIOS alike; cloud-init sets it as host name.
HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
USER_NAME = re.compile(r"[a-z][a-z0-9_-]{0,30}")
SERVER = re.compile(r"[A-Za-z0-9:]([A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?")
SSH_KEY = re.compile(r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+|sk-[a-z0-9@.-]+) [A-Za-z0-9+/=]+")
SSID_BYTES_MAX = 32
WIFI_PASSWORD = range(8, 64)  # IEEE 802.11: a pass phrase of 8 to 63 characters.
SERVERS_MAX = 8
KEYS_MAX = 32
GROWTH = b"resize"
READ_ONLY_FLAG = f"{FOLDER}/read-only-root"
GROWTH_TAKEN = b"wanted, and resize was taken out of cmdline.txt\n"


@dataclass(frozen=True, slots=True)
class Wifi:
    """A wireless network. country: of the regulations, e.g. "CN"."""

    ssid: str
    password: str = field(repr=False)
    country: str


@dataclass(frozen=True, slots=True)
class CardPlan:
    """What a card is to make of a Pi. Texts are whole files; "" or None leaves one out."""

    host_name: str
    gateway_toml: str
    enrol_toml: str = field(default="", repr=False)
    admin_name: str = "keeper"
    admin_keys: tuple[str, ...] = ()
    time_servers: tuple[str, ...] = ()
    wifi: Wifi | None = None
    time_zone: str = "UTC"
    update_toml: str = ""
    update_public_key: str = ""
    read_only_root: bool = False


def without_growth(kernel_words: bytes) -> bytes:
    """Return the cmdline.txt of Raspberry Pi OS with which the root leaves room behind it.

    The word `resize` lets its initramfs make the root's partition as large as the card. Source:
    raspberrypi-sys-mods, initramfs-tools/scripts/local-premount/resize_early. Raises CardRefused.
    """
    words = kernel_words.split()
    if b"rootwait" not in words or any(word.startswith(b"init=") for word in words):
        raise CardRefused(
            "cmdline.txt is none of a Raspberry Pi OS of which the root could be only read",
            hint="Take Raspberry Pi OS trixie or later, not started yet, or a writable root.",
        )
    return b" ".join(word for word in words if word != GROWTH) + b"\n"


def with_growth(kernel_words: bytes) -> bytes:
    """Return the cmdline.txt with the word that `without_growth` took out; once, if it is there."""
    words = kernel_words.split()
    return b" ".join(words if GROWTH in words else [*words, GROWTH]) + b"\n"


def grows(kernel_words: bytes) -> bool:
    """Return whether the root of this cmdline.txt grows."""
    return GROWTH in kernel_words.split()


def card_files(plan: CardPlan, *, scripts: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files of the boot partition by their path there; user-data is the last.

    scripts: this folder's own, by name. Raises CardRefused.
    """
    _check(plan)
    files = {f"{FOLDER}/{name}": data for name, data in sorted(scripts.items())}
    optional = {
        "gateway.toml": plan.gateway_toml,
        "dockledger-enrol.toml": plan.enrol_toml,
        "update.toml": plan.update_toml,
        "update.pub": plan.update_public_key,
        "chrony.conf": _chrony(plan.time_servers),
        "timesyncd.conf": _timesyncd(plan.time_servers),
        "read-only-root": "wanted\n" if plan.read_only_root else "",
    }
    if plan.admin_keys:
        optional |= {
            "admin-name": plan.admin_name,
            "admin-keys": "\n".join(plan.admin_keys) + "\n",
            "sshd.conf": "PasswordAuthentication no\nPermitRootLogin no\n",
            "sudoers": f"{plan.admin_name} ALL=(ALL) NOPASSWD: ALL\n",
        }
    files |= {f"{FOLDER}/{name}": text.encode() for name, text in optional.items() if text}
    files["network-config"] = _json({"network": _network(plan.wifi)})
    digest = hashlib.sha256(b"".join(files.values())).hexdigest()[:16]
    # Another content is another instance: cloud-init begins anew on a card that ran before.
    files["meta-data"] = _json({"instance-id": f"dockledger-{plan.host_name}-{digest}"})
    files["user-data"] = b"#cloud-config\n" + _json(_user_data(plan))
    return files


def _user_data(plan: CardPlan) -> dict[str, object]:
    start = f"{MOUNTED_AT}/{FOLDER}/start.sh"
    growth: dict[str, object] = {"growpart": {"mode": "off"}, "resize_rootfs": False}
    return (growth if plan.read_only_root else {}) | {
        "hostname": plan.host_name,
        "manage_etc_hosts": True,
        "timezone": plan.time_zone,
        "ssh_pwauth": False,
        "disable_root": True,
        # At every boot, unlike runcmd: cut off in the middle, runcmd would count as done.
        "bootcmd": [["sh", start]],
    }


def _network(wifi: Wifi | None) -> dict[str, object]:
    """Return netplan's version 2."""
    network: dict[str, object] = {
        "version": 2,
        "ethernets": {"eth0": {"dhcp4": True, "dhcp6": True, "optional": True}},
    }
    if wifi is not None:
        network["wifis"] = {
            "wlan0": {
                "dhcp4": True,
                "optional": True,
                "regulatory-domain": wifi.country,
                "access-points": {wifi.ssid: {"password": wifi.password}},
            }
        }
    return network


def _chrony(servers: tuple[str, ...]) -> str:
    if not servers:
        return ""
    lines = [f"server {server} iburst" for server in servers]
    # A Pi has no clock of its own: it may step at any time. Facts keep their order all the same.
    return "\n".join([*lines, "makestep 1 -1", ""])


def _timesyncd(servers: tuple[str, ...]) -> str:
    return f"[Time]\nNTP={' '.join(servers)}\n" if servers else ""


def _check(plan: CardPlan) -> None:
    wrong = ""
    if not HOST_NAME.fullmatch(plan.host_name):
        wrong = f"{plan.host_name!r} is no host name"
    elif not USER_NAME.fullmatch(plan.admin_name):
        wrong = f"{plan.admin_name!r} is no user name"
    elif len(plan.time_servers) > SERVERS_MAX or len(plan.admin_keys) > KEYS_MAX:
        wrong = "there are too many time servers or keys"
    elif bad := [one for one in plan.time_servers if not SERVER.fullmatch(one)]:
        wrong = f"{bad[0]!r} is no time server"
    elif any(not SSH_KEY.match(one) or "\n" in one for one in plan.admin_keys):
        wrong = "a key of the administrator is no public key of SSH"
    elif plan.wifi is not None:
        wrong = _wrong_wifi(plan.wifi)
    if wrong:
        raise CardRefused(wrong, hint="Correct it and prepare the card again.")


def _wrong_wifi(wifi: Wifi) -> str:
    if not 0 < len(wifi.ssid.encode()) <= SSID_BYTES_MAX:
        return "the name of the Wi-Fi has not 1 to 32 bytes"
    if len(wifi.password) not in WIFI_PASSWORD:
        return "the password of the Wi-Fi has not 8 to 63 characters"
    if not re.fullmatch(r"[A-Z]{2}", wifi.country):
        return "the country of the Wi-Fi is not two capital letters"
    return ""


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1).encode() + b"\n"
