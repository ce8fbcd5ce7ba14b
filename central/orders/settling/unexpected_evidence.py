"""Which facts under a document it did not expect. Edge of the database.

Others of the same item are as they should be: who settles what was not expected moves none of them.
"""

from typing import Any

from sqlalchemy import Connection, Row, select

from central.contract.facts import Movement
from central.ledger.entries import ExpectedLine
from central.ledger.goods_rules import SETTLING_FLAG
from central.ledger.posting import is_expected
from central.ledger.progress import goes_back
from central.ledger.reading import read_fact
from central.storage import bulk, tables


def those_unexpected(connection: Connection, row: Row[Any], numbers: set[int]) -> set[int]:
    """Return those facts that a document does not expect, or that go the other way under it.

    row: of `discrepancies`. numbers: of facts of its item under its document; all of them if it is
    not known any more, and those of stations if it expects them by now.
    """
    document = (row.warehouse, row.document)
    heads = bulk.select_by_key(connection, tables.documents, [document], columns_count=2)
    head = next(heads, None)
    if head is None:
        return numbers
    kind = head[2]
    lines = bulk.select_by_key(connection, tables.document_lines, [document], columns_count=2)
    expected = {line[2]: ExpectedLine(line[3], line[4], line[5]) for line in lines}
    facts = tables.facts.c
    query = select(facts.record_no, facts.seq, facts.body).where(
        facts.warehouse == row.warehouse, facts.record_no.in_(sorted(numbers))
    )
    wrong, said = set(), set()
    for number, seq, body in connection.execute(query):
        fact = read_fact(bytes(body), seq=seq)
        if not isinstance(fact, Movement):
            continue
        if not is_expected(fact, expected, kind=kind) or goes_back(fact, kind=kind):
            wrong.add(number)
        elif SETTLING_FLAG not in fact.flags:
            said.add(number)
    return wrong or said
