"""A real mail server on loopback that keeps what it is given. Edge of aiosmtpd."""

import ssl
from contextlib import contextmanager
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.ports import steady_port


class Box:
    """Takes letters. refusals: what it answers to the next recipients instead of taking them."""

    def __init__(self):
        self.letters = []
        self.refusals = []
        self.secured = []

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if self.refusals:
            return self.refusals.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        self.secured.append(session.ssl is not None)
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    known = (data.login, data.password) == (b"dockledger", b"secret")
    return AuthResult(success=known, handled=False)


@contextmanager
def mail_server(*, certificate=None, port=0, authority=None):
    """Yield (box, port). certificate: (certificate file, key file) for STARTTLS, which it needs."""
    box = Box()
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=port or steady_port(),
        tls_context=context,
        require_starttls=context is not None,
        authenticator=authenticate,
        auth_require_tls=context is not None,
    )
    controller.start()
    try:
        yield box, controller.port
    finally:
        controller.stop()
