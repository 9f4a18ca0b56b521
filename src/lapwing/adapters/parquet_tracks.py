"""Parquet at the tracker's edges: plots of a scenario folder in, tracks.parquet out.

Degrees, timestamps and hundreds of feet end here; inside are radians, nanoseconds and metres.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lapwing.geo.frames import polar_to_geodetic
from lapwing.geo.geoid import undulation_m
from lapwing.model.errors import InputError
from lapwing.model.plots import KIND_COMBINED, KIND_PSR, KIND_SSR, Floats, Ints, Plots
from lapwing.model.sensors import SensorTable
from lapwing.model.tracks import AFFILIATIONS, CLASSES, Tracks

FEET_100_M = 30.48
LEVEL_M_SIGMA = 60.0        # quantum of 100 ft and a QNH some hPa from standard
LOW_HEIGHT_M = 300.0        # where an echo without a height is laid down, above the ellipsoid
REPLY_SHARE = 0.5           # a transponder's reply is twice as exact as an echo
KINDS = {"psr": KIND_PSR, "ssr": KIND_SSR, "cmb": KIND_COMBINED}
COLUMNS = ("time", "recv_time", "radar_id", "plot_type", "slant_range_m", "azimuth_deg", "amplitude_db", "mode3a",
           "flight_level", "mode_s")
FLUSH_ROWS = 20_000


def read_plots(path: Path, sensors: SensorTable, *, from_ns: int | None = None, until_ns: int | None = None) -> Plots:
    """Return the plots of a file of the scenarios' schema, in its order (that of arrival), within [from, until) received.

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
    table, received = table.take(pa.array(rows)), received[rows]
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
    site_lat = np.array([s.latitude_rad for s in sensors.rows])[sensor_index]
    site_lon = np.array([s.longitude_rad for s in sensors.rows])[sensor_index]
    site_height = np.nan_to_num(np.array([s.height_m for s in sensors.rows]))[sensor_index]
    share = np.where(kind == KIND_PSR, 1.0, REPLY_SHARE)
    range_sigma = np.array([s.range_m_sigma for s in sensors.rows])[sensor_index] * share
    azimuth_sigma = np.array([s.azimuth_rad_sigma for s in sensors.rows])[sensor_index] * share
    undulation = np.array([float(undulation_m(s.latitude_rad, s.longitude_rad)) for s in sensors.rows])[sensor_index]
    height = flight_level * FEET_100_M + undulation
    laid = np.where(np.isfinite(height), height, LOW_HEIGHT_M)
    steep = np.abs(laid - site_height) > 0.98 * range_m  # beneath its own height: laid on the aerial's level
    latitude, longitude = polar_to_geodetic(site_lat, site_lon, site_height, range_m, azimuth_rad,
                                            np.where(steep, site_height, laid))
    sine, cosine = np.sin(azimuth_rad), np.cos(azimuth_rad)
    along, across = range_sigma**2, (range_m * azimuth_sigma) ** 2
    cov = np.empty((len(range_m), 2, 2))
    cov[:, 0, 0] = along * sine**2 + across * cosine**2
    cov[:, 1, 1] = along * cosine**2 + across * sine**2
    cov[:, 0, 1] = cov[:, 1, 0] = (along - across) * sine * cosine
    return Plots(
        measured_ns=measured_ns, received_ns=received_ns, sensor_index=sensor_index, kind=kind, range_m=range_m,
        azimuth_rad=azimuth_rad, latitude_rad=latitude, longitude_rad=longitude, height_m=height,
        height_m_sigma=np.where(np.isfinite(height), LEVEL_M_SIGMA, np.nan), position_cov_m2=cov,
        velocity_mps=np.full((len(range_m), 2), np.nan), amplitude_db=amplitude_db, mode3a=mode3a, icao_address=icao,
        callsign=np.zeros(len(range_m), "S8"), entry_sequence=sequence,
        octet_offset=np.zeros(len(range_m), np.int32))


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

        self._schema = schema()
        self._writer: Any = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._pending: list[tuple[Tracks, int]] = []
        self._rows = 0
        self.rows = 0

    def add(self, tracks: Tracks, emitted_ns: int) -> None:
        """Take rows that left the tracker at `emitted_ns`."""
        if len(tracks):
            self._pending.append((tracks, emitted_ns))
            self._rows += len(tracks)
            self.rows += len(tracks)
            if self._rows >= FLUSH_ROWS:
                self._flush()

    def _flush(self) -> None:
        if self._pending:
            self._writer.write_table(table_of(self._pending))
        self._pending, self._rows = [], 0

    def close(self) -> None:
        """Write what is left and the footer."""
        self._flush()
        self._writer.close()

    def __enter__(self) -> TracksWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def schema() -> Any:
    """Return the Arrow schema of tracks.parquet."""
    import pyarrow as pa

    stamp = pa.timestamp("ns", tz="UTC")
    fields = [pa.field("track_id", pa.string()), pa.field("time", stamp), pa.field("emit_time", stamp)]
    fields += [pa.field(name, pa.float64()) for name in ("lat", "lon", "alt", "vx_east", "vy_north")]
    fields += [pa.field("confirmed", pa.bool_())]
    fields += [pa.field(f"position_cov_{part}_m2", pa.float64()) for part in ("ee", "en", "nn")]
    fields += [pa.field(f"class_{name}_prob", pa.float32()) for name in CLASSES]
    fields += [pa.field("affiliation", pa.string()), pa.field("border_m", pa.float64()),
               pa.field("coasting", pa.bool_()), pa.field("sensor_count", pa.int16())]
    return pa.schema(fields)


def table_of(parts: list[tuple[Tracks, int]], border_m: Floats | None = None) -> Any:
    """Return an Arrow table of tracks with their emit times; `border_m` for all rows, else null."""
    import pyarrow as pa

    def column(name: str) -> Any:
        return np.concatenate([getattr(tracks, name) for tracks, _ in parts])

    stamp = pa.timestamp("ns", tz="UTC")
    height, cov, classes = column("height_m"), column("state_cov"), column("class_prob")
    cov = cov[:, :2, :2] + column("bias_cov_m2")
    velocity, count = column("velocity_mps"), len(height)
    border = np.full(count, np.nan) if border_m is None else border_m
    emitted = np.concatenate([np.full(len(tracks), ns, np.int64) for tracks, ns in parts])
    columns = {
        "track_id": pa.array([name for tracks, _ in parts for name in tracks.track_id]),
        "time": pa.array(column("time_ns"), pa.int64()).cast(stamp), "emit_time": pa.array(emitted).cast(stamp),
        "lat": np.degrees(column("latitude_rad")), "lon": np.degrees(column("longitude_rad")),
        "alt": pa.array(height, mask=~np.isfinite(height)), "vx_east": velocity[:, 0], "vy_north": velocity[:, 1],
        "confirmed": column("confirmed"), "position_cov_ee_m2": cov[:, 0, 0], "position_cov_en_m2": cov[:, 0, 1],
        "position_cov_nn_m2": cov[:, 1, 1],
        **{f"class_{name}_prob": classes[:, k].astype(np.float32) for k, name in enumerate(CLASSES)},
        "affiliation": pa.array([AFFILIATIONS[k] for k in column("affiliation")]),
        "border_m": pa.array(border, mask=~np.isfinite(border)), "coasting": column("coasting"),
        "sensor_count": column("sensor_count").astype(np.int16),
    }
    return pa.table(columns, schema=schema())


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
