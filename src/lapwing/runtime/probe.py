"""A synthetic aircraft through the whole chain: proof that the service would see and judge one, not merely that it runs.

Octets of four turns of a made-up radar go through the same decoder, tracker, judge and warner as everything else, with
the site's own country and settings, on a state of their own that is thrown away: nothing of it enters the journal or
the picture. The watchdog is fed only after that.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

import numpy as np

from lapwing import pipeline
from lapwing.model.entries import ASTERIX, Entry
from lapwing.model.sensors import Sensor, SensorTable
from lapwing.model.times import DAY_NS, NS_PER_S
from lapwing.sense.asterix.encode import encode_block

SAC, SIC = 254, 253
TURNS, TURN_S = 6, 4.0
RANGE_NM, STEP_NM = 16.0, 0.3     # at 16 NM, coming nearer at about 140 m/s
NEAR_M = 5_000.0


@dataclass(frozen=True, slots=True)
class Probed:
    """What became of the synthetic plots."""

    ok: bool
    took_s: float
    problem: str = ""


class Probe:
    """Sends one synthetic aircraft after the other through the chain, one turn a call, so that no call takes long.

    Parameters
    ----------
    setup : of the site
    """

    def __init__(self, setup: pipeline.Setup) -> None:
        self._latitude, self._longitude = _place(setup)
        radar = Sensor("probe", sac=SAC, sic=SIC, latitude_rad=self._latitude, longitude_rad=self._longitude, height_m=100.0,
                       rotation_s=TURN_S, categories=(48,))
        self._setup = replace(setup, sense=replace(setup.sense, sensors=SensorTable((radar,)), allow=()))
        self._begin(0)

    def _begin(self, now_ns: int) -> None:
        self._state, self._turn, self._plots, self._took_s, self._start_ns = pipeline.State(), 0, 0, 0.0, now_ns

    def step(self, now_ns: int) -> Probed | None:
        """Send one turn; after the last turn of an aircraft what became of it, else None."""
        begun_s = time.perf_counter()
        if self._turn == 0:
            self._begin(now_ns)
        at_ns = self._start_ns + round(self._turn * TURN_S * NS_PER_S)
        entry = Entry(self._turn, at_ns, "probe", ASTERIX, _plot(at_ns, RANGE_NM - self._turn * STEP_NM))
        self._state, outcome = pipeline.step(self._state, (entry,), self._setup)
        self._plots += len(outcome.sensed.plots)
        self._took_s += time.perf_counter() - begun_s
        self._turn = (self._turn + 1) % TURNS
        if self._turn:
            return None
        problem = self._problem(outcome)
        return Probed(not problem, self._took_s, problem)

    def _problem(self, outcome: pipeline.Outcome) -> str:
        """Return what went wrong with the last aircraft; empty where nothing did."""
        if self._plots < TURNS:
            reasons = ", ".join(refusal.reason for refusal in outcome.sensed.refusals)
            return f"decoding: {self._plots} of {TURNS} synthetic plots came out ({reasons or 'no reason given'})"
        tracks = outcome.update.tracks
        if not len(tracks):
            return "tracking: no track of the synthetic plots"
        range_m = (RANGE_NM - (TURNS - 1) * STEP_NM) * 1_852.0
        north_m = (tracks.latitude_rad[0] - self._latitude) * 6_371_000.0
        east_m = (tracks.longitude_rad[0] - self._longitude) * 6_371_000.0 * math.cos(self._latitude)
        if not abs(math.hypot(north_m, east_m) - range_m) < NEAR_M:
            return "tracking: the track of the synthetic plots is at a wrong place"
        if self._setup.pack is not None:
            states = outcome.judgement.states if outcome.judgement is not None else None
            if states is None or not np.all(np.isfinite(states.border_m)):
                return "judging: the synthetic track has no border distance"
            if outcome.warned is None or outcome.shared is None:
                return "warning: the synthetic track was not considered"
        return ""


def _place(setup: pipeline.Setup) -> tuple[float, float]:
    """Return where the made-up radar stands: in the country where there is one."""
    if setup.pack is not None and len(setup.pack.places.latitude_rad):
        return float(setup.pack.places.latitude_rad[0]), float(setup.pack.places.longitude_rad[0])
    return math.radians(50.0), math.radians(20.0)


def _plot(at_ns: int, range_nm: float) -> bytes:
    of_day_s = (at_ns % DAY_NS) / NS_PER_S
    return encode_block(48, [{"010": {"SAC": SAC, "SIC": SIC}, "140": math.floor(of_day_s * 128.0) / 128.0, "020": {"TYP": 1},
                              "040": {"RHO": round(range_nm * 256) / 256, "THETA": 90.0}}])
