"""Boots an image once, makes ready what every test needs, and freezes it. Loop."""

from tests.hardware.errors import GuestFailed
from tests.hardware.image import Image, Say
from tests.hardware.machine import Machine

DRIVERS = (
    "evdev uinput uhid hid-generic usbhid usblp cdc_acm ftdi_sio"
    " libcomposite usb_f_hid usb_f_acm usb_f_printer usb_f_fs"
)
USB_PORTS = 8
# Read once, so that they lie in the memory that is frozen.
WARM = "evdev, serial, pytest, sqlite3, msgspec, fastapi, uvicorn, paho.mqtt.client, httpx"


def freeze(image: Image, say: Say) -> None:
    """Boot it and write its memory, unless that was done before. Raises GuestFailed."""
    if image.frozen:
        return
    say("booting the guest once, to freeze it")
    with Machine(image, resumed=False) as machine:
        machine.run("systemctl is-system-running --wait || true", timeout_s=300)
        machine.run(f"modprobe -a {DRIVERS} && modprobe dummy_hcd num={USB_PORTS}")
        mount = "mount -t configfs none /sys/kernel/config"
        machine.run(f"mountpoint -q /sys/kernel/config || {mount}; udevadm settle")
        code = f"import {WARM}, _pytest.assertion.rewrite, _pytest.terminal"
        machine.run(f"PYTHONPATH=/opt/lab/packages python3 -c '{code}'", timeout_s=300)
        machine.run("sync; dmesg -c >/dev/null; sleep 1")
        machine.freeze()


def resumable(image: Image, say: Say) -> None:
    """Freeze it if need be, and see that it resumes; freeze it anew if not. Raises GuestFailed.

    What was frozen may be torn, or of another QEMU than the one that is here today.
    """
    freeze(image, say)
    try:
        with Machine(image):
            return
    except GuestFailed as error:
        said = str(error).strip().splitlines()[-1]
        say(f"what was frozen cannot be resumed ({said}); freezing it anew")
    image.ready_state.unlink()
    freeze(image, say)
