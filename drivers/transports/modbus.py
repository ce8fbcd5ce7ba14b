"""Modbus requests over TCP and RS-485/RS-232 (RTU). Edge of pymodbus.

A late answer to a request that timed out is taken by pymodbus on RTU as the answer to the next
request, without an error (pymodbus pull request 2636; tried with 3.16.1). Therefore: no retries;
one request at a time; after a timeout the line is listened to until the late answer must have
come and gone, and is then closed for good.
"""

import logging
import select
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu import ExceptionResponse, ModbusPDU

from drivers.errors import DeviceLost, DeviceSilent

Parity = Literal["none", "even", "odd"]

LATE_READS_MAX = 1000
# All that pymodbus would log as an error, with dumps of old packets, is raised here instead.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)

_LOST_HINT = "Check the scale's power, its cable and the address in the settings."
_PARITIES: dict[Parity, str] = {"none": "N", "even": "E", "odd": "O"}


@dataclass(frozen=True, slots=True)
class ModbusRefusal:
    """The device answered a request with an exception code."""

    exception_code: int


class ModbusLine:
    """An open line to one device; one thread uses it. Made by the two open functions."""

    def __init__(
        self, client: ModbusTcpClient | ModbusSerialClient, *, device_id: int, timeout_s: float
    ) -> None:
        self._client = client
        self._device_id = device_id
        self._timeout_s = timeout_s

    def read_words(
        self, *, function: Literal["holding", "input"], address: int, count: int
    ) -> tuple[int, ...] | ModbusRefusal:
        """Return the registers as they came, which may be fewer or more than asked.

        Raises DeviceLost if the line is gone and DeviceSilent if nothing readable came in time;
        after either the line is closed and must be opened anew.
        """
        read = (
            self._client.read_holding_registers
            if function == "holding"
            else self._client.read_input_registers
        )
        answer = self._ask(lambda: read(address, count=count, device_id=self._device_id))
        return answer if isinstance(answer, ModbusRefusal) else tuple(answer.registers)

    def write_words(self, *, address: int, words: tuple[int, ...]) -> ModbusRefusal | None:
        """Write registers in one request (function 16); return the refusal, None when done.

        Raises as `read_words` does; then it is not known whether the device has taken them.
        """
        answer = self._ask(
            lambda: self._client.write_registers(address, list(words), device_id=self._device_id)
        )
        return answer if isinstance(answer, ModbusRefusal) else None

    def close(self) -> None:
        """Close the line. Never raises; may be called twice."""
        try:
            self._client.close()  # type: ignore[no-untyped-call]  # pymodbus leaves it untyped.
        except (OSError, TypeError):
            return  # The port went first.

    def _ask(self, request: Callable[[], ModbusPDU]) -> ModbusPDU | ModbusRefusal:
        if not self._client.connected:  # pymodbus would connect again by itself, unseen.
            raise _lost(self._client, "closed")
        try:
            response = request()
        # in_waiting of a vanished port raises a plain OSError, a closed one TypeError.
        except (ConnectionException, OSError, TypeError) as error:
            self.close()
            raise _lost(self._client, str(error)) from error
        except ModbusException as error:
            self._outwait_late_answer()
            self.close()
            raise DeviceSilent(
                f"Modbus device {self._device_id} at {_place(self._client)} gave no answer in "
                f"{self._timeout_s:g} s",
                hint="Check the scale's power, its wiring and the Modbus address in the settings.",
            ) from error
        if isinstance(response, ExceptionResponse):
            return ModbusRefusal(response.exception_code)
        return response

    def _outwait_late_answer(self) -> None:
        """Drop what still comes on a serial line, for as long again as an answer may take.

        On TCP a late answer dies with its connection.
        """
        port = self._client.socket if isinstance(self._client, ModbusSerialClient) else None
        if port is None:
            return
        deadline = time.monotonic() + self._timeout_s
        try:
            for _ in range(LATE_READS_MAX):
                left_s = deadline - time.monotonic()
                if left_s <= 0 or not select.select([port], [], [], left_s)[0]:
                    return
                if not port.read(max(1, port.in_waiting)):
                    return
        except (OSError, TypeError, ValueError):
            return  # Unplugged meanwhile; whoever opens it again will see.


def open_modbus_tcp(host: str, port: int, *, device_id: int, timeout_s: float) -> ModbusLine:
    """Return a connection to a Modbus TCP device or gateway. Raises DeviceLost."""
    client = ModbusTcpClient(host, port=port, timeout=timeout_s, retries=0, reconnect_delay=0)
    return _connected(client, device_id=device_id, timeout_s=timeout_s)


def open_modbus_serial(
    path: str,
    *,
    baud_rate: int,
    parity: Parity,
    stop_bits: Literal[1, 2],
    device_id: int,
    timeout_s: float,
) -> ModbusLine:
    """Return an RTU line, exclusively ours. Raises DeviceLost."""
    client = ModbusSerialClient(
        path,
        baudrate=baud_rate,
        bytesize=8,
        parity=_PARITIES[parity],
        stopbits=stop_bits,
        timeout=timeout_s,
        retries=0,
        reconnect_delay=0,
    )
    return _connected(client, device_id=device_id, timeout_s=timeout_s)


def _connected(
    client: ModbusTcpClient | ModbusSerialClient, *, device_id: int, timeout_s: float
) -> ModbusLine:
    try:
        connected = client.connect()
    except UnicodeError:  # A name that cannot be one, such as "192.0.2..7".
        connected = False
    if not connected:
        raise DeviceLost(f"cannot open Modbus line {_place(client)}", hint=_LOST_HINT)
    return ModbusLine(client, device_id=device_id, timeout_s=timeout_s)


def _lost(client: ModbusTcpClient | ModbusSerialClient, reason: str) -> DeviceLost:
    return DeviceLost(f"Modbus line {_place(client)} lost: {reason}", hint=_LOST_HINT)


def _place(client: ModbusTcpClient | ModbusSerialClient) -> str:
    host, port = client.comm_params.host, client.comm_params.port
    return str(host) if isinstance(client, ModbusSerialClient) else f"{host}:{port}"
