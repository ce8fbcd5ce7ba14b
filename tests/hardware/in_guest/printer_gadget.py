"""An emulated USB label printer that speaks ZPL's status. Edge of configfs."""

import fcntl
import os
import select
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

from tests.hardware.in_guest.gadget import Gadget, wait_until

SET_STATUS = 0xC0016722  # _IOWR('g', 0x22, unsigned char), linux/usb/g_printer.h
HOST_STATUS = b"~HS"


class LabelPrinter(Gadget):
    """Takes what is printed, answers ~HS; the kernel makes it /dev/usb/lp.

    paper: whether it has any. hold() stops it taking bytes, as a printer does that is busy.
    """

    function = "printer"
    vendor, product, name = 0x0A5F, 0x0084, "Lab Label Printer"
    _side = -1

    def describe(self):
        self._write_function("pnp_string", "MFG:Lab;MDL:ZPL-1;CMD:ZPL;CLS:PRINTER;")
        self._write_function("q_len", "10")
        self.taken = bytearray()
        self.paper = True
        self._goes_on = Event()

    def connect(self):
        def look():  # Not there until the host has configured it; another's may be.
            for path in sorted(Path("/dev").glob("g_printer*")):
                with suppress(OSError):
                    return (os.open(path, os.O_RDWR | os.O_NONBLOCK),)
            return None

        (self._side,) = wait_until(look, "printer's own side")
        self._ends = False
        self._goes_on.set()
        self._reader = Thread(target=self._take, name="printer", daemon=True)
        self._reader.start()

    def disconnect(self):
        if self._side >= 0:
            self._ends = True
            self._reader.join()
            os.close(self._side)
            self._side = -1

    def hold(self):
        """Take nothing more."""
        self._goes_on.clear()

    def go_on(self):
        """Take bytes again."""
        self._goes_on.set()

    def port_status(self, *, paper):
        """Set what the port's status lines say (USB printer class 1.1, 4.2.2)."""
        selected, no_error, paper_empty = 0x10, 0x08, 0x20
        fcntl.ioctl(self._side, SET_STATUS, selected | no_error | (0 if paper else paper_empty))

    def labels(self):
        """Return what was printed, without questions."""
        return bytes(self.taken).replace(HOST_STATUS, b"").strip()

    def _take(self):
        poll = select.poll()
        poll.register(self._side, select.POLLIN)
        while not self._ends:
            if not self._goes_on.wait(0.05) or not poll.poll(50):
                continue
            try:
                data = os.read(self._side, 8192)
            except BlockingIOError:
                continue
            except OSError:
                return
            self.taken += data
            for _ in range(data.count(HOST_STATUS)):
                self._answer()

    def _answer(self):
        # ZPL II Programming Guide, ~HS: three lines, each between STX and ETX CR LF.
        empty = 0 if self.paper else 1
        lines = (
            f"030,{empty},0,1245,000,0,0,0,000,0,0,0",
            "000,0,0,0,0,2,4,0,00000000,1,000",
            "1234,0",
        )
        with suppress(OSError):  # Pulled out while it answered.
            os.write(self._side, b"".join(b"\x02" + one.encode() + b"\x03\r\n" for one in lines))
