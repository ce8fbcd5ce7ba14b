"""Small releases that behave well or badly, signed with a key of the test. Edge of the disk."""

import base64
import ensurepip
import hashlib
import json
import platform
import sys
import zipfile
from pathlib import Path

from provisioning.updating.signatures import load_private_key, new_key_pair, sign

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
MACHINE = platform.machine()
LATER_S = 4_000_000_000
GATEWAY = Path(__file__).with_name("small_gateway.py")


def make_keys(folder, name="update"):
    """Write a key pair; return the path of the private and of the public key."""
    folder.mkdir(parents=True, exist_ok=True)
    private, public = new_key_pair()
    paths = folder / f"{name}.key", folder / f"{name}.pub"
    for path, data in zip(paths, (private, public), strict=True):
        path.write_bytes(data)
    return paths


def pip_wheel():
    """Return the pip that Python brings along."""
    folders = [Path(ensurepip.__file__).parent / "_bundled", Path("/usr/share/python-wheels")]
    return next(path for folder in folders for path in sorted(folder.glob("pip-*.whl")))


def make_wheel(folder, version, behaviour):
    """Write a wheel whose `dockledger-gateway` behaves as wanted."""
    path = folder / f"dockledger-{version}-py3-none-any.whl"
    about = f"dockledger-{version}.dist-info"
    source = GATEWAY.read_text(encoding="utf-8")
    members = {
        "small_gateway.py": f'VERSION, BEHAVIOUR = "{version}", "{behaviour}"\n{source}',
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: dockledger\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
        f"{about}/entry_points.txt": "[console_scripts]\ndockledger-gateway=small_gateway:main\n",
    }
    record = ""
    for name, text in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        record += f"{name},sha256={digest.decode()},{len(text.encode())}\n"
    members[f"{about}/RECORD"] = f"{record}{about}/RECORD,,\n"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in members.items():
            wheel.writestr(zipfile.ZipInfo(name), text)
    return path


def manifest_of(folder, version, **changes):
    """Return the manifest of all wheels in a folder, as a table."""
    wheels = sorted(folder.glob("*.whl"))
    return {
        "format": 1,
        "product": "dockledger-gateway",
        "version": version,
        "released_s": 1_795_000_000,
        "expires_s": LATER_S,
        "downgrade": False,
        "rings": [{"name": "rest", "percent": 100}],
        "files": [
            {
                "name": path.name,
                "size": path.stat().st_size,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            for path in wheels
        ],
        "environments": [
            {"python": PYTHON, "machine": MACHINE, "wheels": [path.name for path in wheels]}
        ],
        **changes,
    }


def make_release(folder, version, key, *, behaviour="good", **changes):
    """Write a signed release into a folder, in place of what is there."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    make_wheel(folder, version, behaviour)
    (folder / pip_wheel().name).write_bytes(pip_wheel().read_bytes())
    write_manifest(folder, manifest_of(folder, version, **changes), key)


def write_manifest(folder, manifest, key):
    """Write and sign a manifest."""
    data = json.dumps(manifest).encode()
    (folder / "manifest.json").write_bytes(data)
    private = load_private_key(key, password=None)
    (folder / "manifest.json.sig").write_bytes(sign(data, private))
