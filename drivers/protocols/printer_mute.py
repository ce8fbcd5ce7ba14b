"""The conversation with a printer that never answers. Pure."""

from drivers.readings import PrinterStatus


class MuteConversation:
    """Asks nothing and hears nothing; no job is ever confirmed."""

    asks_while_printing = False

    def ask(self) -> bytes:
        """Return no question."""
        return b""

    def receive_data(self, _data: bytes, /) -> bytes:
        """Pass over what came all the same."""
        return b""

    def next_status(self) -> PrinterStatus | None:
        """Return None: nothing is known."""
        return None

    def forget(self) -> None:
        """There is nothing to forget."""

    def begin_job(self, _copies_count: int, /) -> None:
        """Nothing follows from it."""

    def is_printed(self) -> bool:
        """Return False."""
        return False
