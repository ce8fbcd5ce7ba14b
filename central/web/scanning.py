"""Where the camera reads bar codes, and what browsers are allowed there. Pure."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# The reader of bar codes is WebAssembly, which a browser may compile on these pages alone.
POLICY_SCANNING = POLICY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'")


def policy_of(path: str) -> str:
    """Return the Content-Security-Policy of the page at an address."""
    scans = path == "/search" or path.startswith("/counts/")
    return POLICY_SCANNING if scans else POLICY
