"""Writes the bill of materials of gateway and central as CycloneDX 1.6 JSON. Root.

    python -m provisioning.bill_of_materials FOLDER

The same lock gives the same files: names and times in them come from the locked constraints.
"""

import hashlib
import sys
import tomllib
import uuid
from datetime import UTC, datetime
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from provisioning.bill_of_materials.parts import Part, Unlocked, read_parts

ROOT = Path(__file__).resolve().parents[2]
PRODUCTS = {"gateway": ("gateway",), "central": ("central",)}
NAMESPACE = uuid.UUID("8c0f2d53-7f0e-5b39-9a57-1f2d4f0f9b11")


def main(folder: Path) -> int:
    """Write one file for each product; return an exit code."""
    folder.mkdir(parents=True, exist_ok=True)
    for product in PRODUCTS:
        try:
            path = folder / f"dockledger-{product}.cdx.json"
            path.write_text(bill_of(product), encoding="utf-8")
        except Unlocked as error:
            sys.stderr.write(f"error: {error}\nhint: Run `make setup`, then again.\n")
            return 2
        sys.stdout.write(f"{path}\n")
    return 0


def bill_of(product: str) -> str:
    """Return the bill of materials of a product as JSON. Raises Unlocked."""
    parts = read_parts(ROOT, PRODUCTS[product])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "constraints.txt").read_bytes()
    bom = Bom(serial_number=uuid.uuid5(NAMESPACE, f"{product} {hashlib.sha256(lock).hexdigest()}"))
    # No time of its own: the same lock is the same bill, and a difference of two means something.
    bom.metadata.timestamp = datetime.fromtimestamp(0, UTC)
    whole = Component(
        type=ComponentType.APPLICATION,
        name=f"dockledger-{product}",
        version=project["version"],
        licenses=[LicenseFactory().make_from_string(project["license"])],
        bom_ref=f"dockledger-{product}",
    )
    bom.metadata.component = whole
    components = {part.name: _component(part) for part in parts}
    for component in components.values():
        bom.components.add(component)
    for part in parts:
        bom.register_dependency(
            components[part.name], [components[name] for name in part.needs if name in components]
        )
    bom.register_dependency(whole, list(components.values()))
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _component(part: Part) -> Component:
    url = PackageURL("pypi", name=part.name, version=part.version)
    files = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(f"https://pypi.org/project/{part.name}/{part.version}/#files"),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one) for one in part.hashes],
    )
    return Component(
        type=ComponentType.LIBRARY,
        name=part.name,
        version=part.version,
        purl=url,
        bom_ref=url.to_string(),
        licenses=[LicenseFactory().make_from_string(part.licence)] if part.licence else [],
        external_references=[files],
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "dist")))
