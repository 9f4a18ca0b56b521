"""Parquet at the tracker's edges: plots of a scenario folder in, tracks.parquet out.

Degrees, timestamps and hundreds of feet end here; inside are radians, nanoseconds and metres.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lapwing.adapters.parquet_out import schema, track_table
from lapwing.model.errors import InputError
from lapwing.model.plots import KIND_COMBINED, KIND_PSR, KIND_SSR, Floats, Ints, Plots
from lapwing.model.sensors import SensorTable
from lapwing.model.tracks import Tracks
from lapwing.record.track_rows import TrackRows, empty_rows, to_rows
from lapwing.sense import heights, place

KINDS = {"psr": KIND_PSR, "ssr": KIND_SSR, "cmb": KIND_COMBINED}
COLUMNS = ("time", "recv_time", "radar_id", "plot_type", "slant_range_m", "azimuth_deg", "amplitude_db", "mode3a",
           "flight_level", "mode_s")
FLUSH_ROWS = 20_000


def read_plots(path: Path, sensors: SensorTable, *, from_ns: int | None = None, until_ns: int | None = None) -> Plots:
    """Return the plots of a file of the scenarios' schema, in its order (of arrival), received within [from, until).

    Raises InputError where the file is not one, or names a radar that the sensor table does not.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowInvalid as error:
        raise InputError(f"no Parquet: {error}", where=str(path), remedy="give a plots.parquet") from None
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        raise InputError(f"columns missing: {', '.join(missing)}", where=str(path),
                         remedy="see data/scenarios/README.md for the schema")
    received = _nanoseconds(table["recv_time"])
    keep = np.ones(len(received), np.bool_)
    if from_ns is not None:
        keep &= received >= from_ns
    if until_ns is not None:
        keep &= received < until_ns
    rows = np.flatnonzero(keep)
    table, received = table.take(rows), received[rows]
    names, index = _words(table["radar_id"])
    known = [sensors.index_of(name) for name in names]
    for name, row in zip(names, known, strict=True):
        if row < 0 or not sensors.rows[row].has_position:
            raise InputError(f"radar {name!r} has no position in the sensor table", where=str(path),
                             remedy="give --sensors with that radar")
    kinds, kind_index = _words(table["plot_type"])
    for name in kinds:
        if name not in KINDS:
            raise InputError(f"plot_type {name!r}", where=str(path), remedy=f"one of {', '.join(KINDS)}")
    codes, code_index = _words(table["mode3a"])
    octal = np.array([int(code, 8) for code in codes] + [-1], np.int32)
    kind = np.array([KINDS[k] for k in kinds] + [0], np.uint8)[kind_index]
    return placed(
        sensors, np.array([*known, 0], np.uint16)[index], kind, _nanoseconds(table["time"]), received,
        _floats(table["slant_range_m"]), np.radians(_floats(table["azimuth_deg"])), _floats(table["amplitude_db"]),
        octal[code_index], _floats(table["flight_level"]),
        np.nan_to_num(_floats(table["mode_s"]), nan=-1.0).astype(np.int32), rows.astype(np.int64))


def placed(sensors: SensorTable, sensor_index: npt.NDArray[np.uint16], kind: npt.NDArray[np.uint8], measured_ns: Ints,
           received_ns: Ints, range_m: Floats, azimuth_rad: Floats, amplitude_db: Floats, mode3a: npt.NDArray[np.int32],
           flight_level: Floats, icao: npt.NDArray[np.int32], sequence: Ints) -> Plots:
    """Return polar plots with their places and covariances filled in."""
    rows = sensors.rows
    site = (np.array([s.latitude_rad for s in rows]), np.array([s.longitude_rad for s in rows]))
    sea, sea_sigma = heights.mean_sea_level(*site)
    height, height_sigma = heights.from_flight_level(flight_level, sea[sensor_index], sea_sigma[sensor_index])
    share = np.where(kind == KIND_PSR, 1.0, place.SECONDARY_SHARE)
    latitude, longitude, cov = place.polar(
        (site[0][sensor_index], site[1][sensor_index]), np.array([s.height_m for s in rows])[sensor_index], range_m,
        azimuth_rad, height, height_sigma, np.array([s.range_m_sigma for s in rows])[sensor_index] * share,
        np.array([s.azimuth_rad_sigma for s in rows])[sensor_index] * share)
    return Plots(
        measured_ns=measured_ns, received_ns=received_ns, sensor_index=sensor_index, kind=kind, range_m=range_m,
        azimuth_rad=azimuth_rad, latitude_rad=latitude, longitude_rad=longitude, height_m=height,
        height_m_sigma=height_sigma, position_cov_m2=cov,
        velocity_mps=np.full((len(range_m), 2), np.nan), amplitude_db=amplitude_db, mode3a=mode3a, icao_address=icao,
        callsign=np.zeros(len(range_m), "S8"), entry_sequence=sequence,
        octet_offset=np.zeros(len(range_m), np.int32), track_number=np.full(len(range_m), -1, np.int32),
        velocity_mps_sigma=np.full(len(range_m), np.nan))


def arrival_batches(received_ns: Ints, span_ns: int) -> Iterator[tuple[slice, int]]:
    """Yield (rows, now_ns): plots in order of arrival in steps of at most `span_ns`; now is the newest arrival."""
    start = 0
    while start < len(received_ns):
        end = int(np.searchsorted(received_ns, received_ns[start] + span_ns, side="left"))
        end = max(end, start + 1)
        yield slice(start, end), int(received_ns[end - 1])
        start = end


class TracksWriter:
    """Writes tracks.parquet (DESIGN.md section 4) row group by row group. Close it, or use it in a `with`."""

    def __init__(self, path: Path) -> None:
        import pyarrow.parquet as pq

        self._writer: Any = pq.ParquetWriter(path, schema(), compression="zstd")
        self._waiting: list[TrackRows] = []
        self._count = 0
        self.rows = 0

    def add(self, tracks: Tracks, emitted_ns: int) -> None:
        """Take rows that left the tracker at `emitted_ns`."""
        if len(tracks):
            self._waiting.append(to_rows(tracks, None, emitted_ns))
            self._count += len(tracks)
            self.rows += len(tracks)
            if self._count >= FLUSH_ROWS:
                self._flush()

    def _flush(self) -> None:
        self._writer.write_table(track_table(np.concatenate([empty_rows(), *self._waiting])))
        self._waiting, self._count = [], 0

    def close(self) -> None:
        """Write what is left and the footer."""
        self._flush()
        self._writer.close()

    def __enter__(self) -> TracksWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _nanoseconds(column: Any) -> Ints:
    import pyarrow as pa

    whole: Ints = np.asarray(column.cast(pa.timestamp("ns", tz="UTC")).cast(pa.int64()).to_numpy(), np.int64)
    return whole


def _floats(column: Any) -> Floats:
    values: Floats = np.asarray(column.to_numpy(zero_copy_only=False), np.float64)
    return values


def _words(column: Any) -> tuple[list[str], npt.NDArray[np.intp]]:
    """Return (distinct words, index of each row; the last, beyond the words, for null)."""
    import pyarrow as pa

    chunk = column.cast(pa.string()).combine_chunks().dictionary_encode()
    if isinstance(chunk, pa.ChunkedArray):
        chunk = chunk.combine_chunks()
    words = chunk.dictionary.to_pylist()
    index = chunk.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)
    return words, np.asarray(index, np.intp)
