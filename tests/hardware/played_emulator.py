"""Plays QEMU where there is none, to see what the lab does when a guest ends or hangs. Edge.

usage: qemu-system-x86_64 ... -qmp unix:PATH,... -chardev socket,id=agent,path=PATH,...

What it plays stands in the variable PLAYED: `torn` ends as QEMU does with a state that it cannot
read, `hangs` says that it is ready and never answers to a command, `dies` ends at a command.
"""

import json
import os
import re
import socket
import sys
import threading


def main() -> None:
    """Play until the monitor is told to quit."""
    words = " ".join(sys.argv)
    if os.environ["PLAYED"] == "torn":
        sys.exit("qemu-system-x86_64: load of migration failed: Input/output error")
    (monitor,) = re.findall(r"-qmp unix:([^,]+),", words)
    (agent,) = re.findall(r"id=agent,path=([^,]+),", words)
    threading.Thread(target=_agent, args=(_listener(agent),), daemon=True).start()
    for line, answer in _lines(_listener(monitor)):
        answer({"return": {"status": "running"}})
        if line["execute"] == "quit":
            return


def _agent(listener):
    hung = False
    for line, answer in _lines(listener):
        if "hello" in line:
            if not hung:
                answer({"ready": {"kernel": "6.1", "python": "3.11"}})
        elif line["run"].startswith("date "):  # Its clock is set as it resumes.
            answer({"id": line["id"], "status": 0})
        elif os.environ["PLAYED"] == "dies":
            os._exit(1)
        else:
            hung = True


def _listener(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    return listener


def _lines(listener):
    connection, _ = listener.accept()
    with connection, connection.makefile("rw") as file:

        def answer(message):
            file.write(json.dumps(message) + "\n")
            file.flush()

        for line in file:
            yield json.loads(line), answer


if __name__ == "__main__":
    main()
