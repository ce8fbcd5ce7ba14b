"""Central's enrolment over HTTPS in this process, which can lose its answers. Edge of HTTP.

Who polls is told at once what became of its code the first time; later it is kept waiting until
`answered` is set, so that no test depends on an interval.
"""

import json
import ssl
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from central.trust.admission import Admission, Admittance
from central.trust.asking import Asking, Polled, Shown
from central.trust.authority import issue_server, key_pem, make_issuing, make_root, new_key, pem_of
from central.trust.authority_files import Authorities
from central.trust.enrolling import EnrolmentRequest, Issued
from central.trust.renewing import RenewalRequest
from central.trust.trust import Trust
from tests.central.migrated import open_migrated
from tests.central.trust.machines import SetClock

STATUS = {"unusable": 400, "forbidden": 403, "conflict": 409}


class Central:
    """Who is who, behind HTTPS. lost_count: so many next answers never leave."""

    def __init__(self, folder):
        self.clock = SetClock(int(time.time() * 1000))
        self.database = open_migrated(folder / "trust.db", generation="g")
        root = make_root("Test", now_ms=self.clock.time_ms)
        issuing = [make_issuing(root, name, now_ms=self.clock.time_ms) for name in ("G", "S")]
        self.authorities = Authorities(root.pem, *issuing)
        self.trust = Trust(
            database=self.database,
            clock=self.clock,
            site="demo",
            authorities=self.authorities,
            broker=None,
            crl_url="",
            public_url="",
            broker_host="",
            broker_port=8883,
            ledger_key=lambda: "ab" * 32,
        )
        self.requests = []
        self.lost_count = 0
        self.answered = threading.Event()
        self.polled = set()
        key = new_key()
        certificate = issue_server(
            issuing[1], key.public_key(), ["127.0.0.1"], now_ms=self.clock.time_ms, crl_url=""
        )
        self.pem = folder / "https.pem"
        self.pem.write_text(key_pem(key) + pem_of(certificate) + issuing[1].pem)

    def answer(self, path, body):
        """Return status and answer, as central's routes do."""
        self.requests.append(path)
        for name in ("signing_key", "signing_proof", "signature"):
            if name in body:
                body[name] = bytes.fromhex(body[name])
        if path.endswith("/ask"):
            told = Asking(self.trust).ask(EnrolmentRequest(claim="", **body), address="192.0.2.7")
            if isinstance(told, Shown):
                names = ("code", "secret", "fingerprint", "expires_in_s", "interval_s")
                return 200, {name: getattr(told, name) for name in names} | {"page": "/shown"}
        elif path.endswith("/poll"):
            return self.poll(**body)
        elif path.endswith("/enrol"):
            told = self.trust.enrol(EnrolmentRequest(**body), address="")
        else:
            told = self.trust.renew(RenewalRequest(**body), address="")
        return self.given(told)

    def poll(self, secret, signature):
        if secret in self.polled:
            self.answered.wait(30)
        self.polled.add(secret)
        told = Asking(self.trust).poll(secret, signature=signature, address="")
        if isinstance(told, Polled):
            return 200, {"state": told.state, "interval_s": 0, "expires_in_s": 900}
        status, issued = self.given(told[0] if isinstance(told, tuple) else told)
        if status != 200:
            return status, issued
        return 200, {"state": "issued", "issued": issued | {"receive_location": told[1]}}

    def approve(self, shown, gateway="dock-a", receive_location=""):
        """Let in what shows a code, as staff do who have compared it."""
        wanted = Admittance(
            fingerprint=shown.fingerprint,
            gateway=gateway,
            warehouse="sh1",
            receive_location=receive_location,
        )
        Admission(self.trust).approve(shown.code, wanted, by="tests", places=None)
        self.answered.set()

    def deny(self, shown):
        Admission(self.trust).deny(shown.code, by="tests")
        self.answered.set()

    def given(self, told):
        if not isinstance(told, Issued):
            return STATUS[told.kind], {"detail": told.detail, "hint": told.hint}
        row = told.certificate
        return 200, {
            "gateway": row.gateway,
            "warehouse": told.warehouse,
            "site": "demo",
            "certificate": row.pem,
            "chain": self.authorities.gateways.pem,
            "serial": row.serial,
            "ledger_public_key": "ab" * 32,
        }

    def claim(self, gateway="dock-a"):
        return self.trust.make_claim(gateway=gateway, warehouse="sh1", by="tests").code.text

    def enrol_file(self, claim="", *, root_pem=""):
        root = root_pem or self.authorities.root_pem
        return f'central_url = "{self.url}"\nclaim = "{claim}"\nroot_pem = """\n{root}"""\n'


@contextmanager
def https_central(folder):
    """Yield a Central that answers."""
    central = Central(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            size = int(self.headers["content-length"])
            status, answer = central.answer(self.path, json.loads(self.rfile.read(size)))
            if central.lost_count:
                central.lost_count -= 1
                self.connection.close()
                return
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_words):
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_words):
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(central.pem)
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    central.url = f"https://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield central
    finally:
        central.answered.set()
        server.shutdown()
        thread.join()
        server.server_close()
        central.database.close()
