"""Runs in the guest: does what the host says, over the virtual serial port. Root.

One JSON object a line each way. The host sends

    {"id": 1, "run": "command", "timeout_s": 60}
    {"id": 2, "put": "/path", "base64": "...", "mode": 493}
    {"hello": true}

and gets {"id": 1, "output": "..."} while the command works, then {"id": 1, "status": 0}; for a file
{"id": 2, "status": 0}; and {"ready": {...}} when the port opens and for each hello. Each request
has a thread of its own.
"""

import base64
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

PORT = Path("/dev/virtio-ports/dockledger.lab")
READ_BYTES = 65536
LINE_BYTES_MAX = 64 * 1024 * 1024
FAILED = 125


class Agent:
    """What runs commands and answers."""

    def __init__(self, port):
        self._port = port
        self._lock = threading.Lock()

    def send(self, message):
        data = json.dumps(message).encode() + b"\n"
        with self._lock:
            while data:
                data = data[os.write(self._port, data) :]

    def say_ready(self):
        self.send({"ready": {"kernel": os.uname().release, "python": sys.version.split()[0]}})

    def answer(self, request):
        try:
            if "run" in request:
                status = self._run(request)
            else:
                status = self._put(request)
        except OSError as error:
            self.send({"id": request["id"], "output": f"{error}\n"})
            status = FAILED
        self.send({"id": request["id"], "status": status})

    def _run(self, request):
        child = subprocess.Popen(
            ["/bin/bash", "-c", request["run"]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | {"HOME": "/root", "PYTHONUNBUFFERED": "1"},
        )
        timer = threading.Timer(request["timeout_s"], os.killpg, (child.pid, 9))
        timer.start()
        while data := os.read(child.stdout.fileno(), READ_BYTES):
            self.send({"id": request["id"], "output": data.decode(errors="replace")})
        status = child.wait()
        timer.cancel()
        return status

    def _put(self, request):
        path = Path(request["put"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(request["base64"]))
        path.chmod(request["mode"])
        return 0


def main():
    while not PORT.exists():
        time.sleep(0.02)
    port = os.open(PORT, os.O_RDWR)
    agent = Agent(port)
    agent.say_ready()
    held = b""
    while True:
        data = os.read(port, READ_BYTES)
        if not data:  # The host's side is closed: it comes back.
            time.sleep(0.05)
            continue
        *lines, held = (held + data).split(b"\n")
        assert len(held) <= LINE_BYTES_MAX
        for line in lines:
            request = json.loads(line)
            if "hello" in request:
                agent.say_ready()
            else:
                threading.Thread(target=agent.answer, args=(request,), daemon=True).start()


if __name__ == "__main__":
    main()
