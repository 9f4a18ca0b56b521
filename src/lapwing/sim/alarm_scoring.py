"""How right the safety net's alarms are: hit, valid alert or nuisance of every red alarm, and the misses.

The rules:

* An alarm is on the object that its track lies nearest to at that moment, within `near_object_m`; else on the one that the
  track followed most of its life (`verdict_scoring.followed_by`). Objects that enter are all but those of
  harmless classes; a red alarm on a harmless object, or on none, is a nuisance and counted by class as well.
* A *hit*: the object is inside when the alarm turns red, or enters within `hit_s`. A *valid alert*: it does not, but
  truth carried on straight from that moment would have entered within `hit_s`. All others are a *nuisance*.
* A *miss*: an object that enters, was tracked before or within `late_s` after, and has no red alarm until `late_s` after
  the entry, or after it was first tracked.
* When the red alarm of an entry was due. Near is `near_m` from the territory. *Latest*: `lead_s` before it comes near,
  where the geometry allows, which is to say where it was tracked and on its way then, else `late_s` after both are true.
  *Nominal*: when it was first on its way for good, truth carried on straight being inside within `lead_s`, the time
  through the belt and twice `late_s`. *Earliest*: twice as long before as nominal. An alarm before earliest is early, after latest late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from lapwing.geo.border import Territory, signed_distance
from lapwing.sim.track_scoring import Path, distances_m
from lapwing.sim.verdict_scoring import Rules as MatchRules
from lapwing.sim.verdict_scoring import followed_by

Floats = npt.NDArray[np.float64]

# Helicopters and fighters of made-up nights are rescue and own patrols, with a transponder that says so.
HARMLESS = ("bird", "balloon", "airliner", "helicopter", "fighter", "weather", "surface")


@dataclass(frozen=True, slots=True)
class Rules:
    """How alarms are scored."""

    hit_s: float = 900.0
    near_m: float = 5_000.0
    lead_s: float = 300.0
    late_s: float = 60.0
    near_object_m: float = 1_000.0
    match: MatchRules = field(default_factory=MatchRules)


@dataclass(frozen=True, slots=True)
class RedAlarm:
    """The moment at which an alarm turned red. Seconds since 1970."""

    alarm_id: str
    track: str
    time_s: float


@dataclass(frozen=True, slots=True)
class Due:
    """When the red alarm of one entry was due. Seconds since 1970."""

    entry_s: float
    earliest_s: float
    nominal_s: float
    latest_s: float
    geometry_allows: bool


def score(objects: Sequence[Path], tracks: Sequence[Path], alarms: Sequence[RedAlarm], territory: Territory,
          rules: Rules) -> dict[str, Any]:
    """Return the figures."""
    followed = followed_by(objects, tracks, rules.match)
    by_name = {track.name: track for track in tracks}
    flown = {index: _Flown(each, territory) for index, each in enumerate(objects) if len(each.time_s) > 1}
    lines, outcomes = [], {"hit": 0, "valid": 0, "nuisance": 0}
    first_red: dict[int, float] = {}
    on_harmless: dict[str, int] = {}
    for alarm in sorted(alarms, key=lambda each: each.time_s):
        index = _on(alarm, by_name[alarm.track], objects, rules) if alarm.track in by_name else None
        index = followed.get(alarm.track) if index is None else index
        outcome, class_name = "nuisance", "nothing"
        if index is not None:
            class_name = objects[index].class_name
            first_red.setdefault(index, alarm.time_s)
            if class_name not in HARMLESS:
                outcome = flown[index].outcome(alarm.time_s, rules.hit_s)
        if index is None or class_name in HARMLESS:
            on_harmless[class_name] = on_harmless.get(class_name, 0) + 1
        outcomes[outcome] += 1
        lines.append({"alarm_id": alarm.alarm_id, "outcome": outcome, "class": class_name,
                      "object": None if index is None else objects[index].name})
    began: dict[int, float] = {}
    for track in tracks:
        if track.name in followed:
            index = followed[track.name]
            began[index] = min(began.get(index, np.inf), float(track.usable_s[0]))
    entries = [(index, due) for index, each in flown.items() if index in began and objects[index].class_name not in HARMLESS
               and (due := each.due(began[index], rules)) is not None]
    missed = [index for index, due in entries
              if first_red.get(index, np.inf) > max(due.entry_s, began[index]) + rules.late_s]
    told = [(first_red[index], due) for index, due in entries if index in first_red]
    late = [red - due.latest_s for red, due in told if red > due.latest_s]
    lead = [due.entry_s - red for red, due in told]
    reds = len(alarms)
    return {
        "entries": len(entries), "missed": len(missed), "missed_objects": [objects[index].name for index in missed],
        "alarmed_share": _share(len(entries) - len(missed), len(entries)),
        "reds": reds, **outcomes, "nuisance_share": _share(outcomes["nuisance"], reds), "reds_on_harmless": on_harmless,
        "geometry_allows": sum(due.geometry_allows for _, due in entries),
        "on_time": len(told) - len(late), "on_time_share": _share(len(told) - len(late), len(entries)),
        "late_s_worst": round(max(late), 1) if late else 0.0,
        "early": sum(red < due.earliest_s for red, due in told),
        "lead_s_median": round(float(np.median(lead)), 1) if lead else None,
        "entries_told": [{"object": objects[index].name, "class": objects[index].class_name, "entry_s": round(due.entry_s, 1),
                          "tracked_s": round(began[index] - due.entry_s, 1), "earliest_s": round(due.earliest_s - due.entry_s, 1),
                          "nominal_s": round(due.nominal_s - due.entry_s, 1), "latest_s": round(due.latest_s - due.entry_s, 1),
                          "red_s": round(first_red[index] - due.entry_s, 1) if index in first_red else None}
                         for index, due in entries],
        "alarms": lines,
    }


def _on(alarm: RedAlarm, track: Path, objects: Sequence[Path], rules: Rules) -> int | None:
    """Return the object nearest to an alarm's track at that moment."""
    best, best_m = None, rules.near_object_m
    lat, lon = (float(np.interp(alarm.time_s, track.time_s, each)) for each in (track.lat_deg, track.lon_deg))
    for index, each in enumerate(objects):
        if each.time_s[0] <= alarm.time_s <= each.time_s[-1]:
            at = [float(np.interp(alarm.time_s, each.time_s, values)) for values in (each.lat_deg, each.lon_deg)]
            away = float(distances_m(np.array([lat]), np.array([lon]), np.array(at[:1]), np.array(at[1:]))[0, 0])
            if away < best_m:
                best, best_m = index, away
    return best


class _Flown:
    """One object's truth beside the territory, a row a second."""

    def __init__(self, path: Path, territory: Territory) -> None:
        self.time_s = np.arange(float(path.time_s[0]), float(path.time_s[-1]) + 0.5, 1.0)
        latitude, longitude = (np.radians(np.interp(self.time_s, path.time_s, each)) for each in (path.lat_deg, path.lon_deg))
        velocity = np.column_stack([np.interp(self.time_s, path.time_s, each) for each in (path.east_mps, path.north_mps)])
        seen = signed_distance(territory, latitude, longitude, np.ascontiguousarray(velocity))
        self.distance_m, self.meeting_s = seen.signed_distance_m, seen.meeting_s
        self.speed_mps = np.maximum(np.hypot(velocity[:, 0], velocity[:, 1]), 1.0)

    def _row(self, time_s: float) -> int:
        return int(np.clip(np.searchsorted(self.time_s, time_s), 0, len(self.time_s) - 1))

    def outcome(self, time_s: float, hit_s: float) -> str:
        """Return what an alarm at this time was."""
        row = self._row(time_s)
        if (self.distance_m[row : self._row(time_s + hit_s) + 1] < 0.0).any():
            return "hit"
        return "valid" if self.meeting_s[row] <= hit_s else "nuisance"

    def due(self, tracked_s: float, rules: Rules) -> Due | None:
        """Return when the alarm of the first entry was due; None where it does not enter, or began inside."""
        inside = np.flatnonzero(self.distance_m < 0.0)
        if not len(inside) or inside[0] == 0:
            return None
        entry = int(inside[0])
        # On its way for good: from here on truth carried on straight is always inside in time.
        belt_s = rules.near_m / self.speed_mps[: entry + 1]
        # On the line itself a flight meets nothing.
        off = np.flatnonzero((self.meeting_s[: entry + 1] > rules.lead_s + belt_s + 2.0 * rules.late_s)
                             & (self.distance_m[: entry + 1] > 1.0))
        nominal = int(off[-1]) + 1 if len(off) else 0
        near = np.flatnonzero(self.distance_m[: entry + 1] <= rules.near_m)
        wanted = float(self.time_s[near[0]]) - rules.lead_s
        nominal_s, entry_s = float(self.time_s[min(nominal, entry)]), float(self.time_s[entry])
        known_s = max(tracked_s, nominal_s) + rules.late_s
        return Due(entry_s, nominal_s - (entry_s - nominal_s), nominal_s, max(wanted, known_s), wanted >= known_s)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
