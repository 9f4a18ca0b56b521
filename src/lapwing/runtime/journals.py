"""Looks at finished journals for the commands: is the chain whole, and what does the report say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lapwing.adapters import packs, parquet_out
from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.model.errors import ConfigError, StorageError
from lapwing.record.audit import Audit, Fault, check
from lapwing.runtime.environment import state_dir


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of a journal found."""

    audit: Audit
    meta: dict[str, str]
    faults: tuple[Fault, ...]       # of the file, then of the chain


def check_journal(path: Path, *, expected_head: bytes | None = None) -> Checked:
    """Check the file and the hash chain of a journal.

    Raises StorageError where it is no journal at all; a journal that is damaged is a list of faults instead.
    """
    faults: list[Fault] = []
    try:
        with SqliteLog(path, read_only=True) as log:
            faults += [Fault(str(path), what) for what in log.damage()]
            audit = check(log.sealed(), log.head(), expected_head=expected_head)
            return Checked(audit, log.meta(), (*faults, *audit.faults))
    except StorageError as error:
        # Damaged so far that SQLite gives up: that is a finding. Any other reason (no such file, another program's)
        # is not.
        if not (faults or error.what.startswith("damaged")):
            raise
        return Checked(Audit(0, 0, 0, 0, 0, b"", ()), {}, (*faults, Fault(error.where, error.what)))


def write_report(journal: Path, page: Path, *, incident: str = "", country: str = "") -> list[Path]:
    """Write the report of a journal as a page with its data beside it; return their paths.

    `country` names a pack where the journal's own is not to be used. Raises ConfigError where the journal is one of
    tracks alone, StorageError where the pack here is not the one it was made with.
    """
    with SqliteLog(journal, read_only=True) as log:
        meta = log.meta()
        name = country or meta.get("country", "")
        if not name:
            raise ConfigError("made without a country: there is no border to report on", where=str(journal),
                              remedy="replay it with --country")
        pack = packs.load_country(name, state_dir() / "packs")
        made_with = meta.get("country_sha256", pack.sha256)
        if not country and made_with != pack.sha256:
            raise StorageError(f"the country pack here has sha256 {pack.sha256[:12]}, the journal was made with "
                               f"{made_with[:12]}", where=f"country {name}",
                               remedy="name the folder of that version in LAPWING_PACKS, or another with --country")
        return parquet_out.write_report(page, log, pack, incident=incident)
