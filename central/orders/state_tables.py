"""What an action makes of the state of an order, read from its state table. Pure."""

from collections.abc import Mapping

from central.errors import Conflict

# Action -> state before -> state after; an action is refused in any state that it does not name.
StateTable = Mapping[str, Mapping[str, str]]


def next_state(table: StateTable, *, action: str, state: str, what: str) -> str:
    """Return the state after an action.

    what: names the order, for people. Raises Conflict, with the actions that are possible.
    """
    after = table[action].get(state)
    if after is None:
        possible = possible_actions(table, state)
        raise Conflict(
            f"{what} is {state}: {action} is not possible",
            hint=f"Possible now: {', '.join(possible)}."
            if possible
            else "Make a new one; this one is finished.",
            fields={"state": state, "possible": list(possible)},
        )
    return after


def actions_now(table: StateTable, state: str, *, untouched: bool) -> list[str]:
    """Return the actions that a document allows as it stands.

    untouched: whether nothing of its goods moved yet; only then it can be cancelled.
    """
    return [name for name in possible_actions(table, state) if untouched or name != "cancel"]


def possible_actions(table: StateTable, state: str) -> tuple[str, ...]:
    """Return the actions that a state allows, in the order of the table."""
    return tuple(action for action, changes in table.items() if state in changes)
