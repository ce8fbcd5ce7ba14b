"""The demo's sentences, marked for the catalogue. Pure."""


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for "mark only".
    """Return `text` as it is; marks it as an entry of the message catalogue."""
    return text
