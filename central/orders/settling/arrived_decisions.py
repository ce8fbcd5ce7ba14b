"""What settles that goods of a transfer came as available and left as something else. Pure."""

from central.orders.settling.settlements import Decision

AGREES = "They have the status with which they left by now."
GONE_ON = "They have gone on as available: hold what is left of them."
ANEW = "They came as available: post them once more, with the status with which they left."
LEFT_SO = "Leave them available: they may be sold."


def decisions(*, differs: bool, has_gone_on: bool) -> tuple[tuple[Decision, str], ...]:
    """Return how it is settled best, and why. has_gone_on: from where it came to."""
    accept = Decision(action="accept")
    if not differs:
        return ((accept, AGREES),)
    if has_gone_on:
        return ((accept, GONE_ON),)
    return ((Decision(action="reassign"), ANEW), (accept, LEFT_SO))
