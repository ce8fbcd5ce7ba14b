"""A machine whose /sys, /dev and kernel events are umockdev's. Edge of another program.

    test --JSON lines--> this module under umockdev-wrapper --> /sys tree, uevents (libumockdev)
      `--environment (UMOCKDEV_DIR, LD_PRELOAD)--> the gateway: real libudev, pyudev, pyserial

umockdev (Debian package) is Martin Pitt's test bed for libudev programs; nothing in it is ours.
The serial ports behind the nodes are real pseudo terminals, owned by the test.
"""

import ctypes
import json
import os
import pty
import shutil
import subprocess
import sys
import tty
from pathlib import Path

WRAPPER = "umockdev-wrapper"
PRELOAD = "libumockdev-preload.so.0"
HOST = "/sys/devices/pci0000:00/0000:00:14.0/usb1"


class MockedMachine:
    """A test bed in a program of its own; a context manager."""

    def __enter__(self):
        if shutil.which(WRAPPER) is None:
            message = f"{WRAPPER} is missing: run `make test`, which installs it"
            raise AssertionError(message)
        self._program = subprocess.Popen(
            [WRAPPER, sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.root = Path(self._answer())
        self._masters = {}
        return self

    def __exit__(self, *_):
        for node in list(self._masters):
            self._close(node)
        with self._program:  # Its input ends, and with that the program.
            self._program.stdin.close()

    @property
    def environment(self):
        """Return the environment of a program that is to live on this machine."""
        return {**os.environ, "UMOCKDEV_DIR": str(self.root), "LD_PRELOAD": PRELOAD}

    def plug_serial(self, node, *, port="2", event=True, **attributes):
        """Plug a USB serial adapter into a port; return the file descriptor of its far end."""
        master, far = pty.openpty()
        tty.setraw(far)
        path = self.root / "dev" / node
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(os.ttyname(far))
        self._masters[node] = (master, far)
        device = self._usb(port, **attributes)
        self._ask("add", "usb-serial", node, f"{device}/1-{port}:1.0", [], [])
        parent = f"{device}/1-{port}:1.0/{node}"
        self._ask("add", "tty", f"tty/{node}", parent, [], ["DEVNAME", f"/dev/{node}"])
        if event:
            self.event(f"{parent}/tty/{node}", "add")
        return master

    def unplug(self, node, *, port="2", event=True):
        """Pull a serial adapter out: its line hangs up, then the kernel says so."""
        path = self.path(node, port=port)
        self._close(node)
        (self.root / "dev" / node).unlink(missing_ok=True)
        if event:
            self.event(path, "remove")
        parts = path.removeprefix(f"{HOST}/").split("/")
        for count in (5, 3, 2, 1):  # The tty, the usb-serial port, the interface, the device.
            self._ask("remove", "/".join((HOST, *parts[:count])))

    def path(self, node, *, port):
        """Return where a serial port is below /sys/devices."""
        return f"{HOST}/1-{port}/1-{port}:1.0/{node}/tty/{node}"

    def plug_hid(self, node, *, port="3", descriptor=b"", keys="", **attributes):
        """Plug a HID device: a hidraw node, and an input node if it has `keys`."""
        interface = f"{self._usb(port, **attributes)}/1-{port}:1.0"
        number = f"0003:0C2E:0B61.{int(port):04d}"
        self._ask("add", "hid", number, interface, [], [])
        hid = f"{interface}/{number}"
        (self.root / hid.lstrip("/") / "report_descriptor").write_bytes(descriptor)
        self._ask("add", "hidraw", f"hidraw/{node}", hid, [], ["DEVNAME", f"/dev/{node}"])
        if keys:
            name = ["name", "Acme Barcode Scanner", "capabilities/key", keys]
            self._ask("add", "input", "input/input5", hid, name, [])
            self._ask(
                "add",
                "input",
                "event5",
                f"{hid}/input/input5",
                [],
                ["DEVNAME", "/dev/input/event5"],
            )

    def plug_printer(self, node, *, port="4", **attributes):
        """Plug a USB label printer."""
        interface = f"{self._usb(port, **attributes)}/1-{port}:1.0"
        self._ask(
            "add", "usbmisc", f"usbmisc/{node}", interface, [], ["DEVNAME", f"/dev/usb/{node}"]
        )

    def add_serial_without_chip(self, node):
        """Add a port that the kernel reserved for an 8250 that is not there."""
        self._ask("add", "platform", "serial8250", "", [], [])
        parent = "/sys/devices/serial8250"
        self._ask("add", "tty", f"tty/{node}", parent, ["type", "0"], ["DEVNAME", f"/dev/{node}"])

    def event(self, path, action):
        """Let the kernel say what happened."""
        self._ask("event", path, action)

    def _usb(self, port, *, serial="", vendor="0403", product="6001", name="USB Serial"):
        attributes = ["idVendor", vendor, "idProduct", product, "product", name]
        attributes += ["serial", serial] if serial else []
        self._ask("add", "usb", f"1-{port}", HOST, attributes, ["DEVTYPE", "usb_device"])
        path = f"{HOST}/1-{port}"
        self._ask(
            "add",
            "usb",
            f"1-{port}:1.0",
            path,
            ["bInterfaceNumber", "00"],
            ["DEVTYPE", "usb_interface"],
        )
        return path

    def _close(self, node):
        for descriptor in self._masters.pop(node, ()):
            os.close(descriptor)

    def _ask(self, *words):
        self._program.stdin.write(json.dumps(words) + "\n")
        self._program.stdin.flush()
        return self._answer()

    def _answer(self):
        line = self._program.stdout.readline()
        assert line, "the mocked machine ended"
        return json.loads(line)


def _texts(values):
    return (ctypes.c_char_p * (len(values) + 1))(*[value.encode() for value in values], None)


def _say(answer):
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _serve():
    bed_library = ctypes.CDLL("libumockdev.so.0")
    text, pointer = ctypes.c_char_p, ctypes.c_void_p
    texts = ctypes.POINTER(text)
    bed_library.umockdev_testbed_new.restype = pointer
    bed_library.umockdev_testbed_get_root_dir.restype = text
    bed_library.umockdev_testbed_get_root_dir.argtypes = [pointer]
    bed_library.umockdev_testbed_add_devicev.restype = text
    bed_library.umockdev_testbed_add_devicev.argtypes = [pointer, text, text, text, texts, texts]
    bed_library.umockdev_testbed_uevent.argtypes = [pointer, text, text]
    bed_library.umockdev_testbed_remove_device.argtypes = [pointer, text]
    bed = bed_library.umockdev_testbed_new()
    root = bed_library.umockdev_testbed_get_root_dir(bed).decode()

    def add(subsystem, name, parent, attributes, properties):
        bed_library.umockdev_testbed_add_devicev(
            bed,
            subsystem.encode(),
            name.encode(),
            parent.encode() if parent else None,
            _texts(attributes),
            _texts(properties),
        )

    add("pci", "pci0000:00", None, [], [])
    add("pci", "0000:00:14.0", "/sys/devices/pci0000:00", [], [])
    add("usb", "usb1", "/sys/devices/pci0000:00/0000:00:14.0", [], ["DEVTYPE", "usb_device"])
    _say(root)
    for line in sys.stdin:
        what, *words = json.loads(line)
        if what == "add":
            add(*words)
        elif what == "event":
            bed_library.umockdev_testbed_uevent(bed, words[0].encode(), words[1].encode())
        else:
            bed_library.umockdev_testbed_remove_device(bed, words[0].encode())
        _say("done")
    objects = ctypes.CDLL("libgobject-2.0.so.0")
    objects.g_object_unref.argtypes = [pointer]
    objects.g_object_unref(bed)  # Removes its folder.


if __name__ == "__main__":
    _serve()
