"""A ledger with places of backups, driven by the commands that people type."""

import json
from pathlib import Path

from typer.testing import CliRunner

from central.__main__ import app
from central.backup.keys import write_new_key
from central.backup.places import prepare_place


class Stand:
    """A configuration for one database, two places, and a private key that lies elsewhere."""

    def __init__(self, folder, database_url):
        self.folder = folder
        self.url = database_url
        self.identity = folder / "backup.key"
        self.public_key = write_new_key(self.identity)
        self.places = [folder / "nas", folder / "disk"]
        for place in self.places:
            prepare_place(place)
        self.config = self.configured(database_url)

    def configured(self, url, *, name="central.toml", places=None, **settings):
        """A configuration file for a database."""
        config = self.folder / name
        listed = ", ".join(f'"{place}"' for place in places or self.places)
        more = "".join(f"{key} = {value}\n" for key, value in settings.items())
        config.write_text(
            f'[database]\nurl = "{url}"\n[mqtt]\nhost = "127.0.0.1"\n[ledger]\nsite = "demo"\n'
            f'[backup]\nrecipients = ["{self.public_key}"]\nplaces = [{listed}]\n{more}'
        )
        return config

    def run(self, *arguments, config=None):
        """The result of a command."""
        words = [*map(str, arguments), "--config", str(config or self.config)]
        return CliRunner().invoke(app, words)

    def json(self, *arguments, config=None, code=0):
        """What a command says, as an object."""
        result = self.run(*arguments, "--json", config=config)
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    def backup(self, code=0):
        """Make a backup; return what was said."""
        return self.json("backup", code=code)

    def files(self, place=0):
        """The backups of a place, the oldest first."""
        return sorted(self.places[place].glob("*.dlb"))

    def restored(self, file, url, *more):
        """Restore into another database; return the result of the command."""
        config = self.configured(url, name="restored.toml")
        return self.run("restore", file, "--identity", self.identity, *more, config=config)


def contents_of(folder: Path):
    """Names and bytes of everything in a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
