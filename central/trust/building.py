"""Builds what is known of who is who, from the configuration. Root."""

from pathlib import Path

from central.clock import SystemClock
from central.config import Config
from central.errors import ConfigInvalid
from central.inbox.ledger_key import load_ledger_key
from central.storage.database import Database
from central.trust.authority_files import load_authorities
from central.trust.broker_files import BrokerFiles
from central.trust.trust import Trust


def build_trust(config: Config, database: Database) -> Trust | None:
    """Return who is who; None in an installation that enrols by hand. Raises TrustUnusable."""
    section = config.trust
    if not section.directory:
        return None
    return Trust(
        database=database,
        clock=SystemClock(),
        site=config.ledger.site,
        authorities=load_authorities(Path(section.directory)),
        broker=broker_files(config),
        crl_url=section.crl_url,
        public_url=section.public_url,
        broker_host=section.broker_host,
        broker_port=section.broker_port,
        ledger_key=lambda: load_ledger_key(database).public_key_hex,
    )


def broker_files(config: Config) -> BrokerFiles:
    """Return where the broker's files are."""
    section = config.trust
    return BrokerFiles(
        Path(section.broker_directory),
        Path(section.broker_pid_file) if section.broker_pid_file else None,
        section.crl_url,
        config.ledger.site,
    )


def trust_directory(config: Config) -> Path:
    """Return where the authorities are. Raises ConfigInvalid if the configuration does not say."""
    if not config.trust.directory:
        raise ConfigInvalid(
            "the configuration has no [trust] directory",
            hint='Write directory = "trust" under [trust].',
        )
    return Path(config.trust.directory)
