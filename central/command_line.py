"""What every command of `dockledger-central` needs: options, exit codes, errors in words. Root."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from central.config import Config
from central.contract.errors import ContractError
from central.errors import (
    BackupRefused,
    CentralError,
    ConfigInvalid,
    DatabaseUnusable,
    DeskRefused,
    EnrolmentRefused,
    LedgerUnavailable,
    ReferenceRefused,
    TrustUnusable,
)
from central.storage import schema
from central.storage.database import Database, open_database

DONE, FINDING, USAGE, DATABASE = 0, 1, 2, 3
CONFIG_FILE = Path("/etc/dockledger-central/central.toml")

ConfigFile = Annotated[
    Path, typer.Option("--config", help="The configuration file.", show_default=True)
]
AsJson = Annotated[bool, typer.Option("--json", help="Write the result as one JSON object.")]


@contextmanager
def opened(config: Config, *, checked: bool = True) -> Iterator[Database]:
    """Yield the database; checked: it has this program's schema. Raises DatabaseUnusable."""
    database = open_database(config.database.url)
    try:
        if checked:
            schema.check_schema(database)
        yield database
    finally:
        database.close()


@contextmanager
def errors_named() -> Iterator[None]:
    """Turn what a person can mend into two lines on standard error and an exit code."""
    try:
        yield
    except (DatabaseUnusable, LedgerUnavailable) as error:
        _give_up(error, DATABASE)
    except (
        ConfigInvalid,
        ReferenceRefused,
        EnrolmentRefused,
        BackupRefused,
        TrustUnusable,
        DeskRefused,
        ContractError,
    ) as error:
        _give_up(error, USAGE)
    except CentralError as error:
        _give_up(error, FINDING)


def say(text: str, result: object, *, as_json: bool) -> None:
    """Write a result to standard output."""
    typer.echo(json.dumps(result, ensure_ascii=False) if as_json else text)


def _give_up(error: CentralError | ContractError, code: int) -> NoReturn:
    typer.echo(f"error: {error}\nhint: {error.hint}", err=True)
    raise typer.Exit(code)
