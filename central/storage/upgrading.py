"""Runs the migrations that a database has not seen yet. Edge of Alembic."""

import sys
from pathlib import Path

from sqlalchemy import Connection

# Alembic's template engine colours its error pages with Pygments where it can be imported: 500
# lexers and 5 MB, for pages that nobody ever sees here.
COLOURING = "mako.ext.pygmentplugin"


def upgrade(connection: Connection, migrations: Path) -> None:
    """Bring a database to the newest of the migrations, in the caller's transaction."""
    sys.modules.setdefault(COLOURING, None)  # type: ignore[arg-type] # Cannot be imported then.
    from alembic import command  # noqa: PLC0415 - after the line above
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
