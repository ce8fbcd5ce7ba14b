"""The end of a job on its line: nothing is lost by hanging up, and what was lost is noticed."""

import socket
import struct
import threading
from pathlib import Path

import pytest

from drivers.builtin.label_printer import (
    PIECE_BYTES,
    LabelPrinterSettings,
    Language,
    PicturePrinter,
)
from drivers.builtin.printer_zpl import ZplPrinter, ZplSettings
from drivers.errors import DeviceLost
from drivers.protocols.printer_mute import MuteConversation
from drivers.protocols.printer_zpl_status import HOST_STATUS_COMMAND
from drivers.simulators.lines import VirtualSerialLine
from drivers.transports.device_file import open_device_file
from drivers.transports.tcp_client import open_tcp
from tests.drivers.picture_printers import LABEL
from tests.drivers.test_printer_zpl_status import READY
from tests.waiting import until

JOB = b"J" * 5000
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def printer_at(port: int) -> PicturePrinter:
    return PicturePrinter(
        LabelPrinterSettings(answers=False),
        Language(lambda _label, _copies_count: JOB, MuteConversation),
        lambda: open_tcp("127.0.0.1", port, connect_timeout_s=3.0),
    )


def test_a_printer_that_resets_the_connection_did_not_take_the_job() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take_and_reset() -> None:
            client = server.accept()[0]
            until(lambda: len(client.recv(len(JOB), socket.MSG_PEEK)) == len(JOB))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            client.close()

        thread = threading.Thread(target=take_and_reset)
        thread.start()
        result = printer_at(server.getsockname()[1]).print_label(LABEL, 1)
        thread.join(60)
    assert result.outcome == "unknown"


def test_a_job_arrives_whole_though_the_printer_talks_meanwhile() -> None:
    got = b""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take_slowly() -> None:
            nonlocal got
            client = server.accept()[0]
            got = client.recv(1)
            client.sendall(b"status that nobody reads")
            while data := client.recv(100):
                got += data
            client.close()

        thread = threading.Thread(target=take_slowly)
        thread.start()
        result = printer_at(server.getsockname()[1]).print_label(LABEL, 1)
        thread.join(60)
    assert result.outcome == "sent" and got == JOB


def test_a_device_file_that_still_holds_bytes_is_not_finished(tmp_path: Path) -> None:
    with VirtualSerialLine(tmp_path / "lp0") as line:  # Nobody reads at its far end.
        device = open_device_file(line.path, write_timeout_s=0.05)
        device.finish(1.0)
        with pytest.raises(DeviceLost):
            device.write(b"x" * 1_000_000)
        with pytest.raises(DeviceLost, match="held back"):
            device.finish(0.05)
        device.close()


class ReadingPrinter:
    """A line to a ZPL printer that answers at once, and says that it is still reading a label."""

    def __init__(self, *, reads_after_job: bool) -> None:
        self._reads_after_job = reads_after_job
        self._inbox = b""
        self._job = b""
        self.finished_count = 0

    def read(self, _timeout_s: float) -> bytes:
        data, self._inbox = self._inbox, b""
        return data

    def write(self, data: bytes) -> None:
        if data == HOST_STATUS_COMMAND:
            is_reading = self._reads_after_job and self._job.endswith(b"^XZ")
            self._inbox += READY.replace(b",000,0,0,0,000,", b",000,0,0,%d,000," % is_reading)
        else:
            assert len(data) <= PIECE_BYTES  # A line's limit is for each write.
            self._job += data

    @property
    def job_bytes(self) -> int:
        return len(self._job)

    def finish(self, _timeout_s: float) -> None:
        assert self._job.endswith(b"^XZ")
        self.finished_count += 1

    def close(self) -> None:
        """Nothing to close."""


@pytest.mark.parametrize(
    ("reads_after_job", "outcome", "finished_count"),
    [(True, "sent", 1), (False, "printed", 0)],
    ids=["within a label", "ready"],
)
def test_a_printer_that_still_reads_a_label_has_not_printed_it(
    reads_after_job: bool, outcome: str, finished_count: int
) -> None:
    line = ReadingPrinter(reads_after_job=reads_after_job)
    settings = ZplSettings(
        dots_per_mm=24, status_timeout_s=0.2, follow_timeout_s=0.2, follow_interval_s=0.01
    )
    assert ZplPrinter(settings, lambda: line).print_label(LABEL, 1).outcome == outcome
    assert line.finished_count == finished_count
    assert line.job_bytes > PIECE_BYTES


def test_a_zpl_job_that_the_printer_did_not_take_is_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer_and_reset() -> None:
            client = server.accept()[0]
            assert client.recv(len(HOST_STATUS_COMMAND)) == HOST_STATUS_COMMAND
            client.sendall(READY)
            until(lambda: client.recv(100_000, socket.MSG_PEEK).endswith(b"^XZ"))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            client.close()

        thread = threading.Thread(target=answer_and_reset)
        thread.start()
        printer = ZplPrinter(
            ZplSettings(follow_timeout_s=0),
            lambda: open_tcp("127.0.0.1", server.getsockname()[1], connect_timeout_s=3.0),
        )
        result = printer.print_label(LABEL, 1)
        thread.join(60)
    assert result.outcome == "unknown"


@pytest.mark.parametrize("host", ["printer..local", "p" * 64], ids=["empty part", "long part"])
def test_a_host_name_that_cannot_be_is_a_line_that_does_not_open(host: str) -> None:
    with pytest.raises(DeviceLost) as lost:
        open_tcp(host, 9100, connect_timeout_s=1.0)
    assert "host name" in lost.value.hint
