"""What the facts of a journal amount to: the rules by which derived tables follow from them. Pure.

Each derived table is this and nothing else:

    stock              base stock + own facts beyond its positions; without a base stock: the sums
                       of what is forgotten + all facts that are kept
    document_progress  the sums of what is forgotten + all facts that are kept
    scales             the newest alibi number, the numbers that a restored journal skips included
    reversed_facts     what kept reversals take back of what is kept
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from central.contract.errors import ContractError
from central.contract.facts import Count, Fact, Movement, Reversal, Weighing
from central.contract.identifiers import Epoch, parse_epoch
from gateway.journal.local_stock import Changes, add_count, add_movement


@dataclass(frozen=True, slots=True)
class Rules:
    """What a journal says beside its facts.

    positions: which own facts the base stock holds, None without a base stock.
    first_numbers: where each epoch begins. pruned_number: facts up to this are forgotten.
    """

    positions: Mapping[Epoch, int] | None
    first_numbers: Mapping[Epoch, int]
    pruned_number: int


@dataclass(frozen=True, slots=True)
class Recomputed:
    """Sums of the facts taken so far; whoever stores the changes may clear them in between."""

    rules: Rules
    changes: Changes = field(default_factory=Changes)
    alibi_numbers: dict[str, int] = field(default_factory=dict)
    reversed_numbers: dict[int, int] = field(default_factory=dict)


def take_fact(
    recomputed: Recomputed,
    fact: Fact,
    *,
    epoch: Epoch,
    number: int,
    fact_at: Callable[[int], Fact | None],
) -> None:
    """Add what a fact changes; facts come in their order.

    number: its place among all facts. fact_at: reads an earlier fact by such a number.
    Raises ContractError for a reversal of what is no movement or was taken back before.
    """
    positions = recomputed.rules.positions
    counts = positions is None or fact.seq > positions.get(epoch, 0)
    if isinstance(fact, Weighing):
        recomputed.alibi_numbers[fact.scale] = fact.alibi_number
    elif isinstance(fact, Movement):
        _add(recomputed, fact, counts=counts, sign=1)
    elif isinstance(fact, Count):
        add_count(recomputed.changes, fact)
    elif isinstance(fact, Reversal):
        target = _target_of(recomputed, fact)
        if target <= recomputed.rules.pruned_number:
            return  # Both are in the sums, where they cancel each other.
        movement = fact_at(target)
        if not isinstance(movement, Movement) or target in recomputed.reversed_numbers:
            raise ContractError(
                f"reverses {fact.reverses_epoch}/{fact.reverses_seq}, no movement or taken back"
                " before"
            )
        _add(recomputed, movement, counts=counts, sign=-1)
        recomputed.reversed_numbers[target] = number


def _add(recomputed: Recomputed, movement: Movement, *, counts: bool, sign: int) -> None:
    if counts:
        add_movement(recomputed.changes, movement, sign=sign)
        return
    progress = Changes(received=recomputed.changes.received)
    add_movement(progress, movement, sign=sign)  # The base stock has the stock side of it.


def _target_of(recomputed: Recomputed, fact: Reversal) -> int:
    first_number = recomputed.rules.first_numbers.get(parse_epoch(fact.reverses_epoch))
    if first_number is None:
        if recomputed.rules.pruned_number:
            return 0  # An epoch that is forgotten whole.
        raise ContractError(f"reverses a fact of {fact.reverses_epoch}, which is not here")
    return first_number + fact.reverses_seq - 1
