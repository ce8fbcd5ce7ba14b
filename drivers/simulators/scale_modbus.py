"""A virtual scale behind a Modbus server, on TCP or on a serial line (RTU). Edge of pymodbus.

It encodes by the same register map as the driver decodes, in code of its own. The server, its
frames and its checksums are pymodbus's.
"""

import asyncio
import struct
import threading
from collections.abc import Coroutine
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pymodbus.constants import ExcCodes
from pymodbus.pdu import ModbusPDU
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers.protocols.scale_modbus import RegisterMap, RegisterWrite, StatusBit
from drivers.simulators.lines import VirtualSerialLine

START_TIMEOUT_S = 5.0
STOP_TIMEOUT_S = 5.0
BRIDGE_STEP_S = 0.05

_STRUCT_FORMATS = {"int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I"}


class VirtualModbusScale:
    """A scale that starts empty, stable and at zero. Use as a context manager.

    Any thread may call; the next answer shows it.
    """

    def __init__(
        self,
        register_map: RegisterMap,
        *,
        device_id: int = 1,
        port: int = 0,
        path: Path | None = None,
    ) -> None:
        """Serve on a TCP port of 127.0.0.1 (0: a free one) or, with `path`, on a serial line."""
        self._map = register_map
        self._device_id = device_id
        self._words: tuple[int, ...] = ()
        self._exception_code: int | None = None
        self._answer_words_count: int | None = None
        self._noise = b""
        self._is_mute = False
        self._delay_s = 0.0
        self.answers_count = 0
        self._writes: list[RegisterWrite] = []
        self.port = port
        self._bridge = None if path is None else _Bridge(path)
        self._server: ModbusTcpServer | ModbusSerialServer | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="virtual-modbus", daemon=True)
        self._thread.start()
        self.put(Decimal(0))
        self._call(self._listen())

    def put(self, weight: Decimal, *, stable: bool = True) -> None:
        """Lay so much on the scale, in the unit of its map; ends any fault.

        Raises ValueError if the map cannot say this weight.
        """
        number = int(weight.scaleb(self._map.decimals_count).to_integral_exact())
        bits = {self._map.stable: stable}
        if self._map.negative is not None:
            bits[self._map.negative] = number < 0
            number = abs(number)
        self._show(bits, number)

    def overload(self) -> None:
        """Lay on more than the scale can weigh; the weight registers keep a figure."""
        self._fail(self._map.overload)

    def underload(self) -> None:
        """Take the pan away."""
        self._fail(self._map.underload)

    def fault(self) -> None:
        """Break the load cell."""
        self._fail(self._map.fault)

    def not_ready(self) -> None:
        """Make the scale busy."""
        self._fail(self._map.not_ready)

    def mute(self) -> None:
        """Answer nothing more."""
        self._is_mute = True

    def unmute(self) -> None:
        """Answer again, at once and whole."""
        self._is_mute = False
        self._delay_s = 0.0
        self._noise = b""
        self._exception_code = None
        self._answer_words_count = None

    def answer_late(self, delay_s: float) -> None:
        """Answer so much later than asked."""
        self._delay_s = delay_s

    def answer_short(self, words_count: int) -> None:
        """Answer with so few registers, in a frame that is otherwise right."""
        self._answer_words_count = words_count

    def answer_with_noise(self, noise: bytes) -> None:
        """Send these bytes before each answer."""
        self._noise = noise

    def refuse(self, exception_code: int) -> None:
        """Answer with a Modbus exception code."""
        self._exception_code = exception_code

    def set_word(self, address: int, word: int) -> None:
        """Change one register, whatever the map says it means."""
        place = address - self._map.block_address
        self._words = (*self._words[:place], word, *self._words[place + 1 :])

    def writes(self) -> tuple[RegisterWrite, ...]:
        """Return all that was written to the scale, oldest first."""
        return tuple(self._writes)

    def close_port(self) -> None:
        """Close the TCP port and its connections, or unplug the serial line."""
        if self._bridge is not None:
            self._bridge.driver_side.unplug()
        else:
            self._call(self._shut())

    def open_port(self) -> None:
        """Open the port again at the same address, or plug the line in."""
        if self._bridge is not None:
            self._bridge.driver_side.plug_in()
        elif self._server is None:
            self._call(self._listen())

    def close(self) -> None:
        """Stop. May be called twice."""
        if self._loop.is_closed():
            return
        self._call(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_TIMEOUT_S)
        self._loop.close()
        if self._bridge is not None:
            self._bridge.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _fail(self, bits: tuple[StatusBit, ...]) -> None:
        assert bits, "the map has no bit for this"
        self._show({self._map.stable: True, bits[0]: True}, 1234)

    def _show(self, true_bits: dict[StatusBit, bool], number: int) -> None:
        try:
            data = struct.pack(_STRUCT_FORMATS[self._map.weight_type], number)
        except struct.error as error:
            raise ValueError(f"{self._map.weight_type} cannot hold {number}") from error
        weight = struct.unpack(f">{len(data) // 2}H", data)
        words = dict.fromkeys(range(self._map.block_count), 0)
        if self._map.constant is not None:
            start = self._map.constant.address - self._map.block_address
            words.update(enumerate(self._map.constant.words, start))
        ordered = weight if self._map.word_order == "big" else weight[::-1]
        words.update(enumerate(ordered, self._map.weight_address - self._map.block_address))
        for bit in self._map.bits():
            address = self._map.status_address if bit.address is None else bit.address
            place = address - self._map.block_address
            words[place] = _with_bit(words[place], bit, value=true_bits.get(bit, False))
        self._words = tuple(words[place] for place in range(self._map.block_count))

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _call(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(START_TIMEOUT_S)

    async def _listen(self) -> None:
        device = SimDevice(
            self._device_id,
            SimData(
                self._first_address,
                values=[0] * (self._last_address() - self._first_address + 1),
                datatype=DataType.REGISTERS,
            ),
            action=self._answer,
        )
        if self._bridge is not None:
            self._server = ModbusSerialServer(
                device,
                port=str(self._bridge.server_side.path),
                ignore_missing_devices=True,
                trace_packet=self._trace_packet,
                trace_pdu=self._trace_pdu,
            )
            await self._server.serve_forever(background=True)
            return
        self._server = ModbusTcpServer(
            device,
            address=("127.0.0.1", self.port),
            trace_packet=self._trace_packet,
            trace_pdu=self._trace_pdu,
        )
        await self._server.serve_forever(background=True)
        assert isinstance(self._server.transport, asyncio.Server)
        self.port = self._server.transport.sockets[0].getsockname()[1]

    async def _shut(self) -> None:
        if self._server is not None:
            await self._server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus's.
            self._server = None
            await asyncio.sleep(0)  # The connections are closed by callbacks.

    async def _answer(
        self,
        function: int,
        _start: int,
        address: int,
        _count: int,
        registers: list[int],
        written: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        if function in {6, 16}:
            # pymodbus calls twice for a write, once with the words.
            if written is not None and self._exception_code is None:
                words = tuple(int(word) for word in written)
                self._writes.append(RegisterWrite(address, words))
        else:
            self.answers_count += 1
            place = self._map.block_address - self._first_address
            words = self._words
            await asyncio.sleep(self._delay_s)
            registers[place : place + len(words)] = words
        return None if self._exception_code is None else ExcCodes(self._exception_code)

    @property
    def _first_address(self) -> int:
        return min(
            self._map.block_address, *(write.address for write in self._all_writes()), 0xFFFF
        )

    def _last_address(self) -> int:
        ends = [write.address + len(write.words) for write in self._all_writes()]
        return max(self._map.block_address + self._map.block_count, *ends, 0) - 1

    def _all_writes(self) -> tuple[RegisterWrite, ...]:
        return (*self._map.zero, *self._map.tare, *self._map.clear_tare)

    def _trace_packet(self, sending: bool, packet: bytes) -> bytes:  # noqa: FBT001  pymodbus's.
        if not sending:
            return packet
        return b"" if self._is_mute else self._noise + packet

    def _trace_pdu(self, sending: bool, pdu: ModbusPDU) -> ModbusPDU:  # noqa: FBT001
        if sending and self._answer_words_count is not None:
            pdu.registers = pdu.registers[: self._answer_words_count]
        return pdu


class _Bridge:
    """Two serial lines back to back, for pymodbus's server opens its end by path as well."""

    def __init__(self, path: Path) -> None:
        self.driver_side = VirtualSerialLine(path)
        self.server_side = VirtualSerialLine(path.with_name(path.name + ".server"))
        self._stopping = threading.Event()
        lines = (self.driver_side, self.server_side)
        self._threads = [
            threading.Thread(target=self._carry, args=ends, name="modbus-bridge", daemon=True)
            for ends in (lines, lines[::-1])
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(STOP_TIMEOUT_S)
        self.driver_side.close()
        self.server_side.close()

    def _carry(self, from_line: VirtualSerialLine, to_line: VirtualSerialLine) -> None:
        while not self._stopping.is_set():
            if data := from_line.read(BRIDGE_STEP_S):
                to_line.write(data)


def _with_bit(status: int, bit: StatusBit, *, value: bool) -> int:
    is_set = value == (bit.is_true_when == "set")
    mask = 1 << bit.bit
    return status | mask if is_set else status & ~mask
