"""`lapwing score forecast`: forecasts the tracks of folders and has them scored against truth, all folders together."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path as FilePath
from typing import Any

from lapwing.country.pack import Pack
from lapwing.judge import Settings
from lapwing.judge.forecast_tracks import forecast_tracks
from lapwing.judge.from_tracks import EmittedTrack
from lapwing.judge.half_plane import parse_border, plain_pack
from lapwing.model.errors import InputError
from lapwing.runtime.environment import prepare
from lapwing.runtime.track_scores import load_truth
from lapwing.runtime.wiring import load_country
from lapwing.sim.forecast_scoring import Case, Rules, Said, cases, score

FILES = ("truth.parquet", "tracks.parquet", "border.geojson")


def score_folders(folders: list[tuple[FilePath, list[EmittedTrack]]], country: str | None, every_s: float) -> dict[str, Any]:
    """Return the figures over all folders: each with its confirmed tracks. InputError where a file cannot be used."""
    found: list[Case] = []
    rules = Rules()
    for folder, tracks in folders:
        pack = _pack(folder, country)
        said = [Said(each.time_ns * 1e-9, math.degrees(each.latitude_rad), math.degrees(each.longitude_rad), each.entry_prob,
                     each.straight_prob)
                for each in forecast_tracks(tracks, pack, None, every_s, Settings(), with_zones=False)]
        found += cases(load_truth(folder / "truth.parquet"), said, pack.territory, rules)
    return {"folders": len(folders), "every_s": every_s, **score(found, rules)}


def check(folder: FilePath, country: str | None) -> None:
    """Raise InputError where a folder lacks a file."""
    missing = [name for name in FILES if not (folder / name).is_file() and not (name == "border.geojson" and country)]
    if missing:
        raise InputError(f"no {', '.join(missing)}", where=str(folder),
                         remedy="`lapwing simulate --out` leaves truth and border, `lapwing track --out` the tracks; or give --country")


def _pack(folder: FilePath, country: str | None) -> Pack:
    if country:
        return load_country(country, prepare()).pack
    data = (folder / "border.geojson").read_bytes()
    return plain_pack(parse_border(data, str(folder / "border.geojson"), hashlib.sha256(data).hexdigest()))
