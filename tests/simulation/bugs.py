"""Which parts of the product a run uses; the planted bugs replace some. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from central.inbox.receiver import judge
from central.inbox.sequences import Verdict
from central.outbox.stream import NoticeStream
from gateway.replication.inbound import Inbound
from gateway.replication.sender import Sender


@dataclass(frozen=True, slots=True)
class Bugs:
    """The product as it is; every field that differs is a planted bug.

    sender, judge, notice_stream, inbound: what stands for the product's own. The rest are steps
    left out or in another order by the models around it.
    """

    name: str = ""
    sender: Callable[..., Sender] = Sender
    judge: Callable[..., Verdict] = judge
    notice_stream: Callable[..., NoticeStream] = NoticeStream
    inbound: Callable[..., Inbound] = Inbound
    trusts_puback: bool = False
    skips_fsync: bool = False
    acknowledges_before_commit: bool = False
    one_epoch: bool = False
    unsorted_balances: bool = False
    beeps_before_commit: bool = False
    tells_no_positions: bool = False


NONE = Bugs()
