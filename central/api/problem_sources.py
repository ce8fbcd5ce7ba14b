"""Collects from the sources what central may say when it refuses: sentences with places. Pure.

A sentence is taken where it is said: the first argument of what is raised, every `hint=`,
`detail=`, `title=`, `what=` and `why=`, the message of a Fault or Trouble, and what an order calls
itself (`__str__`). A value in it becomes a place, numbered from 0:

    raise Conflict(f"{code} is {state}", hint="Wait.")  ->  "{0} is {1}", "Wait."
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

KEYWORDS = frozenset({"hint", "detail", "title", "what", "why"})
FAULTS = frozenset({"Fault", "Trouble"})  # Of a card, of a cell.
# Where faults are those of cards and rows; others of that name are read by who proves a ledger.
OF_CARDS = ("central/orders/catalogue/", "central/orders/spreadsheets/")
FAULT_KEYWORDS = frozenset({"message"})  # Of those; refusals say it behind their colon.
ALTERNATIVES_MAX = 24
PLACE = None  # A value that is known only when the sentence is said.
Pieces = tuple[str | None, ...]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence. template: with places {0}, {1} ... place: where it is said, "file:line"."""

    template: str
    place: str


def sentences_of(path: str, source: str) -> Iterator[Sentence]:
    """Yield every sentence that a module may say; the same one as often as it is said."""
    tree = ast.parse(source)
    known = _assigned(tree.body)
    yield from _inside(tree, path, known)
    yield from _all_of(_said_by_position(tree), path, known)


def _inside(node: ast.AST, path: str, known: dict[str, list[ast.expr]]) -> Iterator[Sentence]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            known_there = known | _assigned(ast.walk(child))
            yield from _all_of(_named_by(child), path, known)
            yield from _inside(child, path, known_there)
            continue
        yield from _all_of(_said_by(child, path), path, known)
        yield from _inside(child, path, known)


def _all_of(
    said_here: Iterable[ast.expr], path: str, known: dict[str, list[ast.expr]]
) -> Iterator[Sentence]:
    for said in said_here:
        for pieces in _alternatives(said, known):
            template = _template(pieces)
            if any(character.isalpha() for character in template):
                yield Sentence(template, f"{path}:{said.lineno}")


def _said_by(node: ast.AST, path: str) -> Iterator[ast.expr]:
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        yield from node.exc.args[:1]
    if isinstance(node, ast.Call):
        if _is_fault(node) and path.startswith(OF_CARDS):
            yield from node.args[1:]  # Behind the field the message, and the hint.
        names = KEYWORDS | FAULT_KEYWORDS if _is_fault(node) else KEYWORDS
        yield from (word.value for word in node.keywords if word.arg in names)


def _is_fault(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id in FAULTS


def _named_by(function: Function) -> Iterator[ast.expr]:
    """Yield what an object calls itself, and what is said where a caller says nothing else."""
    names = function.args.kwonlyargs
    for name, value in zip(names, function.args.kw_defaults, strict=True):
        if name.arg in KEYWORDS and value is not None:
            yield value
    if function.name == "__str__":
        for node in ast.walk(function):
            if isinstance(node, ast.Return) and node.value is not None:
                yield node.value


def _said_by_position(tree: ast.Module) -> Iterator[ast.expr]:
    """Yield what is handed to functions of the module in a place that is called `detail`."""
    names = {
        node.name: [argument.arg for argument in node.args.args]
        for node in tree.body
        if isinstance(node, Function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            places = zip(names.get(node.func.id, ()), node.args, strict=False)
            yield from (value for name, value in places if name in KEYWORDS)


def _assigned(nodes: Iterable[ast.AST]) -> dict[str, list[ast.expr]]:
    """Return what names stand for: every expression that is assigned to each."""
    found: dict[str, list[ast.expr]] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            found.setdefault(node.target.id, []).append(node.value)
    return found


def _alternatives(node: ast.expr, known: dict[str, list[ast.expr]], depth: int = 0) -> list[Pieces]:
    """Return the sentences that an expression may be; a value of its own is one place."""
    if depth > 6:
        return [(PLACE,)]
    if isinstance(node, ast.Constant):
        return [(node.value,)] if isinstance(node.value, str) else [(PLACE,)]
    parts: list[list[Pieces]] = []
    if isinstance(node, ast.IfExp):
        return [
            pieces
            for branch in (node.body, node.orelse)
            for pieces in _alternatives(branch, known, depth + 1)
        ]
    if isinstance(node, ast.JoinedStr):
        parts = [_alternatives(value, known, depth + 1) for value in node.values]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [_alternatives(side, known, depth + 1) for side in (node.left, node.right)]
    elif isinstance(node, ast.FormattedValue):
        if node.conversion == -1 and node.format_spec is None:
            return _alternatives(node.value, known, depth + 1)
        return [(PLACE,)]
    elif isinstance(node, ast.Name) and node.id in known:
        return [
            pieces for value in known[node.id] for pieces in _alternatives(value, known, depth + 1)
        ][:ALTERNATIVES_MAX]
    elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        tables = [value for value in known.get(node.value.id, ()) if isinstance(value, ast.Dict)]
        return [
            pieces
            for table in tables
            for value in table.values
            for pieces in _alternatives(value, known, depth + 1)
        ] or [(PLACE,)]
    else:
        return [(PLACE,)]
    whole = product(*parts)
    return [
        tuple(piece for pieces in chosen for piece in pieces)
        for _, chosen in zip(range(ALTERNATIVES_MAX), whole, strict=False)
    ]


def _template(pieces: Pieces) -> str:
    text, count = "", 0
    for piece in pieces:
        if piece is PLACE:
            text += f"{{{count}}}"
            count += 1
        else:
            text += piece
    return text
