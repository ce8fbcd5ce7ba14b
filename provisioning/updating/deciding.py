"""Whether a release that is offered is taken. Pure."""

from collections.abc import Collection
from typing import Literal

from provisioning.updating.manifest import VERSION, Manifest, is_chosen, version_key

Decision = Literal[
    "take",
    "current",  # It runs already.
    "older",  # Than what runs, and not said to replace it.
    "expired",  # A mirror that stands still, or somebody who holds back what is newer.
    "failed_before",  # Here; a person decides, with `dockledger-update retry`.
    "not_chosen",  # Its ring is not that far yet.
]


def decide(
    manifest: Manifest,
    *,
    current: str,
    failed: Collection[str],
    now_s: int,
    ring: str,
    name: str,
) -> Decision:
    """Return what to do with a release whose signature is good. current: "" if none runs."""
    if current and version_key(manifest.version) == version_key(current):
        return "current"
    if now_s >= manifest.expires_s:
        return "expired"
    if manifest.version in failed:
        return "failed_before"
    older = bool(current) and version_key(manifest.version) < version_key(current)
    if older and not manifest.downgrade:
        return "older"
    if not is_chosen(manifest, ring=ring, name=name):
        return "not_chosen"
    return "take"


def waits_for_central(manifest: Manifest, central: str) -> str:
    """Return why a release waits for central, "" if it does not.

    central: the version that the gateway heard last, "" if it heard none.
    """
    if not manifest.central_min:
        return ""
    known = VERSION.fullmatch(central) is not None
    if known and version_key(central) >= version_key(manifest.central_min):
        return ""
    return (
        f"release {manifest.version} waits: it needs central {manifest.central_min} or newer,"
        f" central {f'is {central}' if known else 'was not heard yet'}; upgrade central first"
    )
