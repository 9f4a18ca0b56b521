"""Holds the outputs of a played story against what the story expects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lapwing import sim
from lapwing.sim.scoring import Check


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a .jsonl file; none where the file is not there."""
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def check_folder(folder: Path, recording: sim.Recording) -> list[Check]:
    """Return every check of a story (verdict, distances, warnings, all clear, notices) against a folder of outputs."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(folder / "tracks.parquet")
    tracks: dict[str, Any] = {}
    for name in table.column_names:
        column = table[name].combine_chunks()
        # Times as integers: a datetime does not hold nanoseconds.
        tracks[name] = (np.asarray(column.cast(pa.int64())) if pa.types.is_timestamp(column.type) else column.to_pylist())
    return sim.score_story(recording, verdicts=read_rows(folder / "verdicts.jsonl"),
                           traffic=read_rows(folder / "traffic.jsonl"), alerts=read_rows(folder / "alerts.jsonl"),
                           notices=read_rows(folder / "notices.jsonl"), patrol=read_rows(folder / "patrol.jsonl"),
                           tracks=tracks)


def statement_of(folder: Path) -> str:
    """Return the closing sentence of the report, in English."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return str(report["statement"].get("en") or next(iter(report["statement"].values()), ""))
