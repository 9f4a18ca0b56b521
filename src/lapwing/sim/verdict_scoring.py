"""How right verdicts are: wrong and undetermined ones, whether intervals hold the truth, how exact entry times are.

The rules:

* Tracks are matched to objects at instants `step_s` apart: a pair stays while within the cut-off, the rest are paired
  anew, nearest first. A track belongs to the object that it was paired with most often, for half of its life at least.
* A verdict answers for the time that its evidence states, from the first plot to the last one that proves something; where
  it states none, from its track's first confirmed row to its last row that was not coasted: where nobody looked there is
  no finding. The truth is what its object did in that time. `ID+2` is a later part of a track that took up another
  object; each part belongs to the object that its track followed in that time.
* A track lives while its rows are at most `age_s_max` apart.
* An object's verdict is `entered` if any of its tracks' is, else `undetermined` if any is, else `not_entered`; its truth
  is that of all these times together. Birds are not scored.
* A wrong verdict is `entered` of one that did not or `not_entered` of one that did. Undetermined ones are counted over
  objects with at least `plots_min` rows with a plot within `near_m` of the line.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lapwing.geo.border import Territory, signed_distance
from lapwing.geo.wgs84 import curvature_radii_m
from lapwing.sim.track_scoring import IGNORED, Path

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rules:
    """How verdicts are scored."""

    step_s: float = 5.0
    cutoff_m: float = 500.0
    age_s_max: float = 60.0
    near_m: float = 10_000.0
    plots_min: int = 5


@dataclass(frozen=True, slots=True)
class Judged:
    """One verdict. Times in seconds since 1970."""

    verdict: str
    closest_m: float
    low_m: float
    high_m: float
    entry_s: tuple[float, ...]
    first_s: float = math.nan    # what it answers for; NaN: not stated
    last_s: float = math.nan


@dataclass(frozen=True, slots=True)
class _Told:
    """One verdict beside what was true in its time."""

    judged: Judged
    closest_m: float
    entered: bool
    seen_inside: bool            # already inside when the track began
    entry_s: tuple[float, ...]
    near_plots: int


@dataclass(frozen=True, slots=True)
class Line:
    """How right one verdict is."""

    class_name: str
    error_m: float               # of the closest distance
    width_m: float               # of its interval
    held: bool                   # truth lies in the interval
    above: bool                  # ... above it
    entry_error_s: float | None  # of the first entry; None where there is none, or it began inside


@dataclass(frozen=True, slots=True)
class Whole:
    """The verdict on one object, of all its tracks together."""

    name: str
    class_name: str
    verdict: str
    entered: bool                # by truth
    near_plots: int


@dataclass(frozen=True, slots=True)
class Scored:
    """What a run's verdicts are worth, one by one."""

    lines: tuple[Line, ...]
    objects: tuple[Whole, ...]
    matched_to_nothing: int


def score(objects: Sequence[Path], tracks: Sequence[Path], coasting: Mapping[str, npt.NDArray[np.bool_]],
          verdicts: Mapping[str, Judged], territory: Territory, rules: Rules) -> dict[str, Any]:
    """Return the figures; arguments as of `scored`."""
    return figures(scored(objects, tracks, coasting, verdicts, territory, rules), rules)


def scored(objects: Sequence[Path], tracks: Sequence[Path], coasting: Mapping[str, npt.NDArray[np.bool_]],
           verdicts: Mapping[str, Judged], territory: Territory, rules: Rules) -> Scored:
    """Return how right each verdict is.

    Parameters
    ----------
    tracks : from their first confirmed row on; coasting : of each track's rows, by its name
    verdicts : by track
    """
    tracks, coasting = _parts(tracks, coasting, verdicts)
    followed = followed_by(objects, tracks, rules)
    told: dict[int, list[_Told]] = {}
    for track in tracks:
        judged, index = verdicts.get(track.name), followed.get(track.name)
        if judged is not None and index is not None and objects[index].class_name not in IGNORED:
            seen = _told(judged, track, coasting[track.name], objects[index], territory, rules)
            if seen is not None:
                told.setdefault(index, []).append(seen)
    whole = tuple(Whole(objects[index].name, objects[index].class_name, _whole([line.judged.verdict for line in told[index]]),
                        any(line.entered for line in told[index]), sum(line.near_plots for line in told[index]))
                  for index in sorted(told))
    return Scored(tuple(_line(line, objects[index].class_name) for index in sorted(told) for line in told[index]), whole,
                  sum(name not in followed for name in verdicts))


def _line(told: _Told, class_name: str) -> Line:
    judged = told.judged
    timed = judged.entry_s and told.entry_s and not told.seen_inside
    return Line(class_name, judged.closest_m - told.closest_m, judged.high_m - judged.low_m,
                judged.low_m <= told.closest_m <= judged.high_m, told.closest_m > judged.high_m,
                float(np.min(np.abs(np.array(judged.entry_s) - told.entry_s[0]))) if timed else None)


def figures(found: Scored, rules: Rules) -> dict[str, Any]:
    """Return the figures of a run, or of several put together."""
    lines, objects = found.lines, found.objects
    wrong = [each for each in objects
             if (each.verdict == "entered" and not each.entered) or (each.verdict == "not_entered" and each.entered)]
    near = [each for each in objects if each.near_plots >= rules.plots_min]
    unsure = [each for each in near if each.verdict == "undetermined"]
    held, above = sum(line.held for line in lines), sum(line.above for line in lines)
    late = [line.entry_error_s for line in lines if line.entry_error_s is not None]
    return {
        "objects": len(objects), "objects_entered": sum(each.entered for each in objects), "verdicts": len(lines),
        "verdicts_matched_to_nothing": found.matched_to_nothing,
        "wrong": len(wrong), "wrong_share": _share(len(wrong), len(objects)),
        "wrong_objects": [{"object": each.name, "class": each.class_name, "verdict": each.verdict, "entered": each.entered}
                          for each in wrong],
        "objects_near": len(near), "undetermined": len(unsure), "undetermined_share": _share(len(unsure), len(near)),
        "undetermined_objects": [each.name for each in unsure],
        "interval_holds_share": _share(held, len(lines)), "truth_above_share": _share(above, len(lines)),
        "truth_below_share": _share(len(lines) - held - above, len(lines)),
        "interval_m_median": _median([line.width_m for line in lines]),
        "closest_m_error_median": _median([abs(line.error_m) for line in lines]),
        "closest_m_error_mean": _mean([line.error_m for line in lines]),
        "entry_times": len(late), "entry_time_error_s_median": _median(late),
    }


def of_class(found: Scored, class_name: str) -> Scored:
    """Return what is of one class of objects."""
    return Scored(tuple(line for line in found.lines if line.class_name == class_name),
                  tuple(each for each in found.objects if each.class_name == class_name), 0)


def together(runs: Sequence[Scored]) -> Scored:
    """Return several runs as one."""
    return Scored(tuple(line for run in runs for line in run.lines), tuple(each for run in runs for each in run.objects),
                  sum(run.matched_to_nothing for run in runs))


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _median(values: Sequence[float]) -> float | None:
    return round(float(np.median(values)), 2) if values else None


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 2) if values else None


def _whole(verdicts: Sequence[str]) -> str:
    return next((value for value in ("entered", "undetermined") if value in verdicts), "not_entered")


def _parts(tracks: Sequence[Path], coasting: Mapping[str, npt.NDArray[np.bool_]],
           verdicts: Mapping[str, Judged]) -> tuple[list[Path], dict[str, npt.NDArray[np.bool_]]]:
    """Return the tracks, one for each of their verdicts, cut to the rows of the time that it answers for."""
    found, coasted = [], {}
    for track in tracks:
        number = 1
        name = track.name
        while True:
            judged = verdicts.get(name)
            rows = np.ones(len(track.time_s), np.bool_)
            if judged is not None and math.isfinite(judged.first_s):
                rows = (track.time_s >= judged.first_s - 1.0) & (track.time_s <= judged.last_s + 1.0)
                rows |= ~rows.any()
            columns: dict[str, Any] = {
                each.name: value[rows] for each in fields(Path)
                if isinstance(value := getattr(track, each.name), np.ndarray) and len(value) == len(rows)}
            found.append(replace(track, name=name, **columns))
            coasted[name] = coasting[track.name][rows]
            number += 1
            name = f"{track.name}+{number}"
            if name not in verdicts:
                break
    return found, coasted


def _told(judged: Judged, track: Path, coasting: npt.NDArray[np.bool_], target: Path, territory: Territory,
          rules: Rules) -> _Told | None:
    """Return a verdict beside its truth; None where truth says nothing of that time."""
    seen = np.flatnonzero(~coasting)
    if not len(seen):
        return None
    start, end = max(float(track.time_s[0]), float(target.time_s[0])), min(float(track.time_s[seen[-1]]),
                                                                           float(target.time_s[-1]))
    if math.isfinite(judged.first_s):
        start, end = max(judged.first_s, float(target.time_s[0])), min(judged.last_s, float(target.time_s[-1]))
    if end <= start:
        return None
    times = np.append(np.arange(start, end, 1.0), end)     # the last plot's own moment too: 50 m at a drone's speed
    latitude, longitude = (np.interp(times, target.time_s, values) for values in (target.lat_deg, target.lon_deg))
    distance = signed_distance(territory, np.radians(latitude), np.radians(longitude)).signed_distance_m
    inside = distance < 0.0
    crossed = np.flatnonzero(inside[1:] & ~inside[:-1])
    share = distance[crossed] / (distance[crossed] - distance[crossed + 1])
    away = signed_distance(territory, np.radians(track.lat_deg[seen]), np.radians(track.lon_deg[seen])).signed_distance_m
    return _Told(judged, float(distance.min()), bool(inside.any()), bool(inside[0]),
                 tuple((times[crossed] + share).tolist()), int(np.count_nonzero(np.abs(away) < rules.near_m)))


def followed_by(objects: Sequence[Path], tracks: Sequence[Path], rules: Rules) -> dict[str, int]:
    """Return the object (index) that each track followed; tracks that followed none are missing."""
    if not tracks or not objects:
        return {}
    votes: dict[str, dict[int, int]] = {}
    lives: dict[str, int] = {}
    pairs: dict[int, int] = {}
    first = min(float(track.time_s[0]) for track in tracks)
    last = max(float(track.time_s[-1]) for track in tracks)
    for instant in np.arange(first, last + rules.step_s, rules.step_s).tolist():
        live = {k: place for k, track in enumerate(tracks) if (place := _at(track, instant, rules.age_s_max)) is not None}
        there = {k: place for k, each in enumerate(objects) if (place := _at(each, instant, math.inf)) is not None}
        for k in live:
            lives[tracks[k].name] = lives.get(tracks[k].name, 0) + 1
        away = {(o, t): _away_m(there[o], live[t]) for o in there for t in live}
        pairs = {o: t for o, t in pairs.items() if away.get((o, t), np.inf) <= rules.cutoff_m}
        taken = set(pairs.values())
        for (o, t), distance in sorted(away.items(), key=lambda item: item[1]):
            if distance <= rules.cutoff_m and o not in pairs and t not in taken:
                pairs[o] = t
                taken.add(t)
        for o, t in pairs.items():
            mine = votes.setdefault(tracks[t].name, {})
            mine[o] = mine.get(o, 0) + 1
    result = {}
    for name, mine in votes.items():
        best = max(mine, key=lambda o: (mine[o], -o))
        if 2 * mine[best] >= lives[name]:
            result[name] = best
    return result


def _at(track: Path, instant: float, age_s_max: float) -> tuple[float, float] | None:
    """Return where a track is, between its rows straight; None outside its life, or where they are too far apart."""
    row = int(np.searchsorted(track.time_s, instant, side="right"))
    if not track.time_s[0] <= instant <= track.time_s[-1]:
        return None
    if 0 < row < len(track.time_s) and track.time_s[row] - track.time_s[row - 1] > age_s_max:
        return None
    return float(np.interp(instant, track.time_s, track.lat_deg)), float(np.interp(instant, track.time_s, track.lon_deg))


def _away_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    meridian, prime = curvature_radii_m(np.radians(one[0]))
    return float(np.hypot(np.radians(one[0] - other[0]) * meridian,
                          np.radians(one[1] - other[1]) * prime * np.cos(np.radians(one[0]))))
