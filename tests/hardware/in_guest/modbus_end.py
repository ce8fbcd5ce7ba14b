"""A Modbus scale at the own side of an emulated serial line. Loop."""

import os
import select
from contextlib import contextmanager
from threading import Event, Thread

from drivers.simulators.scale_modbus import VirtualModbusScale

STEP_S = 0.02


@contextmanager
def modbus_scale(line, register_map, folder):
    """Have a Modbus scale at the end of a line: pymodbus's server has its own pseudo terminal."""
    path = folder / "modbus"
    with VirtualModbusScale(register_map, path=path) as scale:
        terminal = os.open(path, os.O_RDWR | os.O_NOCTTY)
        ends = Event()

        def to_scale():
            while not ends.is_set():
                if data := line.read(STEP_S):
                    os.write(terminal, data)

        def to_host():
            poll = select.poll()
            poll.register(terminal, select.POLLIN)
            while not ends.is_set():
                if poll.poll(STEP_S * 1000):
                    line.write(os.read(terminal, 4096))

        carriers = [Thread(target=one, daemon=True) for one in (to_scale, to_host)]
        for one in carriers:
            one.start()
        try:
            yield scale
        finally:
            ends.set()
            for one in carriers:
                one.join()
            os.close(terminal)
