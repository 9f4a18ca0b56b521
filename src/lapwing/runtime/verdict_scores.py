"""`lapwing score verdicts`: reads verdicts, tracks, truth and the border from files and has them scored."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from lapwing.geo.border import Territory
from lapwing.judge.half_plane import parse_border
from lapwing.model.errors import InputError
from lapwing.model.times import from_iso
from lapwing.runtime.environment import prepare
from lapwing.runtime.track_scores import load_tracks, load_truth
from lapwing.runtime.wiring import load_country
from lapwing.sim.verdict_scoring import Judged, Rules, Scored, figures, scored


def score_files(verdicts: FilePath, tracks: FilePath, truth: FilePath, country: str | None, border: FilePath | None,
                rules: Rules) -> dict[str, Any]:
    """Return the figures. InputError where a file cannot be used."""
    return figures(scored_files(verdicts, tracks, truth, country, border, rules), rules)


def scored_files(verdicts: FilePath, tracks: FilePath, truth: FilePath, country: str | None, border: FilePath | None,
                 rules: Rules) -> Scored:
    """Return how right each verdict is. InputError where a file cannot be used."""
    territory = territory_of(country, border)
    return scored(load_truth(truth), load_tracks(tracks), _coasting(tracks), load_verdicts(verdicts), territory, rules)


def load_verdicts(path: FilePath) -> dict[str, Judged]:
    """Return the verdicts of a verdicts.jsonl by track; of several lines on one track the last counts."""
    found = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            found[str(row["track_id"])] = Judged(
                str(row["verdict"]), float(row["closest_m"]), float(row["closest_m_low"]), float(row["closest_m_high"]),
                tuple(from_iso(str(entry["entry_time"])) * 1e-9 for entry in row.get("entries") or () if entry.get("entry_time")),
                *_answers_for(row.get("evidence") or {}))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(f"no verdict: {error!r}", where=f"{path} line {number}",
                             remedy="give a verdicts.jsonl of lapwing judge or replay") from None
    return found


def _answers_for(evidence: Mapping[str, Any]) -> tuple[float, float]:
    first, last = evidence.get("first_time"), evidence.get("last_time")
    return (from_iso(str(first)) * 1e-9, from_iso(str(last)) * 1e-9) if first and last else (math.nan, math.nan)


def territory_of(country: str | None, border: FilePath | None) -> Territory:
    """Return what a border file holds, or a country's territory."""
    if border is not None:
        data = border.read_bytes()
        return parse_border(data, str(border), hashlib.sha256(data).hexdigest())
    return load_country(str(country), prepare()).pack.territory


def _coasting(path: FilePath) -> dict[str, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Return which rows of each track are coasted, in the order of `load_tracks`."""
    table = pq.read_table(path)
    names = np.array([str(name) for name in table["track_id"].to_pylist()])
    flag = np.array([bool(value) for value in table["coasting"].to_pylist()]) if "coasting" in table.column_names else (
        np.zeros(len(names), np.bool_))
    sure = np.array([bool(value) for value in table["confirmed"].to_pylist()])
    time = table["time"].to_numpy().astype("datetime64[ns]").astype(np.int64)
    emitted = table["emit_time"].to_numpy().astype("datetime64[ns]").astype(np.int64) if (
        "emit_time" in table.column_names) else time
    result = {}
    for name in np.unique(names).tolist():
        rows = np.flatnonzero(names == name)
        rows = rows[np.lexsort((time[rows], emitted[rows]))]
        if sure[rows].any():
            result[name] = flag[rows[int(np.argmax(sure[rows])):]]
    return result
