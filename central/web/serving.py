"""How the web server serves pages: bounds, and TLS as strong as it can be. Edge of uvicorn."""

import uvicorn
from starlette.types import ASGIApp

from central.config import HttpSection

CONNECTIONS_MAX = 512
# Open pages hold their connection for ever; after this they are cut off.
PAGES_END_S = 2
# Of TLS 1.2: forward secrecy, authenticated encryption (RFC 9325, section 4.2). 1.3 has no others,
# and nothing before 1.2 is spoken.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


def web_config(app: ASGIApp, http: HttpSection) -> uvicorn.Config:
    """Return how an application is served, without its addresses in any log."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_graceful_shutdown=PAGES_END_S,
        ssl_certfile=http.tls_certificate_file or None,
        ssl_keyfile=http.tls_key_file or None,
        ssl_ciphers=CIPHERS,
    )
