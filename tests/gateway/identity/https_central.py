"""Central's enrolment over HTTPS in this process, which can lose its answers. Edge of HTTP."""

import json
import ssl
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from central.storage.database import open_database
from central.storage.schema import migrate
from central.trust.authority import issue_server, key_pem, make_issuing, make_root, new_key, pem_of
from central.trust.authority_files import Authorities
from central.trust.enrolling import EnrolmentRequest, Issued
from central.trust.renewing import RenewalRequest
from central.trust.trust import Trust
from tests.central.trust.machines import SetClock

STATUS = {"unusable": 400, "forbidden": 403, "conflict": 409}


class Central:
    """Who is who, behind HTTPS. lost_count: so many next answers never leave."""

    def __init__(self, folder):
        self.clock = SetClock(int(time.time() * 1000))
        self.database = open_database(f"sqlite:///{folder / 'trust.db'}")
        migrate(self.database, generation="g")
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
        key = new_key()
        certificate = issue_server(
            issuing[1], key.public_key(), ["127.0.0.1"], now_ms=self.clock.time_ms, crl_url=""
        )
        self.pem = folder / "https.pem"
        self.pem.write_text(key_pem(key) + pem_of(certificate) + issuing[1].pem)

    def answer(self, path, body):
        """Return status and answer, as central's routes do."""
        self.requests.append(path)
        if path.endswith("/enrol"):
            for name in ("signing_key", "signing_proof"):
                body[name] = bytes.fromhex(body[name])
            told = self.trust.enrol(EnrolmentRequest(**body), address="")
        else:
            body["signature"] = bytes.fromhex(body["signature"])
            told = self.trust.renew(RenewalRequest(**body), address="")
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
        server.shutdown()
        thread.join()
        server.server_close()
        central.database.close()
