"""MQTT topics, built and read in one place. Pure.

    dl/1/{site}/{shard}/{gateway}/up      batches of facts, gateway -> central
    dl/1/{site}/{shard}/{gateway}/ack     cumulative acknowledgement, central -> gateway, retained
    dl/1/{site}/{shard}/{gateway}/state   birth and death of the gateway, retained, last will
    dl/1/{site}/{shard}/{gateway}/down      notices, central -> gateway
    dl/1/{site}/{shard}/{gateway}/down-ack  what of them is applied, gateway -> central
    dl/1/{site}/{shard}/{gateway}/digests   its stock, a digest per bin, gateway -> central
    dl/1/{site}/central/{worker}            which shards a worker of central serves, retained, will

The last one has a level less, so that no rule about gateways' topics ever matches it.

The shard is a stable hash of the gateway, so that any number of intake workers can share the
gateways on a broker without shared subscriptions (granted and then dead on several brokers).
"""

import hashlib
from dataclasses import dataclass
from typing import Literal, get_args

from central.contract.errors import ContractError
from central.contract.identifiers import parse_code

PREFIX = "dl/1"
SHARD_COUNT = 64
Channel = Literal["up", "ack", "state", "down", "down-ack", "digests"]
CHANNELS: tuple[str, ...] = get_args(Channel)
TOPIC_BYTES_MAX = 256


@dataclass(frozen=True, slots=True)
class GatewayTopic:
    """One topic of one gateway; `str(topic)` is what goes to the broker."""

    site: str
    gateway: str
    channel: Channel

    @property
    def shard(self) -> int:
        """Return the shard of the gateway, 0 to SHARD_COUNT - 1."""
        return shard_of(self.gateway)

    def __str__(self) -> str:
        return f"{PREFIX}/{self.site}/{self.shard}/{self.gateway}/{self.channel}"


def shard_of(gateway: str) -> int:
    """Return the shard in which a gateway lives, the same on every machine and version."""
    return int.from_bytes(hashlib.sha256(gateway.encode()).digest()[:4], "big") % SHARD_COUNT


def subscription(*, site: str, channel: Channel, shard: int | None = None) -> str:
    """Return the filter for `channel` of every gateway of a site, or of one shard of it."""
    return f"{PREFIX}/{site}/{'+' if shard is None else shard}/+/{channel}"


def central_topic(*, site: str, worker: str) -> str:
    """Return the topic on which a worker of central says whether it takes facts."""
    return f"{PREFIX}/{site}/central/{worker}"


def central_subscription(*, site: str) -> str:
    """Return the filter for the states of all workers of central."""
    return f"{PREFIX}/{site}/central/+"


def parse_topic(text: str) -> GatewayTopic:
    """Return the parts of a topic. Raises ContractError, also if the shard is not the gateway's."""
    parts = text.split("/")
    if len(text) > TOPIC_BYTES_MAX or len(parts) != 6 or "/".join(parts[:2]) != PREFIX:
        raise ContractError(
            f"topic {text[:120]!r} is not of the form {PREFIX}/site/shard/gateway/channel"
        )
    site, shard, gateway, channel = parts[2:]
    if channel not in CHANNELS:
        raise ContractError(f"topic {text[:120]!r} ends in an unknown channel")
    parse_code(site, what="site")
    parse_code(gateway, what="gateway")
    topic = GatewayTopic(site=site, gateway=gateway, channel=channel)  # type: ignore[arg-type]
    if shard != str(topic.shard):
        raise ContractError(
            f"topic {text[:120]!r} carries shard {shard}, the gateway's is {topic.shard}"
        )
    return topic
