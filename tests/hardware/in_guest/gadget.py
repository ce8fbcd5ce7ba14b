"""USB devices that the guest's own kernel emulates and enumerates. Edge of configfs and dummy_hcd.

dummy_hcd is a USB host controller wired to a USB device controller, inside one kernel: what is
described under /sys/kernel/config/usb_gadget and bound to the device side is found on the host side
like a device on a cable, and usbhid, usblp, cdc_acm, ftdi_sio bind to it
(Documentation/usb/gadget_configfs.rst).
"""

import itertools
import os
import time
from pathlib import Path

GADGETS = Path("/sys/kernel/config/usb_gadget")
CONTROLLERS = Path("/sys/class/udc")
WAIT_S = 120.0  # Costs only where it fails.

_numbers = itertools.count(1)


def wait_until(asked, what, timeout_s=WAIT_S, *, pause_s=0.01):
    """Return the first true answer of `asked`. Raises TimeoutError that names `what`.

    pause_s: between two looks; under emulation asking a page takes a tenth of a second of it.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        if found := asked():
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {what} within {timeout_s} s")
        time.sleep(pause_s)


class Gadget:
    """One device on its cable. plug() and unplug() are the cable; a with-block ends unplugged.

    function: of the kernel. serial: what the device says; two may say the same. port: the socket it
    is plugged into, None for any free one.
    """

    function = ""
    vendor, product, name = 0x1D6B, 0x0104, "Device"
    # Linux 6.1 corrupts itself if a device is unbound while its own side of it is open.
    closes_before_unplug = True

    def __init__(self, serial="", *, port=None, plugged=True):
        self.serial = serial or f"S{next(_numbers):04d}"
        self.port = port
        self.controller = ""
        self._folder = GADGETS / f"lab-{os.getpid()}-{next(_numbers)}"
        self._function = self._folder / f"functions/{self.function}.{self._folder.name}"
        self._folder.mkdir()
        self._write("idVendor", f"{self.vendor:#06x}")
        self._write("idProduct", f"{self.product:#06x}")
        self._write("bcdUSB", "0x0200")
        texts = self._folder / "strings/0x409"
        texts.mkdir()
        (texts / "serialnumber").write_text(self.serial)
        (texts / "manufacturer").write_text("Lab")
        (texts / "product").write_text(self.name)
        (self._folder / "configs/c.1").mkdir()
        self._function.mkdir()
        self.describe()
        (self._folder / "configs/c.1/f").symlink_to(self._function)
        self.prepare()
        if plugged:
            self.plug()

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.close()

    def describe(self):
        """Write what the function needs to know before it is bound."""

    def prepare(self):
        """Make ready what must be there before the cable is plugged in."""

    def connect(self):
        """Open the device's own side, once it is plugged in."""

    def disconnect(self):
        """Close the device's own side; may be called twice."""

    def plug(self, port=None):
        """Put the cable into a port."""
        self.port = port if port is not None else self.port
        self.controller = _free_controller(self.port)
        self._write("UDC", self.controller)
        self.connect()

    def unplug(self):
        """Pull the cable."""
        if self.closes_before_unplug:
            self.disconnect()
        if self.controller:
            self._write("UDC", "\n")
            self.controller = ""
        self.disconnect()

    def node(self, prefix):
        """Return the path of the node that the kernel made for it, such as of "hidraw"."""

        def look():
            for folder, names, _ in os.walk(self._host_side()):
                for name in names:
                    event = Path(folder, name, "uevent")
                    if name.startswith(prefix) and Path(folder, name, "dev").exists():
                        fields = dict(line.split("=", 1) for line in event.read_text().splitlines())
                        path = Path("/dev", fields["DEVNAME"])
                        if path.exists():
                            return path
            return None

        return wait_until(look, f"node {prefix}* of {self.name} {self.serial}")

    def gone(self):
        """Wait until the kernel has forgotten it."""
        wait_until(lambda: not self._found(), f"end of {self.serial}")

    def close(self):
        """Pull it out and take it apart. May be called twice: simulators close their line."""
        if not self._folder.exists():
            return
        self.unplug()
        (self._folder / "configs/c.1/f").unlink()
        self.release()
        for path in ("configs/c.1", "strings/0x409"):
            (self._folder / path).rmdir()
        self._function.rmdir()
        self._folder.rmdir()

    def release(self):
        """Give back what `prepare` took."""

    def _write(self, name, text):
        (self._folder / name).write_text(text)

    def _write_function(self, name, data):
        if isinstance(data, bytes):
            (self._function / name).write_bytes(data)
        else:
            (self._function / name).write_text(str(data))

    def _host_side(self):
        return wait_until(self._found, f"enumeration of {self.serial}")

    def _found(self):
        for path in Path("/sys/devices/platform").glob("dummy_hcd.*/usb*/*-1/serial"):
            try:
                if path.read_text().strip() == self.serial and self._is_ours(path):
                    return path.parent
            except OSError:
                continue  # It has just gone.
        return None

    def _is_ours(self, path):
        number = self.controller.rpartition(".")[2]
        return not number or f"dummy_hcd.{number}/" in str(path)


def _free_controller(port):
    used = set()
    for path in GADGETS.glob("*/UDC"):
        used.add(path.read_text().strip())
    names = sorted(path.name for path in CONTROLLERS.glob("dummy_udc.*"))
    free = [name for name in names if name not in used]
    wanted = [name for name in free if port is None or name == f"dummy_udc.{port}"]
    if not wanted:
        raise OSError(f"port {port} is not free; free are {free}")
    return wanted[0]
