"""`lapwing score judge`: simulated nights through tracker and judge; verdicts and alarms scored night by night and as one.

Every night leaves a folder: what was simulated, its tracks, verdicts and alarms, and how right each is. A night that is there
already is not made again, so that many nights can be run in pieces. The border is the night's own line, which is exact.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lapwing import judge, track
from lapwing.adapters.parquet_tracks import TracksWriter, arrival_batches, read_plots
from lapwing.country.pack import Pack
from lapwing.judge.half_plane import parse_border, plain_pack
from lapwing.model.plots import empty_bearings, empty_looks
from lapwing.model.tracks import TrackUpdate
from lapwing.model.verdicts import Judgement
from lapwing.record.canonical import Row, to_json
from lapwing.record.rows import alarm_row, verdict_row
from lapwing.runtime.alarm_scores import score_files as score_alarms
from lapwing.runtime.night_folders import same_setup
from lapwing.runtime.scene_files import write_night
from lapwing.runtime.track_file import due
from lapwing.runtime.verdict_scores import scored_files
from lapwing.sense.sensors_file import parse_sensors
from lapwing.sim import verdict_scoring as rules

BATCH_NS = 2_000_000_000
CLASSES = ("drone", "decoy", "balloon")
ALARM_SUMS = ("entries", "missed", "reds", "hit", "valid", "nuisance", "geometry_allows", "on_time", "early")


@dataclass(frozen=True, slots=True)
class Nights:
    """Which nights."""

    night: str
    country: str
    minutes: float | None
    folder: Path
    state_dir: Path


def run_nights(nights: Nights, seeds: Sequence[int], said: Callable[[str], None]) -> dict[str, Any]:
    """Make and score nights; return the figures of all together, of each class, and of each night."""
    rows = []
    for seed in seeds:
        row = one_night(nights, seed)
        rows.append(row)
        said(line(str(seed), rules.figures(read_scored(row), rules.Rules()), row["alarms"]))
    return pooled(rows)


def pooled(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the figures of several nights as of one, with those of each class and each night beside them."""
    found = rules.together([read_scored(row) for row in rows])
    harmless: dict[str, int] = {}
    for row in rows:
        for name, count in row["alarms"]["reds_on_harmless"].items():
            harmless[name] = harmless.get(name, 0) + count
    alarms: dict[str, Any] = {key: sum(row["alarms"][key] for row in rows) for key in ALARM_SUMS}
    alarms["reds_on_harmless"] = dict(sorted(harmless.items()))
    alarms["alarmed_share"] = round(1.0 - alarms["missed"] / alarms["entries"], 4) if alarms["entries"] else None
    alarms["nuisance_share"] = round(alarms["nuisance"] / alarms["reds"], 4) if alarms["reds"] else None
    alarms["on_time_share"] = round(alarms["on_time"] / alarms["entries"], 4) if alarms["entries"] else None
    return {"nights": len(rows), "verdicts": rules.figures(found, rules.Rules()),
            "classes": {name: rules.figures(rules.of_class(found, name), rules.Rules()) for name in CLASSES}, "alarms": alarms,
            "each": [{"seed": row["seed"], "alarms": {key: row["alarms"][key] for key in ALARM_SUMS},
                      "verdicts": rules.figures(read_scored(row), rules.Rules())} for row in rows]}


def read_scored(row: Mapping[str, Any]) -> rules.Scored:
    """Return the verdicts of a night as they were scored."""
    kept = row["verdicts"]
    return rules.Scored(tuple(rules.Line(**each) for each in kept["lines"]), tuple(rules.Whole(**each) for each in kept["objects"]),
                        int(kept["matched_to_nothing"]))


def one_night(nights: Nights, seed: int) -> dict[str, Any]:
    """Return how right one night's verdicts and alarms are; only what its folder does not hold yet is made."""
    folder = nights.folder / str(seed)
    setup = {"night": nights.night, "country": nights.country, "minutes": nights.minutes, "seed": seed}
    same_setup(folder, setup)
    kept = folder / "score.json"
    row: dict[str, Any]
    if kept.exists():
        row = json.loads(kept.read_text(encoding="utf-8"))
        return row
    write_night(nights.night, nights.country, seed, nights.minutes, None, folder, nights.state_dir / "packs")
    judge_night(folder)
    tracks, truth, border = folder / "tracks.parquet", folder / "truth.parquet", folder / "border.geojson"
    found = scored_files(folder / "verdicts.jsonl", tracks, truth, None, border, rules.Rules())
    row = {"seed": seed, "verdicts": asdict(found), "alarms": score_alarms(folder / "alarms.jsonl", tracks, truth, None, border)}
    part = folder / "score.part"
    part.write_text(json.dumps(row) + "\n", encoding="utf-8")
    part.rename(kept)
    return row


def judge_night(folder: Path) -> None:
    """Track and judge the plots of a night's folder in order of arrival; leave tracks, final verdicts and alarms there."""
    sensors = parse_sensors((folder / "scenario.json").read_bytes(), str(folder / "scenario.json"))
    plots, pack = read_plots(folder / "plots.parquet", sensors), _own_line(folder / "border.geojson")
    tracked, judged = track.State(), judge.State()
    track_settings, judge_settings = track.Settings(), judge.Settings()
    verdicts: list[Row] = []
    alarms: list[Row] = []
    last_row: dict[str, int] = {}
    now_ns = 0

    def take(update: TrackUpdate, judgement: Judgement) -> None:
        named = judge.named(judgement, tuple(sensor.id for sensor in sensors.rows))
        verdicts.extend(verdict_row(verdict) for verdict in named.verdicts if verdict.final)
        alarms.extend(alarm_row(alarm) for alarm in named.alarms)
        writer.add(due(update.tracks, last_row, now_ns), now_ns)

    with TracksWriter(folder / "tracks.parquet") as writer:
        for rows, now_ns in arrival_batches(plots.received_ns, BATCH_NS):
            batch = plots.take(np.arange(rows.start, rows.stop))
            tracked, update = track.step(tracked, batch, empty_bearings(), empty_looks(), sensors, (), now_ns, track_settings)
            judged, judgement = judge.step(judged, update, pack, {}, now_ns, judge_settings, sensors)
            take(update, judgement)
        tracked, update = track.finish(tracked, now_ns, track_settings)
        take(update, judge.finish(judged, update, pack, {}, now_ns, judge_settings, sensors)[1])
    (folder / "verdicts.jsonl").write_bytes(b"".join(to_json(row) + b"\n" for row in verdicts))
    (folder / "alarms.jsonl").write_bytes(b"".join(to_json(row) + b"\n" for row in alarms))


def _own_line(path: Path) -> Pack:
    data = path.read_bytes()
    return plain_pack(parse_border(data, str(path), hashlib.sha256(data).hexdigest()))


COLUMNS = (("objects", 9), ("wrong", 7), ("undetermined", 14), ("held", 9), ("entry s", 9), ("entries", 9), ("missed", 8), ("reds", 6),
           ("nuisance", 10), ("harmless", 10))
HEAD = f"{'seed':<10}" + "".join(f"{name:>{width}}" for name, width in COLUMNS)


def line(name: str, own: Mapping[str, Any], alarms: Mapping[str, Any]) -> str:
    """Return one row of the table: a night, a class, or all of them."""
    held = own["interval_holds_share"]
    cells = (str(own["objects"]), str(own["wrong"]), f"{own['undetermined']}/{own['objects_near']}",
             "-" if held is None else f"{100.0 * held:.1f} %", str(own["entry_time_error_s_median"] or "-"), str(alarms.get("entries", "")),
             str(alarms.get("missed", "")), str(alarms.get("reds", "")), str(alarms.get("nuisance", "")),
             str(sum(alarms.get("reds_on_harmless", {}).values())))
    return f"{name:<10}" + "".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, COLUMNS, strict=True))
