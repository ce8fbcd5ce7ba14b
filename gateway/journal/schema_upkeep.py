"""The later parts of the journal's schema: what its upkeep and its stations need. Pure.

Facts are pruned from the oldest on, without gaps. What followed from them stays here as sums, and
weighings stay whole for as long as an alibi memory must hold them.
"""

SCHEMA_0003 = (
    # Facts up to this number are replicated or backed up by the ledger's own word.
    "ALTER TABLE epochs ADD COLUMN stable_seq INTEGER NOT NULL DEFAULT 0",
    # One row. Facts up to `number` are gone; digest: the chain there.
    """
    CREATE TABLE pruned (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        number INTEGER NOT NULL,
        digest BLOB NOT NULL
    ) STRICT
    """,
    "INSERT INTO pruned (id, number, digest) VALUES (1, 0, zeroblob(32))",
    # What the facts that are gone put into `stock`, as long as no base stock holds it instead.
    """
    CREATE TABLE pruned_stock (
        location TEXT NOT NULL,
        item TEXT NOT NULL,
        lot TEXT NOT NULL,
        serial TEXT NOT NULL,
        sscc TEXT NOT NULL,
        unit TEXT NOT NULL,
        on_hand_micro INTEGER NOT NULL,
        PRIMARY KEY (location, item, lot, serial, sscc, unit)
    ) STRICT, WITHOUT ROWID
    """,
    # What they put into `document_progress`.
    """
    CREATE TABLE pruned_progress (
        document TEXT NOT NULL,
        document_line INTEGER NOT NULL,
        received_micro INTEGER NOT NULL,
        PRIMARY KEY (document, document_line)
    ) STRICT, WITHOUT ROWID
    """,
    # The weighings among them, each with its link of the chain. number: as it was in `facts`.
    """
    CREATE TABLE alibi_records (
        number INTEGER PRIMARY KEY,
        scale TEXT NOT NULL,
        alibi_number INTEGER NOT NULL,
        start_count INTEGER NOT NULL,
        nonce TEXT NOT NULL,
        seq INTEGER NOT NULL,
        previous_digest BLOB NOT NULL,
        digest BLOB NOT NULL,
        data BLOB NOT NULL,
        UNIQUE (scale, alibi_number)
    ) STRICT
    """,
    # The last alibi number of each scale whose record was kept long enough and is gone.
    """
    CREATE TABLE alibi_forgotten (
        scale TEXT PRIMARY KEY,
        alibi_number INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    # Numbers that no weighing here has, and why: those that a restored journal skips.
    """
    CREATE TABLE alibi_gaps (
        scale TEXT NOT NULL,
        first_number INTEGER NOT NULL,
        last_number INTEGER NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (scale, first_number)
    ) STRICT, WITHOUT ROWID
    """,
    # One row each hour that the gateway has run. last_number: the newest fact then, 0 if none.
    """
    CREATE TABLE running_hours (
        hour INTEGER PRIMARY KEY,
        last_number INTEGER NOT NULL,
        written_bytes INTEGER NOT NULL
    ) STRICT
    """,
)

# What stations need to go on after a restart where they were, and to repeat a label as a copy.
SCHEMA_0004 = (
    # The session of each station; data: see gateway/station/saved_session.
    """
    CREATE TABLE station_sessions (
        station TEXT PRIMARY KEY,
        data BLOB NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "ALTER TABLE print_jobs ADD COLUMN is_copy INTEGER NOT NULL DEFAULT 0",
)

# What central says of discrepancies that own facts opened: the newest of each, the newest 50.
SCHEMA_0005 = (
    """
    CREATE TABLE settlements (
        number INTEGER PRIMARY KEY,
        discrepancy TEXT NOT NULL UNIQUE,
        data BLOB NOT NULL
    ) STRICT
    """,
)

# What others did of document lines, under the names of document_progress, as central says it. What
# it said to a release that skipped it is told again by a snapshot only: so it is asked for.
SCHEMA_0006 = (
    """
    CREATE TABLE others_progress (
        document TEXT NOT NULL,
        document_line INTEGER NOT NULL,
        received_micro INTEGER NOT NULL,
        PRIMARY KEY (document, document_line)
    ) STRICT, WITHOUT ROWID
    """,
    "UPDATE ledger_knowledge SET stream = '', number = 0",
)

# In what units are packed. Told by a snapshot, as above.
SCHEMA_0007 = (
    """
    CREATE TABLE packing (
        sscc TEXT PRIMARY KEY,
        parent TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX packing_parent ON packing (parent)",
    "UPDATE ledger_knowledge SET stream = '', number = 0",
)
