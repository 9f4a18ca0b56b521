"""How well tracks follow truth: GOSPA, switches, time to confirm, false tracks, completeness, consistency (NEES).

The rules, at instants `step_s` apart:

* A confirmed track counts while its newest usable row (emitted by then, not of the future) is at most `age_s_max` old;
  it is carried on from that row at constant velocity. Rows before its first confirmed one do not count.
* An object is demanded while in play and not of an ignored class (birds). Tracks on objects that are not demanded
  neither help nor harm; an object that has just ended is such a one for `age_s_max`.
* GOSPA (order 2, alpha 2): root of the sum of squared distances of the optimal assignment and half the squared cut-off
  for every missed object and every false track (Rahmathullah et al. 2017, "Generalized optimal sub-pattern assignment").
* Identity: an object keeps its track while that lies within the cut-off; the rest are assigned anew. A change is a
  switch, a return to the same track after a gap a fragment.
* A false track spends under half of its life within the cut-off of any object.

The optimal assignment is SciPy's, from the extra ``test``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from lapwing.geo.wgs84 import curvature_radii_m
from lapwing.model.errors import InputError

Floats = npt.NDArray[np.float64]
IGNORED = ("bird",)
UPDATES_MIN = 20            # of a track whose consistency is judged


@dataclass(frozen=True, slots=True)
class Rules:
    """How a run is scored."""

    step_s: float = 5.0
    cutoff_m: float = 500.0
    age_s_max: float = 15.0
    start_s: float | None = None
    end_s: float | None = None


@dataclass(frozen=True, slots=True)
class Path:
    """One object or track. Times in seconds since 1970, degrees, metres a second; rows in order."""

    name: str
    class_name: str              # of an object; "" of a track
    time_s: Floats
    usable_s: Floats             # when the row may be used (emitted); the time itself for objects
    lat_deg: Floats
    lon_deg: Floats
    east_mps: Floats
    north_mps: Floats
    in_play: npt.NDArray[np.bool_]
    cov_m2: Floats = field(default_factory=lambda: np.zeros((0, 3)))   # ee, en, nn; empty where not given


@dataclass(slots=True)
class _Identity:
    """What is remembered of one demanded object between instants."""

    demanded_s: float = math.nan
    first_s: float = math.nan
    track: str = ""
    on: bool = True
    switches: int = 0
    fragments: int = 0


def distances_m(lat1: Floats, lon1: Floats, lat2: Floats, lon2: Floats) -> Floats:
    """Return (n, m) horizontal distances, degrees in; by local radii at the middle latitude: good to 0.1 % at 10 km."""
    middle = np.radians(0.5 * (lat1[:, None] + lat2[None]))
    meridian, normal = curvature_radii_m(middle)
    dlon = np.remainder(lon1[:, None] - lon2[None] + 180.0, 360.0) - 180.0
    return np.hypot(np.radians(lat1[:, None] - lat2[None]) * meridian, np.radians(dlon) * normal * np.cos(middle))


def score(objects: list[Path], tracks: list[Path], rules: Rules) -> dict[str, Any]:
    """Return the figures by name. Tracks must hold rows from their first confirmed one on only."""
    assign = _assignment()
    begins = [p.time_s[0] for p in (*objects, *tracks)]
    ends = [p.time_s[-1] for p in (*objects, *tracks)]
    start = rules.start_s if rules.start_s is not None else min(begins, default=0.0)
    end = rules.end_s if rules.end_s is not None else max(ends, default=0.0)
    instants = np.arange(math.ceil(start / rules.step_s) * rules.step_s, end + 1e-6, rules.step_s)
    tally = _Tally(rules)
    for instant in instants.tolist():
        tally.take(instant, _objects_at(objects, instant, rules.age_s_max), _tracks_at(tracks, instant, rules.age_s_max),
                   assign)
    figures = tally.figures(len(instants), max(end - start, 1e-9) / 3600.0)
    figures["nees"] = consistency(objects, tracks, rules.cutoff_m)
    return figures


@dataclass(frozen=True, slots=True)
class _Scene:
    names: list[str]
    classes: list[str]
    lat: Floats
    lon: Floats
    demanded: npt.NDArray[np.bool_]


def _carried(lat: float, lon: float, east: float, north: float, seconds: float) -> tuple[float, float]:
    meridian, normal = curvature_radii_m(np.array([math.radians(lat)]))
    return (lat + math.degrees(north * seconds / float(meridian[0])),
            lon + math.degrees(east * seconds / (float(normal[0]) * math.cos(math.radians(lat)))))


def _objects_at(objects: list[Path], instant: float, grace_s: float) -> _Scene:
    names, classes, places, demanded = [], [], [], []
    for one in objects:
        if instant < one.time_s[0] or instant > one.time_s[-1] + grace_s:
            continue
        k = max(int(np.searchsorted(one.time_s, instant, "right")) - 1, 0)
        if instant > one.time_s[-1]:
            place = _carried(one.lat_deg[-1], one.lon_deg[-1], one.east_mps[-1], one.north_mps[-1],
                             instant - one.time_s[-1])
            wanted = False
        else:
            j = min(k + 1, len(one.time_s) - 1)
            share = 0.0 if j == k else (instant - one.time_s[k]) / (one.time_s[j] - one.time_s[k])
            place = (one.lat_deg[k] + share * (one.lat_deg[j] - one.lat_deg[k]),
                     one.lon_deg[k] + share * (one.lon_deg[j] - one.lon_deg[k]))
            wanted = bool(one.in_play[k]) and one.class_name not in IGNORED
        names.append(one.name)
        classes.append(one.class_name)
        places.append(place)
        demanded.append(wanted)
    lat, lon = np.array(places, np.float64).reshape(-1, 2).T
    return _Scene(names, classes, lat, lon, np.array(demanded, np.bool_))


def _tracks_at(tracks: list[Path], instant: float, age_s_max: float) -> _Scene:
    names, places = [], []
    for one in tracks:
        k = int(np.searchsorted(one.usable_s, instant, "right")) - 1
        while k >= 0 and one.time_s[k] > instant + 1e-6:
            k -= 1
        if k < 0 or instant - one.time_s[k] > age_s_max:
            continue
        names.append(one.name)
        places.append(_carried(one.lat_deg[k], one.lon_deg[k], one.east_mps[k], one.north_mps[k],
                               instant - one.time_s[k]))
    lat, lon = np.array(places, np.float64).reshape(-1, 2).T
    return _Scene(names, [""] * len(names), lat, lon, np.zeros(len(names), np.bool_))


class _Tally:
    """Sums over the instants of one run."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.gospa: list[float] = []
        self.square_sum = 0.0
        self.assigned = self.missed = self.false = self.on_ignored = 0
        self.demanded = self.covered = self.covering = self.track_points = self.spurious = 0
        self.identities: dict[str, _Identity] = {}
        self.classes: dict[str, str] = {}
        self.life: dict[str, int] = {}
        self.on_object: dict[str, int] = {}

    def take(self, instant: float, objects: _Scene, tracks: _Scene, assign: Any) -> None:
        """Count one instant."""
        cutoff = self.rules.cutoff_m
        apart = distances_m(objects.lat, objects.lon, tracks.lat, tracks.lon)
        nearest = apart.min(axis=0, initial=np.inf)
        for name, near in zip(tracks.names, (nearest < cutoff).tolist(), strict=True):
            self.life[name] = self.life.get(name, 0) + 1
            self.on_object[name] = self.on_object.get(name, 0) + int(near)
        wanted = np.flatnonzero(objects.demanded)
        self._gospa(apart, wanted, np.flatnonzero(~objects.demanded), assign)
        within = apart[wanted] < cutoff
        self.demanded += len(wanted)
        self.covered += int(within.any(axis=1).sum())
        self.covering += int(within.any(axis=0).sum()) if len(wanted) else 0
        self.track_points += len(tracks.names)
        self.spurious += int((nearest >= cutoff).sum())
        self._identify(instant, objects, tracks, apart, wanted, assign)

    def _gospa(self, apart: Floats, wanted: npt.NDArray[np.intp], others: npt.NDArray[np.intp], assign: Any) -> None:
        cutoff = self.rules.cutoff_m
        used = np.zeros(apart.shape[1], np.bool_)
        rows, columns = assign(np.minimum(apart[wanted], cutoff) ** 2)
        close = apart[wanted[rows], columns] < cutoff
        squares = float((apart[wanted[rows], columns][close] ** 2).sum())
        used[columns[close]] = True
        found = int(close.sum())
        left = np.flatnonzero(~used)
        rows, columns = assign(np.minimum(apart[np.ix_(others, left)], cutoff))
        on = apart[others[rows], left[columns]] < cutoff
        used[left[columns[on]]] = True
        missed, false = len(wanted) - found, int((~used).sum())
        self.gospa.append(math.sqrt(squares + cutoff**2 / 2 * (missed + false)))
        self.square_sum += squares
        self.assigned += found
        self.missed += missed
        self.false += false
        self.on_ignored += int(on.sum())

    def _identify(self, instant: float, objects: _Scene, tracks: _Scene, apart: Floats, wanted: npt.NDArray[np.intp],
                  assign: Any) -> None:
        cutoff, place = self.rules.cutoff_m, {name: k for k, name in enumerate(tracks.names)}
        match: dict[int, int] = {}
        for row in wanted.tolist():
            identity = self.identities.setdefault(objects.names[row], _Identity(demanded_s=instant))
            self.classes[objects.names[row]] = objects.classes[row]
            kept = place.get(identity.track, -1)
            if kept >= 0 and kept not in match.values() and apart[row, kept] < cutoff:
                match[row] = kept
        rows = np.array([r for r in wanted.tolist() if r not in match], np.intp)
        free = np.array([k for k in range(len(tracks.names)) if k not in match.values()], np.intp)
        for a, b in zip(*assign(np.minimum(apart[np.ix_(rows, free)], cutoff)), strict=True):
            if apart[rows[a], free[b]] < cutoff:
                match[int(rows[a])] = int(free[b])
        for row in wanted.tolist():
            identity = self.identities[objects.names[row]]
            if row not in match:
                identity.on = identity.on and not identity.track
                continue
            name = tracks.names[match[row]]
            if not identity.track:
                identity.first_s = instant
            elif identity.track != name:
                identity.switches += 1
            elif not identity.on:
                identity.fragments += 1
            identity.track, identity.on = name, True

    def figures(self, instants: int, hours: float) -> dict[str, Any]:
        """Return the figures of the run."""
        gospa, n, cost = np.array(self.gospa or [0.0]), max(instants, 1), self.rules.cutoff_m**2 / 2
        false = [name for name in self.life if self.on_object[name] < 0.5 * self.life[name]]
        delays = {name: one.first_s - one.demanded_s for name, one in self.identities.items() if one.track}
        by_class: dict[str, list[float | None]] = {}
        for name in self.identities:
            by_class.setdefault(self.classes[name], []).append(delays.get(name))
        values = np.array(sorted(delays.values()))
        return {
            "instants": instants, "hours": round(hours, 4), "targets": len(self.identities),
            "never_tracked": len(self.identities) - len(delays), "confirmed_tracks": len(self.life),
            "gospa_mean": float(gospa.mean()), "gospa_rms": float(np.sqrt((gospa**2).mean())),
            "gospa2_parts_mean": {"localisation": self.square_sum / n, "missed": self.missed / n * cost,
                                  "false": self.false / n * cost},
            "mean_missed": self.missed / n, "mean_false": self.false / n,
            "localisation_rmse_m": math.sqrt(self.square_sum / self.assigned) if self.assigned else None,
            "id_switches": sum(one.switches for one in self.identities.values()),
            "fragments": sum(one.fragments for one in self.identities.values()),
            "targets_with_a_switch": sum(one.switches > 0 for one in self.identities.values()),
            "time_to_confirm_s": {
                "median": float(np.median(values)), "mean": float(values.mean()),
                "p90": float(np.percentile(values, 90)), "max": float(values.max())} if len(values) else None,
            "time_to_confirm_by_class": {name: _summary(of) for name, of in sorted(by_class.items())},
            "false_tracks": len(false), "false_tracks_per_h": len(false) / hours,
            "mean_false_track_life_s":
                float(np.mean([self.life[name] for name in false]) * self.rules.step_s) if false else 0.0,
            "siap": {"completeness": self.covered / self.demanded if self.demanded else None,
                     "ambiguity": self.covering / self.covered if self.covered else None,
                     "spuriousness": self.spurious / self.track_points if self.track_points else None},
            "track_points_on_ignored_truth": self.on_ignored,
        }


def _summary(delays: list[float | None]) -> dict[str, Any]:
    found = [value for value in delays if value is not None]
    return {"n": len(delays), "found": len(found), "median": float(np.median(found)) if found else None}


def consistency(objects: list[Path], tracks: list[Path], cutoff_m: float) -> dict[str, Any]:
    """Return how the horizontal errors fit the stated covariance.

    A track is judged against the object it is nearest to most of the time, at its rows within the cut-off; NEES is the
    time mean of e' P^-1 e, 2 when right. Inside: within the 95 % chi-square band of as many independent rows as there are
    rows (`inside_95_share`), and of as many as the errors' own correlation leaves (`inside_95_share_correlated`, and the
    median of their share of the rows).
    """
    means, inside, honest, shares = [], 0, 0, []
    for track in tracks:
        if len(track.time_s) < UPDATES_MIN or len(track.cov_m2) != len(track.time_s):
            continue
        best = _errors(objects, track, cutoff_m)
        if len(best) < UPDATES_MIN:
            continue
        white = _white(best)
        mean, rows = float((white**2).sum(axis=1).mean()), independent_rows(white)
        means.append(mean)
        shares.append(rows / len(best))
        inside += _in_band(mean, float(len(best)))
        honest += _in_band(mean, rows)
    count = len(means)
    return {"tracks": count, "median": float(np.median(means)) if means else None,
            "inside_95_share": inside / count if means else None,
            "inside_95_share_correlated": honest / count if means else None,
            "independent_rows_share": float(np.median(shares)) if means else None}


def independent_rows(white: Floats) -> float:
    """Return how many independent rows tell as much of the mean square as these (n, 2) errors of unit variance, 1 at least.

    The mean of n squares of a Gaussian series with correlation r_k scatters as that of n / (1 + 2 sum r_k^2) independent ones. The
    correlation is about 0, not about the mean: an error that stays is no less an error. Lags end where it is lost in its own noise.
    """
    n = len(white)
    total, power = 0.0, float((white**2).sum()) / n
    for lag in range(1, n // 2):
        correlation = float((white[lag:] * white[:-lag]).sum()) / (n - lag) / max(power, 1e-12)
        if correlation < 2.0 / math.sqrt(2.0 * n):
            break
        total += min(correlation, 1.0) ** 2
    return max(n / (1.0 + 2.0 * total), 1.0)


def _white(errors: Floats) -> Floats:
    """Return (n, 2): errors in units of their own stated covariance (its Cholesky root taken off)."""
    ee, en, nn = errors[:, 2], errors[:, 3], errors[:, 4]
    root = np.sqrt(ee)
    first = errors[:, 0] / root
    second = (errors[:, 1] - en / root * first) / np.sqrt(np.maximum(nn - en**2 / ee, 1e-9))
    return np.column_stack((first, second))


def _in_band(mean: float, rows: float) -> bool:
    """Return whether a mean of 2-degree chi-squares over so many independent rows lies in its 95 % band (SciPy's quantiles)."""
    from scipy.special import chdtri

    low, high = (float(chdtri(2.0 * rows, tail)) / rows for tail in (0.975, 0.025))
    return low <= mean <= high


def _errors(objects: list[Path], track: Path, cutoff_m: float) -> Floats:
    """Return (n, 5): east, north error and covariance at the rows where the track's main object is within the cut-off."""
    best = np.zeros((0, 5))
    for one in objects:
        inside = np.flatnonzero((track.time_s >= one.time_s[0]) & (track.time_s <= one.time_s[-1]))
        if len(inside) <= len(best):
            continue
        lat = np.interp(track.time_s[inside], one.time_s, one.lat_deg)
        lon = np.interp(track.time_s[inside], one.time_s, one.lon_deg)
        meridian, normal = curvature_radii_m(np.radians(lat))
        north = np.radians(track.lat_deg[inside] - lat) * meridian
        east = np.radians(track.lon_deg[inside] - lon) * normal * np.cos(np.radians(lat))
        near = np.hypot(east, north) < cutoff_m
        if near.sum() > len(best):
            best = np.column_stack((east[near], north[near], track.cov_m2[inside[near]]))
    return best


def _assignment() -> Any:
    """Return SciPy's solver, made to take empty matrices."""
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError:
        raise InputError("SciPy is not installed", where="lapwing score",
                         remedy="install the extra: pip install 'lapwing[test]'") from None

    def assign(cost: Floats) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        if not cost.size:
            return np.zeros(0, np.intp), np.zeros(0, np.intp)
        rows, columns = linear_sum_assignment(cost)
        return np.asarray(rows, np.intp), np.asarray(columns, np.intp)

    return assign
