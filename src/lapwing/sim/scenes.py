"""Made-up nights to order: radars with their faults near a country's border, and who flies there. All of it invented.

A scene is drawn from a seed. Seeds from 9000 on are for scoring only: never choose a parameter by them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from lapwing.geo.border import Territory
from lapwing.geo.geoid import undulation_m
from lapwing.model.times import from_iso
from lapwing.sim import nights
from lapwing.sim.border_window import Window, window
from lapwing.sim.clutter import NOISE, PATCH, RAIN, RESIDUE, SPOTS, Clutter
from lapwing.sim.motion import Motion
from lapwing.sim.radar import Radar, RadarPlots, check_seed, generator, scan
from lapwing.sim.truth import Truth, truth_of

START_NS = from_iso("2026-03-14T23:25:00Z")  # midnight is inside every night: clocks start anew there
LEVEL_OFFSET = 1.3  # pressure of the night: flight level over true height, hundreds of feet
CROSSINGS = ("two-at-10deg", "star-6", "parallel-320m", "manoeuvre", "low-pd")
MINUTES = {"danube": 90.0, "balloons": 75.0, "quiet": 360.0, "crossing": 8.0, "near": 60.0, "calm": 75.0}
NEAR_CLUTTER = 0.05  # of the usual: a night of verdicts is tracked in a minute
SCORING_SEED = 9_000


@dataclass(frozen=True, slots=True)
class Scene:
    """A night, played."""

    name: str
    description: str
    seed: int
    start_ns: int
    span_s: float
    step_s: float  # of the truth
    window: Window | None  # None for a story without a known border
    radars: tuple[Radar, ...]
    motions: tuple[Motion, ...]
    plots: tuple[RadarPlots, ...]  # of each radar
    truth: Truth
    level_offset: float = LEVEL_OFFSET


def build_scenes(
    night: str, territory: Territory, neighbour: str, seed: int, minutes: float | None = None, detection: float = 1.0
) -> tuple[Scene, ...]:
    """Return the scenes of a night: one, or the five textbook ones of ``crossing``.

    Parameters
    ----------
    night : a key of `MINUTES`
    territory, neighbour : whose border it is, and with whom
    seed : the same seed gives the same octets
    minutes : length; None: that of the reference scenes
    detection : share of the echoes of objects that the radars report; the seeded rest is as it was
    """
    check_seed(seed)
    span_s = 60.0 * (MINUTES[night] if minutes is None else minutes)
    place = window(territory, neighbour, generator(seed, "window", territory.code, neighbour))
    if night == "crossing":
        return tuple(
            _scene(
                f"crossing/{variant}",
                f"textbook: {variant}",
                place,
                seed,
                span_s,
                1.0,
                tuple(replace(radar, seen_share=detection) for radar in _one_radar(place, seed)),
                nights.crossing(variant)(place, seed, span_s),
            )
            for variant in CROSSINGS
        )
    text, flyers, misregistered = {
        "danube": ("drones along a river border, three radars, one misregistered, heavy clutter", nights.danube, 1),
        "balloons": ("balloons on the wind, decoys, many birds, three radars, one misregistered", nights.balloons, 1),
        "quiet": (
            "no object at all: clutter, a wind farm, a drifting rain cell; every confirmed track is false",
            _nobody,
            0,
        ),
        "calm": ("balloons on the wind, many birds, airliners and helicopters: no reason for an alarm", nights.calm, 1),
        "near": ("drones, decoys and balloons near the line, three radars, one misregistered, little clutter", nights.near, 1),
    }[night]
    radars = _three_radars(place, seed, span_s, misregistered, rain=night == "quiet", smallest=night in ("balloons", "near", "calm"))
    radars = tuple(replace(radar, seen_share=detection) for radar in radars)
    if night == "near":
        radars = tuple(replace(radar, clutter=tuple(
            replace(each, plots_per_scan=NEAR_CLUTTER * each.plots_per_scan) for each in radar.clutter)) for radar in radars)
    return (_scene(night, text, place, seed, span_s, 2.0, radars, flyers(place, seed, span_s)),)


def _nobody(place: Window, seed: int, span_s: float) -> tuple[Motion, ...]:
    return ()


def _scene(
    name: str,
    text: str,
    place: Window,
    seed: int,
    span_s: float,
    step_s: float,
    radars: tuple[Radar, ...],
    motions: tuple[Motion, ...],
) -> Scene:
    plots = tuple(scan(radar, motions, START_NS, span_s, seed) for radar in radars)
    return Scene(
        name,
        text,
        seed,
        START_NS,
        span_s,
        step_s,
        place,
        radars,
        motions,
        plots,
        truth_of(motions, radars, START_NS, span_s, step_s),
    )


# rotation_s, range_m_sigma, azimuth_deg_sigma, instrumented_m, span of small_range_m, latency_s
_TYPES = (
    (6.0, 60.0, 0.12, 180_000.0, (60_000.0, 80_000.0), 0.3),
    (4.0, 40.0, 0.20, 100_000.0, (45_000.0, 60_000.0), 0.5),
    (10.0, 80.0, 0.15, 180_000.0, (60_000.0, 80_000.0), 2.5),
)


def _three_radars(
    place: Window, seed: int, span_s: float, misregistered: int, *, rain: bool, smallest: bool
) -> tuple[Radar, ...]:
    rng = generator(seed, "radars")
    faulty = int(rng.integers(0, 3))
    radars = []
    for number, kind in enumerate(_TYPES):
        along = (number - 1) * rng.uniform(32_000.0, 48_000.0) + rng.uniform(-5_000.0, 5_000.0)
        share = min(max(0.5 + along / 130_000.0, 0.1), 0.9)
        at = place.at(share, -float(rng.uniform(10_000.0, 25_000.0)))
        bias = (0.0, 0.0)
        if misregistered and number == faulty:
            bias = (
                float(np.copysign(rng.uniform(120.0, 350.0), rng.random() - 0.5)),
                float(np.copysign(rng.uniform(0.12, 0.4), rng.random() - 0.5)),
            )
        small_m = float(rng.uniform(*kind[4])) * (1.3 if smallest else 1.0)
        radars.append(
            _radar(
                place,
                f"R{number + 1}",
                at,
                kind,
                small_m,
                float(rng.uniform(30.0, 180.0)),
                bias,
                _clutter(place, at, kind[3], rng, rain=rain, span_s=span_s),
                _terrain(rng),
            )
        )
    return tuple(radars)


def _one_radar(place: Window, seed: int) -> tuple[Radar, ...]:
    rng = generator(seed, "radars")
    at = place.at(0.5, -15_000.0)
    clutter = (Clutter(NOISE, 12.0), Clutter(RESIDUE, 8.0, size_m=4_000.0, strength=4.0))
    return (
        _radar(
            place,
            "R1",
            at,
            (4.0, 40.0, 0.15, 60_000.0, (0.0, 0.0), 0.2),
            50_000.0,
            float(rng.uniform(80.0, 150.0)),
            (0.0, 0.0),
            clutter,
            None,
        ),
    )


def _radar(
    place: Window,
    name: str,
    at: tuple[float, float],
    kind: tuple[float, float, float, float, tuple[float, float], float],
    small_m: float,
    antenna_m_amsl: float,
    bias: tuple[float, ...],
    clutter: tuple[Clutter, ...],
    mask_rad: np.ndarray | None,
) -> Radar:
    lat, lon = (float(v) for v in place.plane.geodetic(*at))
    # The position is told to 1e-4 degrees: the site is where it is told to be.
    lat, lon = math.radians(round(math.degrees(lat), 4)), math.radians(round(math.degrees(lon), 4))
    height_m = round(antenna_m_amsl + float(undulation_m(lat, lon)))
    return Radar(
        id=name,
        latitude_rad=lat,
        longitude_rad=lon,
        height_m=height_m,
        antenna_m_amsl=antenna_m_amsl,
        rotation_s=kind[0],
        range_m_sigma=kind[1],
        azimuth_rad_sigma=math.radians(kind[2]),
        small_range_m=small_m,
        instrumented_m=kind[3],
        detection_prob=0.95,
        swerling=True,
        radial_mps_min=2.0,
        secondary=True,
        clutter=clutter,
        latency_s=kind[5],
        jitter_s=0.2,
        late_share=0.005,
        range_m_bias=bias[0],
        azimuth_rad_bias=math.radians(bias[1]),
        mask_rad=mask_rad,
        level_offset=LEVEL_OFFSET,
    )


def _terrain(rng: np.random.Generator) -> np.ndarray:
    """Return the terrain's edge over the horizontal, a value a degree: hills to some sides, open to others."""
    azimuth = np.radians(np.arange(360.0))
    waves = sum(rng.uniform(0.02, 0.12) * np.sin(k * azimuth + rng.uniform(0.0, 6.28)) for k in (1, 2, 3, 5, 8))
    return np.asarray(np.radians(waves - 0.12))


def _clutter(
    place: Window,
    at: tuple[float, float],
    instrumented_m: float,
    rng: np.random.Generator,
    *,
    rain: bool,
    span_s: float,
) -> tuple[Clutter, ...]:
    """Return some 200 false plots a scan: noise, residue, a wind farm, patches over water; and rain where wanted."""
    plane = place.plane

    def from_radar(along_m: float, outward_m: float) -> tuple[float, float]:
        da, do = along_m - at[0], outward_m - at[1]
        return (
            da * math.sin(plane.along_azimuth_rad) + do * math.sin(plane.outward_azimuth_rad),
            da * math.cos(plane.along_azimuth_rad) + do * math.cos(plane.outward_azimuth_rad),
        )

    much = float(rng.uniform(0.7, 1.3))
    found = [Clutter(NOISE, 90.0 * much), Clutter(RESIDUE, 35.0 * much, size_m=6_000.0, strength=4.0)]
    farm = from_radar(at[0] + float(rng.uniform(-25_000.0, 25_000.0)), at[1] + float(rng.uniform(-15_000.0, 20_000.0)))
    found.append(Clutter(SPOTS, 22.0 * much, *farm, size_m=2_500.0, strength=12.0, spot_count=24))
    for _ in range(3):
        along, outward = float(rng.uniform(-60_000.0, 60_000.0)), float(rng.uniform(-10_000.0, 30_000.0))
        found.append(
            Clutter(
                PATCH,
                18.0 * much,
                *from_radar(along, outward),
                size_m=float(rng.uniform(1_500.0, 5_000.0)),
                strength=5.0,
            )
        )
    if rain:
        speed, course = float(rng.uniform(6.0, 14.0)), float(rng.uniform(0.0, 2.0 * math.pi))
        drift = (speed * math.sin(course), speed * math.cos(course))
        middle = from_radar(float(rng.uniform(-20_000.0, 20_000.0)), float(rng.uniform(-10_000.0, 10_000.0)))
        found.append(
            Clutter(
                RAIN,
                25.0,
                middle[0] - drift[0] * span_s / 2.0,
                middle[1] - drift[1] * span_s / 2.0,
                size_m=3_500.0,
                drift_mps=drift,
                strength=8.0,
            )
        )
    return tuple(found)
