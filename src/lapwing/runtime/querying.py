"""What `lapwing query` asks of the archive: rows of a time and of a distance to the border, or one line a track."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lapwing.adapters.archive_query import ArchiveQuery
from lapwing.model.errors import InputError
from lapwing.model.times import from_iso, to_iso
from lapwing.runtime.archiving import archive_of

if TYPE_CHECKING:
    import pyarrow as pa

_BY_TRACK = """SELECT track_id, min(time) AS first_time, max(time) AS last_time, count(*) AS rows, min(border_m) AS border_m_low,
  max(border_m) AS border_m_high, arg_min(lat, border_m) AS lat_lowest, arg_min(lon, border_m) AS lon_lowest,
  any_value(callsign) AS callsign, any_value(icao_address) AS icao_address
  FROM tracks WHERE {where} GROUP BY track_id ORDER BY first_time, track_id"""
_ROWS = "SELECT {columns} FROM tracks WHERE {where} ORDER BY time, track_id{limit}"
COLUMNS = "track_id, time, lat, lon, alt, vx_east, vy_north, border_m, affiliation, coasting, callsign"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question. Times are bounds of applicability, from included, until not; `within_m` of the border, on either side."""

    from_text: str = ""
    until_text: str = ""
    within_m: float | None = None
    track_id: str = ""

    def where(self) -> tuple[str, dict[str, object]]:
        """Return the condition and its values. Raises InputError for what is no time or distance."""
        parts, values = self._when()
        if self.within_m is not None:
            if not (math.isfinite(self.within_m) and self.within_m >= 0.0):
                raise InputError("is no distance", where=f"--within-km {self.within_m / 1_000.0:g}", remedy="give kilometres, such as 20")
            parts.append("border_m BETWEEN -$within_m AND $within_m")
            values["within_m"] = self.within_m
        return " AND ".join(parts) or "true", values

    def unknown(self) -> tuple[str, dict[str, object]]:
        """Return the condition of the rows of that time whose distance nobody knows."""
        parts, values = self._when()
        return " AND ".join([*parts, "border_m IS NULL"]), values

    def period(self) -> tuple[int | None, int | None]:
        """Return both bounds, None where there is none. Raises InputError for what is no time."""
        return _bound("from", self.from_text), _bound("until", self.until_text)

    def _when(self) -> tuple[list[str], dict[str, object]]:
        parts: list[str] = []
        values: dict[str, object] = {}
        for key, time_ns, sign in zip(("from", "until"), self.period(), (">=", "<"), strict=True):
            if time_ns is not None:
                parts.append(f"time {sign} ${key}_time::TIMESTAMPTZ_NS")
                values[f"{key}_time"] = to_iso(time_ns, digits=9)
        if self.track_id:
            parts.append("track_id = $track_id")
            values["track_id"] = self.track_id
        return parts, values


def _bound(key: str, text: str) -> int | None:
    try:
        return from_iso(text) if text else None
    except ValueError as error:
        raise InputError(f"is no time: {error}", where=f"--{key} {text}", remedy="write 2026-03-14T23:30:00Z") from error


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows found; rows of that time whose distance to the border is not known, and so are not among them."""

    table: pa.Table
    unknown_count: int


def files_of(place: Path, asked: Asked | None = None) -> list[Path]:
    """Return the Parquet files of an archive's folder that may hold rows of the time asked for, or one file. Raises InputError.

    By the manifest: to open every footer of a year for one hour would take longer than to read the hour. Where no file holds
    that time, the newest stands for the columns.
    """
    if place.is_file():
        return [place]
    if place.suffix == ".parquet":
        raise InputError("no such file", where=str(place), remedy="name a site.toml, an archive's folder, or a tracks.parquet")
    lines = archive_of(place)[0]
    from_ns, until_ns = (None, None) if asked is None else asked.period()
    held = [line for line in lines if (from_ns is None or from_iso(line["applied_until"]) >= from_ns)
            and (until_ns is None or from_iso(line["applied_from"]) < until_ns)]
    return [place / str(line["file"]) for line in held or lines[-1:]]


def ask(files: list[Path], asked: Asked, *, by_track: bool = False, every_column: bool = False, limit: int = 0) -> Answer:
    """Return what was asked for. Raises InputError, and ConfigError where DuckDB is not installed."""
    where, values = asked.where()
    with ArchiveQuery(files) as query:
        sql = _BY_TRACK.format(where=where) if by_track else _ROWS.format(
            where=where, columns="*" if every_column else COLUMNS, limit=f" LIMIT {limit}" if limit else "")
        table = query.select(sql, values)
        unknown_count = 0
        if asked.within_m is not None:
            where, values = asked.unknown()
            unknown_count = int(query.select(f"SELECT count(*) AS n FROM tracks WHERE {where}", values)["n"][0].as_py())  # noqa: S608  values apart
    return Answer(table, unknown_count)


def select(files: list[Path], sql: str) -> pa.Table:
    """Return the rows of a SELECT that somebody wrote."""
    with ArchiveQuery(files) as query:
        return query.select(sql)
