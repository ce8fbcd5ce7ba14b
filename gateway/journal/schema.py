"""The journal's schema as SQL: what a new journal gets, and the names of the migrations. Pure.

A new journal is made of CURRENT_SCHEMA in one go; older ones come to the same by `migrations`.
Tests compare the two, and each step with a frozen copy. So a running gateway need not load
sqlite-utils, which would cost it a sixth of its memory.
"""

from gateway.journal.schema_upkeep import (
    SCHEMA_0003,
    SCHEMA_0004,
    SCHEMA_0005,
    SCHEMA_0006,
    SCHEMA_0007,
)

# Never edit what has been released: append the next number. A test compares with frozen schemas.
SCHEMA_0001 = (
    # Whose journal this is; one row. sscc_reference: the last serial reference given out.
    """
    CREATE TABLE identity (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        gateway TEXT NOT NULL,
        warehouse TEXT NOT NULL,
        sscc_reference INTEGER NOT NULL DEFAULT 0
    ) STRICT
    """,
    # One row a start. The facts of an epoch are first_number ... first_number + head_seq - 1.
    # head_seq is NULL in the current epoch, so that an append need not write this table.
    """
    CREATE TABLE epochs (
        start_count INTEGER PRIMARY KEY,
        nonce TEXT NOT NULL,
        first_number INTEGER NOT NULL,
        previous_epoch_head BLOB NOT NULL,
        head_seq INTEGER,
        acked_seq INTEGER NOT NULL DEFAULT 0
    ) STRICT
    """,
    # number counts through all epochs without gaps; it is SQLite's own rowid: an append goes to the
    # end of one tree. data: the canonical bytes. kind: the tag in them.
    """
    CREATE TABLE facts (
        number INTEGER PRIMARY KEY,
        kind INTEGER NOT NULL,
        digest BLOB NOT NULL,
        data BLOB NOT NULL
    ) STRICT
    """,
    # Which facts have been taken back, and by which.
    """
    CREATE TABLE reversed_facts (
        number INTEGER PRIMARY KEY,
        by_number INTEGER NOT NULL
    ) STRICT
    """,
    # Stock at the physical places of this warehouse by this gateway's own facts; no row is zero.
    """
    CREATE TABLE stock (
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
    # What has been received against the lines of documents, by this gateway's own facts.
    """
    CREATE TABLE document_progress (
        document TEXT NOT NULL,
        document_line INTEGER NOT NULL,
        received_micro INTEGER NOT NULL,
        PRIMARY KEY (document, document_line)
    ) STRICT, WITHOUT ROWID
    """,
    # The last alibi number of each scale.
    """
    CREATE TABLE scales (
        scale TEXT PRIMARY KEY,
        alibi_number INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    # state: "queued", "claimed" (by the start claimed_by), "over". label: see label_codec.
    """
    CREATE TABLE print_jobs (
        number INTEGER PRIMARY KEY,
        printer TEXT NOT NULL,
        template TEXT NOT NULL,
        content TEXT NOT NULL,
        label BLOB NOT NULL,
        copies_count INTEGER NOT NULL,
        station TEXT NOT NULL,
        operator TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'queued',
        claimed_by INTEGER NOT NULL DEFAULT 0,
        outcome TEXT,
        detail TEXT NOT NULL DEFAULT ''
    ) STRICT
    """,
    """
    CREATE INDEX print_jobs_open ON print_jobs (state, printer, number) WHERE state <> 'over'
    """,
    # Filled and emptied at each start, so that the log has its length before the first scan.
    "CREATE TABLE log_reserve (data BLOB NOT NULL) STRICT",
    # The reference data of the highest revision seen; one row.
    """
    CREATE TABLE reference_data (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        revision INTEGER NOT NULL,
        data BLOB NOT NULL
    ) STRICT
    """,
)

# What central says: how far this gateway is, and what it knows by that.
SCHEMA_0002 = (
    # One row once a snapshot was taken. number: the last notice of `stream` that is applied.
    # revision: of the ledger's stock; generation: of the ledger. known_ms: wall time of the last
    # notice or snapshot, 0 if none. reference_revision: of central's reference data, 0 if none.
    """
    CREATE TABLE ledger_knowledge (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        stream TEXT NOT NULL,
        number INTEGER NOT NULL,
        generation TEXT NOT NULL,
        revision INTEGER NOT NULL,
        reference_revision INTEGER NOT NULL,
        known_ms INTEGER NOT NULL
    ) STRICT
    """,
    # The ledger's stock of the warehouse at that revision; no row is zero. `stock` is this plus
    # the own facts beyond base_positions.
    """
    CREATE TABLE base_stock (
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
    # Which own facts that revision holds; an epoch that is not here: none of them.
    """
    CREATE TABLE base_positions (
        start_count INTEGER PRIMARY KEY,
        nonce TEXT NOT NULL,
        seq INTEGER NOT NULL
    ) STRICT
    """,
    # Levels of a revision whose last notice has not come yet.
    """
    CREATE TABLE staged_stock (
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
    # The same for reference data: notices as they came.
    "CREATE TABLE staged_reference (number INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT",
    # Label templates and settings from central.
    """
    CREATE TABLE central_templates (
        name TEXT PRIMARY KEY,
        text TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE central_settings (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    # What central wants printed; the code stays when it is over, so that twice prints once.
    """
    CREATE TABLE print_requests (
        number INTEGER PRIMARY KEY,
        code TEXT NOT NULL UNIQUE,
        data BLOB NOT NULL,
        is_over INTEGER NOT NULL DEFAULT 0
    ) STRICT
    """,
    "CREATE INDEX print_requests_open ON print_requests (number) WHERE is_over = 0",
)

# All migrations, oldest first, and the schema after the last one.
MIGRATION_SET = "dockledger-journal"
MIGRATION_NAMES = (
    "0001_first_journal",
    "0002_ledger_stock",
    "0003_upkeep",
    "0004_station_sessions",
    "0005_settlements",
    "0006_others_progress",
    "0007_packing",
)
# One for each name.
SCHEMA_STEPS = (
    *(SCHEMA_0001, SCHEMA_0002, SCHEMA_0003, SCHEMA_0004, SCHEMA_0005),
    *(SCHEMA_0006, SCHEMA_0007),
)
CURRENT_SCHEMA = tuple(statement for step in SCHEMA_STEPS for statement in step)

# As sqlite-utils 4 makes and fills it.
MIGRATIONS_TABLE = (
    """
    CREATE TABLE "_sqlite_migrations" (
        "id" INTEGER PRIMARY KEY,
        "migration_set" TEXT,
        "name" TEXT,
        "applied_at" TEXT
    )
    """,
    """
    CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
        ON "_sqlite_migrations" ("migration_set", "name")
    """,
)
INSERT_APPLIED = """
    INSERT INTO _sqlite_migrations (migration_set, name, applied_at)
    VALUES (?, ?, datetime('now'))
"""
SELECT_APPLIED = "SELECT name FROM _sqlite_migrations WHERE migration_set = ? ORDER BY id"
