"""Commands for one device on their way to the thread that has it open. Edge (shared memory)."""

import queue
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field

from drivers.api import CommandResult, DeviceCommand

ORDERS_MAX = 8


@dataclass(frozen=True, slots=True)
class Order:
    """One command and the promise of its result."""

    command: DeviceCommand
    result: "Future[CommandResult]" = field(default_factory=Future)


class Orders:
    """A bounded queue. Any thread orders; the device's thread takes."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[Order] = queue.Queue(maxsize=ORDERS_MAX)

    def put(self, command: DeviceCommand) -> Order | None:
        """Add a command; return None if the device has too many to do."""
        order = Order(command)
        try:
            self._waiting.put_nowait(order)
        except queue.Full:
            return None
        return order

    def take(self) -> Order | None:
        """Return the next order that nobody gave up, as begun; None if there is none."""
        while True:
            try:
                order = self._waiting.get_nowait()
            except queue.Empty:
                return None
            if order.result.set_running_or_notify_cancel():
                return order

    def refuse_all(self, detail: str) -> None:
        """Answer everything that waits: nothing of it was done."""
        while (order := self.take()) is not None:
            order.result.set_result(CommandResult("refused", detail))


def wait_for_result(order: Order, timeout_s: float) -> CommandResult:
    """Return what became of an order; after `timeout_s` it is given up, and never begun later."""
    try:
        return order.result.result(timeout_s)
    except FutureTimeout:
        if order.result.cancel():
            return CommandResult("refused", "the device had no time for it")
        return CommandResult("unknown", f"no answer within {timeout_s:g} s")
