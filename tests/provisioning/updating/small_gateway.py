"""What a release of the tests runs: health, READY, watchdog; its first line says how. Root."""

import json
import os
import secrets
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STALLS_AFTER_S = 1.5
RUN = secrets.token_hex(8)
BEGAN_S = time.monotonic()


def behaviour():
    return globals()["BEHAVIOUR"]


def stalled():
    return time.monotonic() - BEGAN_S > STALLS_AFTER_S


class Health(BaseHTTPRequestHandler):
    """Answers /health."""

    def do_GET(self):
        if behaviour() == "slow" and stalled():
            time.sleep(30)
        failing = behaviour() == "unhealthy"
        devices = {"dock-1-scanner": "ready", "dock-1-scale": "offline"}
        if behaviour() == "blind":
            devices = {"dock-1-scanner": "fault"}
        body = {
            "status": "failing" if failing else "ok",
            "version": globals()["VERSION"],
            "run": RUN,
            "central_connected": behaviour() != "cut off",
            "devices": devices,
        }
        self.send_response(503 if failing else 200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_words):
        """Say nothing."""


def tell(state):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.sendto(state.encode(), os.environ["NOTIFY_SOCKET"])


def main():
    if "--help" in sys.argv:
        return
    if behaviour() == "crash":
        sys.exit(1)
    if behaviour() == "hang":
        time.sleep(3600)
    port = int(os.environ["HEALTH_PORT"])
    server = ThreadingHTTPServer(("127.0.0.1", port), Health)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    tell("READY=1")
    while True:
        if behaviour() == "stall" and stalled():
            time.sleep(3600)  # The pages go on; the work does not, and the watchdog sees it.
        tell("WATCHDOG=1")
        time.sleep(0.1)
