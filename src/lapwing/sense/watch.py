"""The watch over the sensors themselves: who is silent, whose clock is off, whom not to believe for now.

* outage: nothing heard for 1.5 turns of a rotating sensor, or three beats of one that sends a heartbeat (CAT019, 023, 063,
  065); said once, and once when it is back;
* delay: reception less time of applicability, its least and usual value; a usual delay below zero is a clock that is ahead;
* quarantine: a source of whose plots in a minute at least 20 and more than half cannot be true (wrong place, wrong time,
  impossible motion). Its plots are refused, and judged on, until three minutes with hardly a false one have passed or a
  person lifts it. Whatever a person decides stands for an hour.

All of it is said as refusals rows (reasons ``sensor_outage``, ``sensor_back``, ``clock_off``, ``quarantine_begun``,
``quarantine_lifted``, ``quarantined``) and in `health`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lapwing.model.sensed import SensorHealth
from lapwing.model.sensors import RADAR, SURFACE, Sensor
from lapwing.model.times import NS_PER_S
from lapwing.sense.coverage import Reach
from lapwing.sense.kernels_batch import groups, middles_of, newest_of
from lapwing.sense.sensor_columns import columns_of
from lapwing.sense.work import Work

TURNS_SILENT, BEATS_SILENT = 1.5, 3.0
GRACE_S = 0.5                    # batches and networks are not to the millisecond
WINDOW_NS = 60 * NS_PER_S
LIES_MIN, LIES_SHARE = 20, 0.5
LIFT_NS, LIFT_SHARE, LIFT_MIN = 180 * NS_PER_S, 0.05, 20
HUMAN_NS = 3_600 * NS_PER_S
CLOCK_AHEAD_S, CLOCK_LATE_S = -0.2, 5.0      # usual delay outside nominal latency by so much: said once
SMOOTH = 0.05


@dataclass(frozen=True, slots=True)
class Trust:
    """How a source did: in this window, and whether it is shut out."""

    since_ns: int                # begin of the window
    good: int = 0
    bad: int = 0
    shut_ns: int = 0             # when it was shut out; 0: it is not
    why: str = ""
    human_ns: int = 0            # when a person decided; 0: nobody did


@dataclass(frozen=True, slots=True)
class Delay:
    """Reception less time of applicability of one sensor, seconds."""

    usual_s: float
    least_s: float
    count: int


def note_heard(work: Work, index: int, received_ns: int) -> None:
    """Remember that a sensor was heard."""
    heard = work.own("heard")
    heard[index] = max(received_ns, heard.get(index, received_ns))


def note_beat(work: Work, index: int, at_ns: int) -> None:
    """Take a heartbeat: its usual period is learnt."""
    beats = work.own("beats")
    last, period = beats.get(index, (at_ns, math.nan))
    gap = (at_ns - last) / NS_PER_S
    if 0.2 < gap < 120.0:
        period = gap if math.isnan(period) else period + 0.2 * (gap - period)
    beats[index] = (max(at_ns, last), period)


def close_step(work: Work, now_ns: int) -> None:
    """Take the step's tallies into the memory, and say what changed."""
    _delays(work)
    if work.lies or work.truths:
        _trust(work, now_ns)
    _outages(work, now_ns)


def _say(work: Work, sensor_id: str, reason: str, detail: str) -> None:
    work.refusals.add(reason, sensor_id, detail, sensor_id)


def _delays(work: Work) -> None:
    if not work.delay_ns:
        return
    delays = work.own("delays")
    for index, behind in work.delay_ns:
        met, group = groups(index)
        middles, leasts, counts = (np.empty(len(met), np.int64) for _ in range(3))
        newest_of(group, behind, middles, counts)
        middles_of(group, behind, counts, middles, leasts)
        for row, middle_ns, least_ns, count in zip(met, middles.tolist(), leasts.tolist(), counts.tolist(), strict=True):
            middle, least = middle_ns / NS_PER_S, least_ns / NS_PER_S
            known = delays.get(row)
            if known is None:
                known = Delay(middle, least, 0)
            # The least value creeps up slowly: a clock that is set right shows within some minutes.
            low = min(least, known.least_s + 0.002 * (known.usual_s - known.least_s))
            known = Delay(known.usual_s + SMOOTH * (middle - known.usual_s), low, known.count + count)
            delays[row] = known
            _clock(work, row, known)


def _clock(work: Work, row: int, delay: Delay) -> None:
    sensor = work.sensors.rows[row]
    off = delay.usual_s < CLOCK_AHEAD_S or delay.usual_s > sensor.latency_s + CLOCK_LATE_S
    key = f"clock|{sensor.id}"
    if off and delay.count >= 50 and key not in work.told:
        work.told.add(key)
        words = (f"is {-delay.usual_s:.1f} s ahead" if delay.usual_s < 0.0
                 else f"or its link is {delay.usual_s - sensor.latency_s:.1f} s late")
        _say(work, sensor.id, "clock_off", f"its clock {words}: reports come {delay.usual_s:.2f} s after their time of "
             f"applicability, {sensor.latency_s:.2f} s is nominal; check its time source, or set latency_s")
    elif not off and key in work.told:
        work.told.discard(key)


def period_s(work: Work, row: int, sensor: Sensor) -> float:
    """Return how long a sensor may be silent; NaN for one that reports when there is something."""
    if sensor.kind in (RADAR, SURFACE):
        turn = sensor.rotation_s if math.isfinite(sensor.rotation_s) else work.rotation_s.get(row, math.nan)
        return TURNS_SILENT * turn + GRACE_S
    beat = work.memory.get("beats", {}).get(row)
    return math.nan if beat is None else BEATS_SILENT * beat[1] + GRACE_S


def _outages(work: Work, now_ns: int) -> None:
    heard, silent = work.memory.get("heard", {}), work.memory.get("silent", {})
    for row, last in heard.items():
        sensor = work.sensors.rows[row]
        quiet_s = (now_ns - last) / NS_PER_S
        if row in silent:
            if last > silent[row]:
                begun = work.own("silent").pop(row)
                _say(work, sensor.id, "sensor_back", f"heard again after {(last - begun) / NS_PER_S:.1f} s")
        elif quiet_s > 2.0 * GRACE_S and quiet_s > period_s(work, row, sensor):
            work.own("silent")[row] = last
            _say(work, sensor.id, "sensor_outage", f"no data from {sensor.id} for {quiet_s:.1f} s (usual gap "
                 f"{(period_s(work, row, sensor) - GRACE_S) / TURNS_SILENT:.1f} s); its tracks coast and its area is blind")


def _trust(work: Work, now_ns: int) -> None:
    trusts = work.own("trust")
    for row in sorted(set(work.lies) | set(work.truths)):
        trust = trusts.get(row, Trust(now_ns))
        trust = Trust(trust.since_ns, trust.good + work.truths.get(row, 0), trust.bad + work.lies.get(row, 0), trust.shut_ns,
                      trust.why, trust.human_ns)
        decided = trust.human_ns and now_ns - trust.human_ns < HUMAN_NS
        share = trust.bad / max(1, trust.good + trust.bad)
        sensor = work.sensors.rows[row]
        if trust.shut_ns:
            if now_ns - trust.since_ns >= LIFT_NS:
                if not decided and share <= LIFT_SHARE and trust.good >= LIFT_MIN:
                    _say(work, sensor.id, "quarantine_lifted", f"{trust.good} plots in three minutes, {trust.bad} not to be "
                         "believed: its plots are used again")
                    trust = Trust(now_ns)
                else:
                    trust = Trust(now_ns, 0, 0, trust.shut_ns, trust.why, trust.human_ns)
        elif not decided and trust.bad >= LIES_MIN and share > LIES_SHARE:
            why = f"{trust.bad} of {trust.good + trust.bad} plots within a minute cannot be true"
            _say(work, sensor.id, "quarantine_begun", f"{why}: its plots are not used until it is sound for three minutes, or "
                 f"`lapwing log sensor lift --sensor {sensor.id}`")
            trust = Trust(now_ns, 0, 0, now_ns, why)
        elif now_ns - trust.since_ns >= WINDOW_NS:
            trust = Trust(now_ns, 0, 0, 0, "", trust.human_ns)
        trusts[row] = trust


def order(work: Work, sensor_id: str, lift: bool, by: str, time_ns: int) -> bool:
    """Take a person's order on a sensor; False where there is none of that name."""
    row = work.sensors.index_of(sensor_id)
    if row < 0:
        return False
    trusts = work.own("trust")
    if lift:
        trusts[row] = Trust(time_ns, human_ns=time_ns)
        _say(work, sensor_id, "quarantine_lifted", f"lifted by {by}: its plots are used again")
    else:
        trusts[row] = Trust(time_ns, 0, 0, time_ns, f"by {by}", time_ns)
        _say(work, sensor_id, "quarantine_begun", f"ordered by {by}: its plots are not used until it is lifted")
    return True


def is_shut(work: Work, row: int) -> bool:
    """Whether a sensor's plots are shut out."""
    trust = work.memory.get("trust", {}).get(row)
    return trust is not None and trust.shut_ns > 0


def health(work: Work, now_ns: int) -> tuple[SensorHealth, ...]:
    """Return the state of every sensor of the table, in its order."""
    memory: dict[str, dict[int, Any]] = work.memory
    heard, delays, silent = memory.get("heard", {}), memory.get("delays", {}), memory.get("silent", {})
    trusts, status, reaches = memory.get("trust", {}), memory.get("status", {}), memory.get("reach", {})
    allowed_m = columns_of(work.sensors.rows).reach_m
    rows = []
    for row, sensor in enumerate(work.sensors.rows):
        last, delay, trust = heard.get(row, 0), delays.get(row), trusts.get(row)
        shut = trust is not None and trust.shut_ns > 0
        state = ("never_heard" if not last else "quarantined" if shut else "silent" if row in silent
                 else "degraded" if status.get(row) else "reports")
        reach: Reach | None = reaches.get(row)
        rows.append(SensorHealth(
            sensor.id, state, last, work.rotation_s.get(row, sensor.rotation_s),
            delay.usual_s if delay else math.nan, delay.least_s if delay else math.nan,
            trust.why if trust is not None and shut else status.get(row, ""),
            *((reach.farthest_m, float(allowed_m[row]), reach.share) if reach is not None else ())))
    return tuple(rows)
