"""The safety net: an alarm before an object enters a watched volume, modelled on the area proximity warning of air traffic control.

The chain is that of such nets: *eligibility* (objects under judgement, seen often and well enough, that are more probably
aircraft than not), *volume test* and *prediction filters* (`net_conflicts`), *confirmation* (k of the last n looks; at once
where it came in or the time is short), and *hysteresis* (an alarm stands until it has not been shown for a while, by wider
measures). A look is a step in which the object got a plot: what is only carried on confirms and ends nothing.

Amber: one of the four flights tried meets the volume, and it would be near within `amber_s`. Red: two do, within `red_s`;
or it is inside. An alarm whose track is lost ends as "lost", which is no all clear.

Guide: EUROCONTROL Guidelines for Area Proximity Warning, parts I and III; the numbers and the four flights are ours.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from lapwing.country.volumes import Volume
from lapwing.judge.net_conflicts import Conflicts, Looks, conflicts
from lapwing.judge.net_settings import NetSettings
from lapwing.model.alarms import AMBER, CHANGED, ENDED, RAISED, RED, Alarm
from lapwing.model.times import NS_PER_S
from lapwing.model.tracks import CLASSES, Tracks
from lapwing.model.verdicts import BorderStates

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

HARMLESS = ("balloon", "bird", "weather", "surface")
_HARMLESS = [CLASSES.index(name) for name in HARMLESS]
_NONE, _AMBER, _RED = range(3)
_LEVELS = ("", AMBER, RED)
_BITS = (1 << 16) - 1
NUMBER_MAX = 65_535


@dataclass(frozen=True, slots=True)
class Watch:
    """What is remembered of one object and one volume. Bits: the newest look lowest."""

    amber_bits: int = 0
    red_bits: int = 0
    amber_ns: int = 0             # last look that showed it, by the wider measures
    red_ns: int = 0
    was_outside: bool = False
    was_inside: bool = False
    fast: bool = False            # faster than birds fly, at some look
    alarm: Alarm | None = None    # as last told


@dataclass(frozen=True, slots=True)
class NetState:
    """The memory of the net, by track and code of the volume."""

    watches: dict[tuple[str, str], Watch] = field(default_factory=dict)
    raised: dict[tuple[str, str], int] = field(default_factory=dict)    # how many alarms of living tracks had been raised
    last_number: int = 0


def eligible(tracks: Tracks, judged: Bools, alarming: Collection[str], settings: NetSettings) -> Bools:
    """Return which tracks may alarm; what `alarming` tracks may still do is measured more widely."""
    limit = np.array([settings.harmless_keep_prob if track_id in alarming else settings.harmless_prob for track_id in tracks.track_id])
    return np.asarray(judged & tracks.confirmed & ~tracks.cooperative & (tracks.plot_count >= settings.plots_min)
                      & (tracks.class_prob[:, _HARMLESS].sum(axis=1) < limit), np.bool_)


def looks_of(tracks: Tracks, entry_prob: Floats, rows: npt.NDArray[np.intp]) -> Looks:
    """Return rows of tracks as looks."""
    return Looks(
        track_id=tuple(tracks.track_id[row] for row in rows.tolist()), time_ns=tracks.time_ns[rows],
        latitude_rad=tracks.latitude_rad[rows], longitude_rad=tracks.longitude_rad[rows], height_m=tracks.height_m[rows],
        height_m_sigma=tracks.height_m_sigma[rows], velocity_mps=np.ascontiguousarray(tracks.velocity_mps[rows]),
        position_cov_m2=tracks.state_cov[rows, :2, :2] + tracks.bias_cov_m2[rows], velocity_cov=tracks.state_cov[rows, 2:, 2:],
        turn_rate_radps=tracks.turn_rate_radps[rows], entry_prob=entry_prob[rows],
        mode3a=tracks.mode3a[rows], callsign=tracks.callsign[rows])


def step(state: NetState, tracks: Tracks, states: BorderStates, volumes: Sequence[Volume], now_ns: int,
         settings: NetSettings) -> tuple[NetState, tuple[Alarm, ...]]:
    """Return the alarms that are raised, changed or ended by one step of the tracker.

    Traffic, which is not judged, does not alarm; of the own airspace the forecast is asked as well.
    """
    may = eligible(tracks, states.judged, {key[0] for key, watch in state.watches.items() if watch.alarm is not None}, settings)
    rows = np.flatnonzero(may & tracks.updated)
    alarms: list[Alarm] = []
    if len(rows):
        state, alarms = take(state, looks_of(tracks, states.entry_10_prob, rows), volumes, settings)
    if not state.watches and not state.raised:
        return state, tuple(alarms)
    living = dict(zip(tracks.track_id, may.tolist(), strict=True))
    state, gone = without_gone(state, living, now_ns)
    return state, (*alarms, *gone)


def take(state: NetState, looks: Looks, volumes: Sequence[Volume], settings: NetSettings) -> tuple[NetState, list[Alarm]]:
    """Return the state and alarms after looks at eligible objects, in order of time."""
    watches, raised, number = dict(state.watches), dict(state.raised), state.last_number
    alarms: list[Alarm] = []
    for volume in volumes:
        found = conflicts(looks, volume, settings)
        unlikely = looks.entry_prob < settings.entry_prob if volume.forecast else np.zeros(len(looks), np.bool_)
        amber, red = _shown(found, unlikely, settings, 1.0)
        kept_amber, kept_red = _shown(found, unlikely & False, settings, settings.keep_factor)
        fast = np.hypot(looks.velocity_mps[:, 0], looks.velocity_mps[:, 1]) >= settings.slow_mps
        for row, track_id in enumerate(looks.track_id):
            key = (track_id, volume.code)
            known = watches.get(key)
            if (known is None and not amber[row]) or found.border_m_sigma[row] > settings.border_m_sigma_max:
                continue
            watch = _watched(known or Watch(), (amber[row], red[row], kept_amber[row], kept_red[row], bool(fast[row])),
                             int(looks.time_ns[row]), found, row, settings)
            level, at_once = _level(watch, int(looks.time_ns[row]), _at_once(watch, found, row, settings), settings)
            before = _LEVELS.index(watch.alarm.level) if watch.alarm else _NONE
            if level != before or (watch.alarm is not None and watch.alarm.cause != "inside" and bool(found.inside[row])
                                   and level == _RED):
                if before == _NONE:
                    raised[key] = raised.get(key, 0) + 1
                    number = number % NUMBER_MAX + 1
                alarm = _told(watch, looks, found, row, volume, level, at_once, f"{track_id}/{volume.code}/{raised.get(key, 1)}",
                              number, settings)
                alarms.append(alarm)
                watch = replace(watch, alarm=alarm if level else None, was_inside=watch.was_inside and level != _NONE)
            if watch.alarm is None and not watch.amber_bits and not watch.was_outside:
                watches.pop(key, None)
            else:
                watches[key] = watch
    return NetState(watches, raised, number), alarms


def _shown(found: Conflicts, unlikely: Bools, settings: NetSettings, factor: float) -> tuple[list[bool], list[bool]]:
    """Return which rows show an amber and a red conflict; a factor over 1: by the wider measures that keep an alarm."""
    least = settings.flights_red if factor <= 1.0 else 1
    # Near is not enough: a flight along the line is near for long and inside late.
    amber = found.inside | ((found.meets >= 1) & (found.near_s <= settings.amber_s * factor)
                            & (found.earliest_s <= settings.inside_s * factor))
    red = found.inside | ((found.meets >= least) & (found.near_s <= settings.red_s * factor)
                          & (found.nominal_s <= settings.inside_s * factor) & ~unlikely)
    return amber.tolist(), red.tolist()


def _at_once(watch: Watch, found: Conflicts, row: int, settings: NetSettings) -> bool:
    """Return whether nothing is waited for: it came in, or will be in very soon. What first showed inside is confirmed."""
    if found.inside[row]:
        return bool(watch.was_outside and found.surely_inside[row])
    return bool(found.meets[row] >= 3 and found.nominal_s[row] <= settings.immediate_s)


def _watched(watch: Watch, shown: tuple[bool, bool, bool, bool, bool], time_ns: int, found: Conflicts, row: int,
             settings: NetSettings) -> Watch:
    """Return the memory after one look; `shown`: amber, red, both by the wider measures, and whether it is fast."""
    amber, red, kept_amber, kept_red, fast = shown
    # One that was inside has not left while it hugs the line.
    hugs = watch.was_inside and float(found.border_m[row]) < settings.leave_m
    inside = bool(found.inside[row])
    return Watch(
        amber_bits=(watch.amber_bits << 1 | amber) & _BITS, red_bits=(watch.red_bits << 1 | red) & _BITS,
        amber_ns=time_ns if kept_amber or hugs else watch.amber_ns, red_ns=time_ns if kept_red or hugs else watch.red_ns,
        was_outside=watch.was_outside or not inside, was_inside=watch.was_inside or inside, fast=watch.fast or fast,
        alarm=watch.alarm)


def _level(watch: Watch, time_ns: int, at_once: bool, settings: NetSettings) -> tuple[int, bool]:
    """Return the level that is due, and whether it is without confirmation."""
    before = _LEVELS.index(watch.alarm.level) if watch.alarm else _NONE
    if not (watch.was_outside or watch.fast):
        return before, False
    newest, held_ns = (1 << settings.confirm_of) - 1, round(settings.release_s * NS_PER_S)
    red = bool(watch.red_bits & 1) and (watch.red_bits & newest).bit_count() >= settings.confirm_count
    if red or at_once or (before == _RED and time_ns - watch.red_ns < held_ns):
        return _RED, at_once and not red and before != _RED
    amber = bool(watch.amber_bits & 1) and (watch.amber_bits & newest).bit_count() >= settings.confirm_count
    if amber or (before != _NONE and time_ns - watch.amber_ns < held_ns):
        return _AMBER, False
    return _NONE, False


def _told(watch: Watch, looks: Looks, found: Conflicts, row: int, volume: Volume, level: int, at_once: bool, alarm_id: str,
          number: int, settings: NetSettings) -> Alarm:
    """Return the word on an alarm at one look."""
    old, time_ns = watch.alarm, int(looks.time_ns[row])

    def after(seconds: float) -> int:
        return time_ns + round(seconds * NS_PER_S) if np.isfinite(seconds) else 0

    lead_ns = round(settings.red_s * NS_PER_S)
    speed = max(float(np.hypot(*looks.velocity_mps[row])), 1.0)
    violation = [after(float(values[row])) for values in (found.earliest_s, found.nominal_s, found.latest_s)]
    # Near is this much before inside: the straight way through the belt, as it flies.
    belt_ns = round(min(settings.near_m, max(float(found.border_m[row]), 0.0)) / speed * NS_PER_S)
    due = [max(when - belt_ns - lead_ns, 1) if when else 0 for when in violation]
    inside = bool(found.inside[row])
    cause = "inside" if inside else "turn" if bool(found.cause_turn[row]) else "straight"
    if level == _NONE:
        cause = "left" if watch.was_inside else "averted"
    return Alarm(
        alarm_id=old.alarm_id if old else alarm_id, number=old.number if old else number, track_id=looks.track_id[row],
        volume=volume.code, volume_name=volume.name, level=_LEVELS[level] or (old.level if old else AMBER),
        state=ENDED if level == _NONE else CHANGED if old else RAISED, cause=cause, immediate=at_once, time_ns=time_ns,
        raised_ns=old.raised_ns if old else time_ns, border_m=float(found.border_m[row]),
        border_m_sigma=float(found.border_m_sigma[row]), violation_earliest_ns=violation[0], violation_nominal_ns=violation[1],
        violation_latest_ns=violation[2], due_earliest_ns=due[0], due_nominal_ns=due[1], due_latest_ns=due[2],
        latitude_rad=float(looks.latitude_rad[row]), longitude_rad=float(looks.longitude_rad[row]),
        height_m=float(looks.height_m[row]), velocity_mps=(float(looks.velocity_mps[row, 0]), float(looks.velocity_mps[row, 1])),
        mode3a=int(looks.mode3a[row]), callsign=bytes(looks.callsign[row]).decode("ascii", "replace").strip())


def without_gone(state: NetState, living: Mapping[str, bool], now_ns: int) -> tuple[NetState, tuple[Alarm, ...]]:
    """End the alarms of tracks that are no more (not in `living`), or may not alarm any longer (False there)."""
    watches, alarms = {}, []
    for key, watch in state.watches.items():
        if living.get(key[0]):
            watches[key] = watch
        elif watch.alarm is not None:
            cause = "not_eligible" if key[0] in living else "lost"
            alarms.append(replace(watch.alarm, state=ENDED, cause=cause, immediate=False, time_ns=now_ns, violation_earliest_ns=0,
                                  violation_nominal_ns=0, violation_latest_ns=0))
    raised = {key: count for key, count in state.raised.items() if key[0] in living}
    return NetState(watches, raised, state.last_number), tuple(alarms)
