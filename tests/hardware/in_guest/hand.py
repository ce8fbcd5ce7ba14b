"""Types at the station's page and asks central, with Debian's Python alone. Root.

usage: hand.py scan CODE | state | devices | health | get TOKEN ADDRESS
"""

import json
import ssl
import sys
import urllib.error
import urllib.request

STATION = "http://127.0.0.1:8081"
CENTRAL = "https://wms.example.com:8000"
ROOT = "/var/lib/dockledger-broker/root.pem"


def ask(url, body=None, **headers):
    """Return what an address answers, as JSON; for a refusal its status and text."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json", **headers})
    context = ssl.create_default_context(cafile=ROOT) if url.startswith("https") else None
    try:
        with urllib.request.urlopen(request, timeout=30, context=context) as answer:
            text = answer.read().decode()
    except urllib.error.HTTPError as error:
        text = error.read().decode()
        told = json.loads(text) if text.startswith("{") else {"text": text}
        return {**told, "refused": error.code}
    except OSError as error:
        return {"refused": 0, "text": str(error)}
    return json.loads(text) if text else {}


def main(word, *rest):
    """Do one thing and print what it brought."""
    if word == "scan":
        said = ask(f"{STATION}/api/v1/scan", {"code": rest[0]})
    elif word in {"state", "devices"}:
        said = ask(f"{STATION}/api/v1/{word}")
    elif word == "health":
        said = ask(f"{STATION}/health")
    else:
        said = ask(f"{CENTRAL}/api/v1/{rest[1]}", None, Authorization=f"Bearer {rest[0]}")
    print(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
