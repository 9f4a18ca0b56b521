"""Opens what a run reads: recordings, plots, a story or a journal, each as items in order of reception with its sensors."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lapwing import sim
from lapwing.adapters.files import RecordingSource
from lapwing.adapters.tables import SUFFIXES as TABLE_SUFFIXES
from lapwing.adapters.tables import TableSource
from lapwing.model.entries import PLOTS
from lapwing.model.errors import InputError
from lapwing.model.plots import KIND_COMBINED, KIND_PSR, KIND_SSR
from lapwing.model.sensors import SensorTable
from lapwing.runtime.batches import Item
from lapwing.sense import plot_rows
from lapwing.sense.asterix import ranking
from lapwing.sense.asterix.edition_names import edition_texts
from lapwing.sense.asterix.records import Editions
from lapwing.sense.asterix.tables import default_edition
from lapwing.sense.sensors_file import parse_sensors

SAMPLE_FRAMES = 4_000        # of a recording, looked at to find the edition of each source
_PLOT_KINDS = {"psr": KIND_PSR, "ssr": KIND_SSR, "cmb": KIND_COMBINED}


@dataclass(frozen=True, slots=True)
class Opened:
    """A source, ready to be read once."""

    title: str
    sha256: str                      # of everything it was made from: the journal's proof of what it recorded
    items: Iterable[Item]
    sensors: SensorTable
    count: int | None = None         # items, where known, for the progress bar
    recording: sim.Recording | None = None   # of a story: truth and expected values
    sources: tuple[RecordingSource, ...] = ()   # of recordings: what was unread, and notes for the user, after reading
    editions: Editions = field(default_factory=Editions)   # of recordings: named, or found, where not the newest
    notes: tuple[str, ...] = ()                 # what the user should know before it is read


def open_story(name: str, seed: int) -> Opened:
    """Play a shipped story (by name) or a story file. Raises ConfigError where there is none or it is wrong."""
    path = Path(name)
    story = (sim.load_story(path.read_bytes(), path.name) if path.suffix in (".yaml", ".yml") else sim.load_story(name))
    recording = sim.play(story, seed)
    items = list(recording.items)
    digest = hashlib.sha256(f"{story.id} {seed}".encode())
    for received_ns, link, format_, payload in items:
        digest.update(f"{received_ns} {link} {format_} {len(payload)}".encode() + payload)
    return Opened(f"{story.title} (seed {seed})", digest.hexdigest(), items, recording.sensors, len(items), recording)


def open_plots(path: Path, sensors: SensorTable) -> Opened:
    """Open a plots.parquet; its rows are grouped by radar and time of reception, as the messages came.

    Raises InputError where a column is missing or a radar is not in the sensor table.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, pa.ArrowException) as error:
        raise InputError(f"not a Parquet file: {error}", where=str(path), remedy="see `lapwing simulate` for one") from error
    wanted = ("time", "recv_time", "radar_id", "plot_type", "slant_range_m", "azimuth_deg", "amplitude_db", "mode3a",
              "flight_level", "mode_s")
    missing = [name for name in wanted if name not in table.column_names]
    if missing:
        raise InputError(f"no column {', '.join(missing)}", where=str(path),
                         remedy=f"a plots file has the columns {', '.join(wanted)}")
    rows = plot_rows.empty(table.num_rows)
    rows["measured_ns"] = _nanoseconds(table["time"])
    rows["received_ns"] = _nanoseconds(table["recv_time"])
    radars = table["radar_id"].to_pylist()
    index = {radar: sensors.index_of(radar) for radar in sorted(set(radars))}
    unknown = sorted(radar for radar, row in index.items() if row < 0)
    if unknown:
        raise InputError(f"plots of {', '.join(unknown)}, which no sensor is called", where=str(path),
                         remedy=f"the sensor table has {', '.join(s.id for s in sensors.rows) or 'none'}")
    rows["sensor_index"] = [index[radar] for radar in radars]
    rows["kind"] = [_PLOT_KINDS.get(kind, KIND_PSR) for kind in table["plot_type"].to_pylist()]
    rows["range_m"] = table["slant_range_m"].to_numpy()
    rows["azimuth_rad"] = np.radians(table["azimuth_deg"].to_numpy()) % (2.0 * np.pi)
    for name in ("amplitude_db", "flight_level"):
        rows[name] = [np.nan if value is None else value for value in table[name].to_pylist()]
    rows["mode3a"] = [-1 if code is None else int(code, 8) for code in table["mode3a"].to_pylist()]
    rows["icao_address"] = [-1 if code is None else int(code) for code in table["mode_s"].to_pylist()]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    # One message: a run of rows of the same radar and time of reception, in file order.
    key = rows["received_ns"] * 1024 + rows["sensor_index"]
    cuts = np.nonzero(np.diff(key))[0] + 1
    return Opened(path.name, digest, _plot_items(rows, cuts, sensors), sensors, len(cuts) + 1)


def _plot_items(rows: npt.NDArray[np.void], cuts: npt.NDArray[np.intp], sensors: SensorTable) -> Iterator[Item]:
    for group in np.split(rows, cuts):
        if len(group):
            sensor = sensors.rows[int(group["sensor_index"][0])]
            yield int(group["received_ns"][0]), f"plots:{sensor.id}", PLOTS, plot_rows.pack(group)


def _nanoseconds(column: Any) -> npt.NDArray[np.int64]:
    import pyarrow as pa

    return np.asarray(column.combine_chunks().cast(pa.timestamp("ns", tz="UTC")).cast(pa.int64()))


def open_recordings(paths: Sequence[Path], sensors: SensorTable, date: str | None,
                    named: Editions | None = None) -> Opened:
    """Open ASTERIX recordings (any framing) and tables (CSV, JSON lines), merged by time of reception. Raises InputError.

    The edition of a source is the sensor table's, else the one `named`, else the one found on a sample of its blocks.
    """
    named = named or Editions()
    digest = hashlib.sha256((date or "").encode() + "".join(edition_texts(named)).encode())
    for path in paths:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    configured = {(category, sensor.sac, sensor.sic): name
                  for sensor in sensors.rows if sensor.sac >= 0 for category, name in sensor.editions.items()}
    known = Editions(named.by_category, {**named.by_source, **configured})
    detected: dict[ranking.Source, ranking.Detected] = {}
    tables = [TableSource(path, sensors) for path in paths if path.suffix in TABLE_SUFFIXES]
    recordings = [path for path in paths if path.suffix not in TABLE_SUFFIXES]
    for path in recordings:
        sample = islice(RecordingSource(path, date=date).frames(), SAMPLE_FRAMES)
        for key, found in ranking.detect_editions(sample, known).items():
            detected.setdefault(key, found)
    editions = ranking.with_detected(known, detected)
    sources = [RecordingSource(path, date=date, editions=editions) for path in recordings]
    every: list[Iterable[Item]] = [*sources, *tables]
    items = every[0] if len(every) == 1 else heapq.merge(*every, key=lambda item: item[0])
    return Opened(", ".join(path.name for path in paths), digest.hexdigest(), items, sensors, sources=tuple(sources),
                  editions=editions, notes=tuple(_edition_notes(detected)))


def _edition_notes(detected: Mapping[ranking.Source, ranking.Detected]) -> Iterator[str]:
    for (category, sac, sic), found in sorted(detected.items()):
        source = f"CAT{category:03d} of {sac}/{sic}"
        if found.edition != default_edition(category):
            yield (f"{source} is read as edition {found.edition} (confidence {found.confidence:.0%}); to settle it: "
                   f"--edition {category}@{sac}/{sic}={found.edition}")
        elif not found.fits:
            yield (f"{source}: no edition that is known fits ({1.0 - found.score:.0%} of its blocks cannot be); believe "
                   "none of it, and ask the sender which document it follows")


def read_sensors(path: Path | None) -> SensorTable:
    """Return the sensor table of a sensors.toml or scenario.json; an empty one without a file."""
    return SensorTable() if path is None else parse_sensors(path.read_bytes(), path.name)
