"""A serial port to a device: RS-232, USB serial or Bluetooth serial. Edge of pyserial."""

import errno
import select
import termios
from typing import Literal

import serial

from drivers.errors import DeviceLost, SettingsInvalid

Parity = Literal["none", "even", "odd", "mark", "space"]

READ_BYTES_MAX = 4096
WRITE_TIMEOUT_S = 5.0  # A device that takes no byte for so long is as good as gone.

_PARITIES: dict[Parity, str] = {
    "none": serial.PARITY_NONE,
    "even": serial.PARITY_EVEN,
    "odd": serial.PARITY_ODD,
    "mark": serial.PARITY_MARK,
    "space": serial.PARITY_SPACE,
}


class SerialLine:
    """An open serial port; one thread uses it. Made by `open_serial`."""

    def __init__(self, port: serial.Serial) -> None:
        self._port = port
        self._poller = select.poll()
        self._poller.register(port.fileno(), select.POLLIN)

    def read(self, timeout_s: float) -> bytes:
        """Return what has arrived, at most READ_BYTES_MAX; b"" if nothing came in `timeout_s`.

        Raises DeviceLost when the port is gone.
        """
        try:
            if not self._port.is_open:
                raise serial.PortNotOpenError
            if not self._poller.poll(max(timeout_s, 0.0) * 1000):
                return b""
            return bytes(self._port.read(READ_BYTES_MAX))
        # pyserial raises SerialException (an OSError), a plain OSError or, when the port vanishes
        # at a bad moment, termios.error or TypeError (its file descriptor is None by then).
        except (OSError, termios.error, TypeError) as error:
            raise self._lost(error) from error

    def write(self, data: bytes) -> None:
        """Give all bytes to the port. Raises DeviceLost; some bytes may have left then."""
        try:
            self._port.write(data)
        except serial.SerialTimeoutException as error:
            raise DeviceLost(
                f"{self._port.port} took no bytes for {WRITE_TIMEOUT_S:g} s",
                hint="Check the cable and switch off flow control in the device.",
            ) from error
        except (OSError, termios.error, TypeError) as error:
            raise self._lost(error) from error

    def close(self) -> None:
        """Close the port; only then does the device get its name back. Never raises."""
        try:
            self._port.close()
        except (OSError, termios.error):
            return  # Closing an unplugged port may fail; its number is free all the same.

    def _lost(self, error: Exception) -> DeviceLost:
        return DeviceLost(
            f"serial port {self._port.port} lost: {error}",
            hint="Check the USB or serial cable and the device's power.",
        )


def open_serial(
    port: str,
    *,
    baud_rate: int,
    data_bits: Literal[5, 6, 7, 8],
    parity: Parity,
    stop_bits: Literal[1, 2],
) -> SerialLine:
    """Return the open port, locked against other programs; bytes that waited in it are dropped.

    port: a path that stays the same when the device is plugged in again, such as
        /dev/serial/by-id/...; the numbers of /dev/ttyUSB0 and its like do not.
    Raises DeviceLost, or SettingsInvalid when the port cannot have these settings.
    """
    try:
        opened = serial.Serial(
            port=port,
            baudrate=baud_rate,
            bytesize=data_bits,
            parity=_PARITIES[parity],
            stopbits=stop_bits,
            timeout=0,  # `read` waits by itself; pyserial only fetches.
            write_timeout=WRITE_TIMEOUT_S,
            exclusive=True,
        )
        if parity in {"even", "odd"}:  # The others not every adapter knows.
            _check_parity_received(opened.fileno(), data_bits=data_bits)
    except (ValueError, NotImplementedError) as error:
        # pyserial raises the second for a baud rate that the platform cannot set.
        raise SettingsInvalid(
            f"serial port {port} refuses its settings: {error}",
            hint="Correct the line settings of this device (baud_rate, data_bits, parity).",
        ) from error
    except (OSError, termios.error) as error:
        raise DeviceLost(f"cannot open {port}: {error}", hint=_open_hint(error)) from error
    return SerialLine(opened)


def _check_parity_received(file: int, *, data_bits: int) -> None:
    """Have the kernel show a byte whose parity is wrong: as FFh 00h and itself, with 8 bits as 00h.

    pyserial leaves INPCK off, and then such a byte is read as if it were right (termios(3)). FFh is
    no byte of 7 bits, and the frame gets longer; with 8 bits each right FFh would come twice.
    """
    settings = termios.tcgetattr(file)
    settings[0] |= termios.INPCK if data_bits == 8 else termios.INPCK | termios.PARMRK
    termios.tcsetattr(file, termios.TCSANOW, settings)


def _open_hint(error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if number in {errno.ENOENT, errno.ENODEV, errno.ENXIO}:
        return "Plug the device in, or correct `port` in its settings."
    if number in {errno.EACCES, errno.EPERM}:
        return "Allow the gateway's user to use serial ports (group dialout)."
    if number in {errno.EAGAIN, errno.EBUSY}:
        return "Close the other program that uses this port; only one can read it."
    return "Check that `port` names a serial port and that its cable is plugged in."
