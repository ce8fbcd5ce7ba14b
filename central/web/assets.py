"""Serves the page's own script, style and icon, each under a name that changes with it. Edge."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

STATIC_FOLDER = Path(__file__).parent / "static"
CONTENT_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
}
VERSION_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Asset:
    """One file that a page may ask for. version: the beginning of its SHA-256."""

    name: str
    body: bytes
    content_type: str
    version: str

    @property
    def url(self) -> str:
        """Return the address under which browsers may keep it for ever."""
        return f"/static/{self.name}?v={self.version}"


@cache
def assets() -> dict[str, Asset]:
    """Return every asset by name; read once, so a request never reaches the file system."""
    return {
        path.name: Asset(
            name=path.name,
            body=path.read_bytes(),
            content_type=CONTENT_TYPES[path.suffix],
            version=hashlib.sha256(path.read_bytes()).hexdigest()[:VERSION_DIGITS],
        )
        for path in sorted(STATIC_FOLDER.iterdir())
        if path.suffix in CONTENT_TYPES
    }
