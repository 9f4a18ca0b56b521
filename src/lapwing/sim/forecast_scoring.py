"""How right forecasts are: said against came true, and the Brier score beside a baseline's.

The rules:

* A forecast counts where its track is within `cutoff_m` of an object that is scored (the nearest), outside, and within `far_m`
  of the line by truth. It came true where the object is inside at some moment within the horizon; one that ends before is
  gone and did not; what the end of the recording leaves open does not count.
* "Along the line": within `along_m` of it by truth, and not nearing or leaving it by more than 0.7 of the speed.
* Deciles of what was said; one with fewer than `cases_min` cases says nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lapwing.geo.border import Territory, signed_distance
from lapwing.geo.wgs84 import curvature_radii_m
from lapwing.sim.track_scoring import Path

Floats = npt.NDArray[np.float64]

CLASSES = ("drone", "decoy", "balloon")
_ALONG_SHARE = 0.7


@dataclass(frozen=True, slots=True)
class Rules:
    """How forecasts are scored."""

    horizons_s: tuple[float, ...] = (300.0, 600.0, 900.0)
    cutoff_m: float = 500.0
    far_m: float = 50_000.0
    along_m: float = 10_000.0
    cases_min: int = 50


@dataclass(frozen=True, slots=True)
class Said:
    """One forecast of one track at one moment: P(entry) within each horizon, and the baseline's."""

    time_s: float
    lat_deg: float
    lon_deg: float
    prob: tuple[float, ...]
    baseline: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A forecast beside what came; NaN: left open."""

    said: Said
    came: tuple[float, ...]
    class_name: str
    along: bool


def cases(objects: Sequence[Path], said: Sequence[Said], territory: Territory, rules: Rules) -> list[Case]:
    """Return the forecasts that count."""
    scored = [each for each in objects if each.class_name in CLASSES and len(each.time_s) > 1]
    away = [signed_distance(territory, np.radians(each.lat_deg), np.radians(each.lon_deg)).signed_distance_m for each in scored]
    end_s = max((float(each.time_s[-1]) for each in objects), default=-math.inf)
    found = []
    for one in said:
        nearest, best = rules.cutoff_m, -1
        for k, each in enumerate(scored):
            if each.time_s[0] <= one.time_s <= each.time_s[-1]:
                distance = _away_m(one, each)
                if distance < nearest:
                    nearest, best = distance, k
        if best < 0:
            continue
        target, distance_m = scored[best], away[best]
        now_m = float(np.interp(one.time_s, target.time_s, distance_m))
        if not 0.0 <= now_m <= rules.far_m:
            continue
        came = []
        for horizon in rules.horizons_s:
            rows = (target.time_s > one.time_s) & (target.time_s <= one.time_s + horizon)
            inside = bool(np.any(distance_m[rows] < 0.0))
            came.append(1.0 if inside else 0.0 if one.time_s + horizon <= end_s else math.nan)
        row = min(int(np.searchsorted(target.time_s, one.time_s, side="right")), len(target.time_s) - 1)
        nearing = abs(float(distance_m[row] - distance_m[row - 1]) / max(float(target.time_s[row] - target.time_s[row - 1]), 1e-9))
        speed = math.hypot(float(target.east_mps[row]), float(target.north_mps[row]))
        found.append(Case(one, tuple(came), target.class_name, now_m < rules.along_m and nearing < _ALONG_SHARE * speed))
    return found


def score(found: Sequence[Case], rules: Rules) -> dict[str, Any]:
    """Return the figures over all cases, of those along the line, and of each class."""
    groups = {"all": list(found), "along_the_line": [case for case in found if case.along]}
    groups |= {name: [case for case in found if case.class_name == name] for name in CLASSES}
    return {name: _figures(group, rules) for name, group in groups.items() if group}


def _figures(found: Sequence[Case], rules: Rules) -> dict[str, Any]:
    said, baseline, came = (np.array(values, np.float64) for values in (
        [case.said.prob for case in found], [case.said.baseline for case in found], [case.came for case in found]))
    result: dict[str, Any] = {"forecasts": len(found)}
    for column, horizon in enumerate(rules.horizons_s):
        known = np.isfinite(came[:, column])
        if known.any():
            result[f"{horizon / 60.0:g}_min"] = _horizon(said[known, column], baseline[known, column], came[known, column], rules)
    return result


def _horizon(said: Floats, baseline: Floats, came: Floats, rules: Rules) -> dict[str, Any]:
    tenth = np.minimum((said * 10.0).astype(np.int64), 9)
    deciles, errors = [], []
    for each in range(10):
        rows = tenth == each
        count = int(np.count_nonzero(rows))
        if count >= rules.cases_min:
            deciles.append({"said": round(float(said[rows].mean()), 3), "came_true": round(float(came[rows].mean()), 3), "cases": count})
            errors.append(abs(float(said[rows].mean() - came[rows].mean())))
    brier, other = float(np.mean((said - came) ** 2)), float(np.mean((baseline - came) ** 2))
    return {"cases": len(said), "came_true_share": round(float(came.mean()), 4), "brier": round(brier, 5),
            "brier_baseline": round(other, 5), "better_share": round(1.0 - brier / other, 4) if other > 0.0 else None,
            "calibration_error_max": round(max(errors), 4) if errors else None, "deciles": deciles}


def _away_m(one: Said, target: Path) -> float:
    meridian, prime = curvature_radii_m(math.radians(one.lat_deg))
    north = math.radians(one.lat_deg - float(np.interp(one.time_s, target.time_s, target.lat_deg))) * float(meridian)
    east = math.radians(one.lon_deg - float(np.interp(one.time_s, target.time_s, target.lon_deg))) * float(prime)
    return math.hypot(north, east * math.cos(math.radians(one.lat_deg)))
