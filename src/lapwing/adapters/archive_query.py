"""Questions to the archive, by DuckDB (the extra `archive`): it reads the files that it is given, and nothing else.

The connection lives in memory, may open those files alone, fetches no extension, and carries out one SELECT.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lapwing.model.errors import ConfigError, InputError

if TYPE_CHECKING:
    import pyarrow as pa

VIEW = "tracks"


class ArchiveQuery:
    """A connection to Parquet files of the columns of tracks.parquet, as the view `tracks`. Raises ConfigError without DuckDB."""

    def __init__(self, files: Sequence[Path], *, threads: int = 0) -> None:
        try:
            import duckdb
        except ImportError as error:
            raise ConfigError("DuckDB is not installed", where="lapwing query", remedy="pip install 'lapwing[archive]'") from error
        self._duckdb = duckdb
        config: dict[str, Any] = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
        if threads:
            config["threads"] = threads
        self._connection = duckdb.connect(":memory:", config=config)
        names = [str(path.resolve()) for path in files]
        for setting, value in (("TimeZone", "'UTC'"), ("allowed_paths", _texts(names)), ("enable_external_access", "false"),
                               ("lock_configuration", "true")):
            self._connection.execute(f"SET {setting} = {value}")
        try:
            self._connection.execute(f"CREATE VIEW {VIEW} AS SELECT * FROM read_parquet({_texts(names)})")  # noqa: S608  a constant; the files are literals
        except duckdb.Error as error:
            raise InputError(f"cannot be read: {_first_line(error)}", where=", ".join(path.name for path in files[:3]),
                             remedy="`lapwing archive verify` says which file is not as it was sealed") from error

    def select(self, sql: str, values: Mapping[str, object] | None = None) -> pa.Table:
        """Return the rows of one SELECT; named parameters stand as `$name`. Raises InputError."""
        try:
            statements = self._connection.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != self._duckdb.StatementType.SELECT:
                raise InputError("not one SELECT", where="--sql", remedy=f"ask one question of the view {VIEW}")
            return self._connection.sql(sql, params=dict(values or {})).to_arrow_table()
        except self._duckdb.Error as error:
            raise InputError(str(error).strip(), where="--sql", remedy=f"`SELECT * FROM {VIEW} LIMIT 1` shows the columns") from error  # noqa: S608  a constant

    def close(self) -> None:
        """Close."""
        self._connection.close()

    def __enter__(self) -> ArchiveQuery:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _texts(names: Sequence[str]) -> str:
    return "[" + ", ".join("'" + name.replace("'", "''") + "'" for name in names) + "]"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
