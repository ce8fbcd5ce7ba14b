"""The central database: tables, migrations, connections. Edge of SQLite and PostgreSQL."""
