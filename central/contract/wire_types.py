"""Types that several messages share, with the bounds that decoders check. Pure."""

from typing import Annotated

import msgspec

from central.contract.facts import DIGEST_BYTES
from central.contract.identifiers import SEQ_MAX

Digest = Annotated[bytes, msgspec.Meta(min_length=DIGEST_BYTES, max_length=DIGEST_BYTES)]
Signature = Annotated[bytes, msgspec.Meta(max_length=128)]
CodeText = Annotated[str, msgspec.Meta(max_length=64)]
Number = Annotated[int, msgspec.Meta(ge=0, le=SEQ_MAX)]


class EpochSeq(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A place in the facts of one gateway: everything of the epoch up to `seq`, 0 for nothing."""

    start_count: Number
    nonce: int  # Epoch checks its range; msgspec has no bound beyond int64.
    seq: Number
