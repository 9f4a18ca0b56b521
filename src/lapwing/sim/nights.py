"""Who flies in a made-up night: drones along a river, balloons on the wind, what else is in the air."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from lapwing.sim.border_window import Window
from lapwing.sim.classes import object_class, object_span
from lapwing.sim.flights import Point, drift, motion_on, steer
from lapwing.sim.motion import Identity, Motion, made_up_identity
from lapwing.sim.radar import generator

Builder = Callable[[Window, int, float], tuple[Motion, ...]]
BOX_M = 75_000.0  # half of the stretch along the line that flights use


class _Sky:
    """Collects the motions of one night; each object draws from numbers of its own."""

    def __init__(self, window: Window, seed: int, span_s: float) -> None:
        self.window, self.seed, self.span_s = window, seed, span_s
        self.motions: list[Motion] = []

    def rng(self, name: str) -> np.random.Generator:
        """Return the numbers of an object."""
        return generator(self.seed, "sky", name)

    def add(
        self,
        name: str,
        class_name: str,
        path_m: np.ndarray,
        altitude_m: npt.ArrayLike,
        start_s: float,
        rcs_dbsm: float | None = None,
        identity: Identity | None = None,
    ) -> None:
        """Add an object that flies a path from a time on."""
        kind = object_class(class_name)
        if rcs_dbsm is not None:
            kind = replace(kind, rcs_dbsm=rcs_dbsm)
        self.motions.append(
            motion_on(self.window.plane, path_m, altitude_m, start_s, len(self.motions) + 1, name, kind, identity)
        )

    def count(self, of_reference: int, reference_s: float) -> int:
        """Return how many for this length of night, at least two."""
        return max(2, round(of_reference * self.span_s / reference_s))


def danube(window: Window, seed: int, span_s: float) -> tuple[Motion, ...]:
    """Return low, slow, weaving drones: some turn away short of the line, some cross, two fly in close formation; and
    airliners, a patrol, helicopters and bird flocks."""
    sky = _Sky(window, seed, span_s)
    for number in range(sky.count(12, 5_400.0)):
        _drone(sky, number)
    _others(sky, airliners=6, fighters=2, helicopters=3, flocks=25, reference_s=5_400.0)
    return tuple(sky.motions)


def _drone(sky: _Sky, number: int, *, pair: bool = True) -> None:
    name = f"drone {number + 1}"
    rng = sky.rng(name)
    # From one end of the stretch, abreast of it, or out of the depth of the other side.
    side = 1.0 if rng.random() < 0.5 else -1.0
    begin: Point = (side * rng.uniform(0.2, 1.0) * BOX_M, rng.uniform(25_000.0, 60_000.0))
    near = float(rng.uniform(0.15, 0.85))
    # Under a third come within a kilometre without crossing, a third cross, the rest keep some kilometres off.
    fate = rng.random()
    if fate < 0.35:
        points = [
            begin,
            sky.window.at(near, rng.uniform(250.0, 1_000.0)),
            sky.window.at(near - 0.1 * side, rng.uniform(4_000.0, 9_000.0)),
            (-side * rng.uniform(0.3, 1.0) * BOX_M, rng.uniform(20_000.0, 50_000.0)),
        ]
    elif fate < 0.65:
        inside = sky.window.at(near, -rng.uniform(2_000.0, 15_000.0))
        points = [begin, sky.window.at(near, rng.uniform(2_000.0, 6_000.0)), inside]
        if rng.random() < 0.6:
            points.append(sky.window.at(min(max(near - 0.2 * side, 0.05), 0.95), rng.uniform(10_000.0, 25_000.0)))
    else:
        points = [
            begin,
            sky.window.at(near, rng.uniform(1_500.0, 6_000.0)),
            sky.window.at(min(max(near - 0.25 * side, 0.05), 0.95), rng.uniform(1_500.0, 6_000.0)),
        ]
    speed = float(rng.uniform(45.0, 58.0))
    path = steer(
        points,
        speed,
        turn_rad_per_s=math.radians(rng.uniform(3.0, 6.0)),
        weave_rad=math.radians(rng.uniform(3.0, 25.0)),
        weave_s=float(rng.uniform(60.0, 200.0)),
        weave_phase=float(rng.uniform(0.0, 6.28)),
    )
    low, high = object_span("owa_uav_piston", "altitude_agl")
    altitude = float(rng.uniform(low + 30.0, 320.0) if rng.random() < 0.8 else rng.uniform(320.0, 0.5 * high))
    start_s = float(rng.uniform(0.0, max(sky.span_s - 0.7 * len(path), 0.35 * sky.span_s)))
    rcs = float(rng.uniform(*object_span("owa_uav_piston", "rcs_dbsm")))
    sky.add(name, "owa_uav_piston", path, altitude, start_s, rcs)
    if pair and number == 0:
        # The second of a close pair: a few hundred metres beside the first all the way.
        beside = float(rng.uniform(200.0, 450.0))
        course = np.gradient(path, axis=0)
        right = np.stack([course[:, 1], -course[:, 0]], axis=1) / np.maximum(np.hypot(*course.T), 1e-6)[:, None]
        sky.add(f"{name} wing", "owa_uav_piston", path + beside * right, altitude, start_s, rcs)


def balloons(window: Window, seed: int, span_s: float) -> tuple[Motion, ...]:
    """Return balloons in series on the wind, decoys, bird flocks, airliners and helicopters."""
    sky = _Sky(window, seed, span_s)
    wind = _wind(sky)
    for number in range(sky.count(24, 4_500.0)):
        _balloon(sky, number, wind)
    for number in range(sky.count(4, 4_500.0)):
        _decoy(sky, number)
    _others(sky, airliners=8, fighters=0, helicopters=2, flocks=45, reference_s=4_500.0)
    return tuple(sky.motions)


def near(window: Window, seed: int, span_s: float) -> tuple[Motion, ...]:
    """Return many drones, decoys and balloons near the line, as they fly in `danube` and `balloons`, and the airliners that radars
    are aligned by: to score verdicts by. None flies beside another all the way."""
    sky = _Sky(window, seed, span_s)
    wind = _wind(sky)
    for number in range(sky.count(24, 3_600.0)):
        _drone(sky, number, pair=False)
        _decoy(sky, number)
        _balloon(sky, number, wind)
    _others(sky, airliners=6, fighters=0, helicopters=0, flocks=0, reference_s=5_400.0)
    return tuple(sky.motions)


def calm(window: Window, seed: int, span_s: float) -> tuple[Motion, ...]:
    """Return what may never turn an alarm red: balloons on the wind, bird flocks, airliners and helicopters, as in `balloons`."""
    sky = _Sky(window, seed, span_s)
    wind = _wind(sky)
    for number in range(sky.count(24, 4_500.0)):
        _balloon(sky, number, wind)
    _others(sky, airliners=8, fighters=0, helicopters=2, flocks=45, reference_s=4_500.0)
    return tuple(sky.motions)


def _wind(sky: _Sky) -> list[tuple[float, float, float]]:
    rng = sky.rng("wind")
    # Towards home, backing with height; balloons of a series take the same wind.
    towards = math.radians(rng.uniform(-35.0, 35.0))
    wind = []
    for altitude_m, share in ((0.0, 0.35), (500.0, 0.6), (1_500.0, 0.8), (3_500.0, 1.0), (12_000.0, 1.5)):
        speed = share * rng.uniform(12.0, 22.0)
        angle = towards + math.radians(15.0) * (share - 0.5) + math.radians(rng.uniform(-6.0, 6.0))
        wind.append((altitude_m, speed * math.sin(angle), -speed * math.cos(angle)))
    return wind


def _balloon(sky: _Sky, number: int, wind: list[tuple[float, float, float]]) -> None:
    name = f"balloon {number + 1}"
    rng = sky.rng(name)
    begin = (
        float(rng.uniform(-0.8, 0.8)) * BOX_M,
        sky.window.at(0.5, 5_000.0)[1] + float(rng.uniform(0.0, 30_000.0)),
    )
    path, altitude = drift(
        begin, float(rng.uniform(3_000.0, 4_000.0)), min(sky.span_s, 5_400.0), wind, float(rng.uniform(3.0, 6.0)), rng
    )
    sky.add(
        name,
        "balloon_smuggling",
        path,
        altitude,
        float(rng.uniform(-1_500.0, 0.75 * sky.span_s)),
        float(rng.uniform(*object_span("balloon_smuggling", "rcs_dbsm"))),
    )


def _decoy(sky: _Sky, number: int) -> None:
    name = f"decoy {number + 1}"
    rng = sky.rng(name)
    near_share = float(rng.uniform(0.2, 0.8))
    points = [
        (float(rng.uniform(-1.0, 1.0)) * BOX_M, float(rng.uniform(30_000.0, 50_000.0))),
        sky.window.at(near_share, 3_000.0),
        sky.window.at(near_share, -float(rng.uniform(1_000.0, 20_000.0))),
    ]
    path = steer(
        points,
        float(rng.uniform(30.0, 48.0)),
        turn_rad_per_s=math.radians(5.0),
        weave_rad=math.radians(rng.uniform(0.0, 15.0)),
        weave_s=float(rng.uniform(80.0, 200.0)),
    )
    sky.add(
        name,
        "decoy_uav_small",
        path,
        float(rng.uniform(100.0, 1_200.0)),
        float(rng.uniform(0.0, 0.6 * sky.span_s)),
        float(rng.uniform(-18.0, 0.0)),
    )


def _others(sky: _Sky, *, airliners: int, fighters: int, helicopters: int, flocks: int, reference_s: float) -> None:
    """Add what else flies: never a reason for a warning."""
    for number in range(sky.count(airliners, reference_s)):
        name = f"airliner {number + 1}"
        rng = sky.rng(name)
        course = float(rng.uniform(0.0, 2.0 * math.pi))
        middle = np.array([rng.uniform(-60_000.0, 60_000.0), rng.uniform(-60_000.0, 40_000.0)])
        ahead = 160_000.0 * np.array([math.sin(course), math.cos(course)])
        path = steer(
            [tuple(middle - ahead), tuple(middle + ahead)], float(rng.uniform(225.0, 250.0)), turn_rad_per_s=0.02
        )
        sky.add(
            name,
            "airliner",
            path,
            float(rng.uniform(*object_span("airliner", "cruise_altitude_amsl"))),
            float(rng.uniform(-900.0, sky.span_s)),
            float(rng.uniform(*object_span("airliner", "rcs_dbsm"))),
            made_up_identity("night", str(sky.seed), name, prefix="LWG"),
        )
    for number in range(fighters):
        name = f"patrol {number + 1}"
        rng = sky.rng("patrol")  # one line for both, the second a few kilometres behind
        ends = [(x * BOX_M * 0.6, -float(rng.uniform(20_000.0, 30_000.0))) for x in (-1.0, 1.0)]
        points = [ends[0], *((ends[1], ends[0]) * (1 + int(sky.span_s * 200.0 / (2.4 * BOX_M))))]
        path = steer(points, 190.0, turn_rad_per_s=math.radians(3.0), seconds_max=sky.span_s)
        sky.add(
            name,
            "fast_jet",
            path,
            5_000.0,
            25.0 * number,
            6.0,
            made_up_identity("night", str(sky.seed), name, prefix="PATRL"),
        )
    for number in range(sky.count(helicopters, reference_s)):
        name = f"helicopter {number + 1}"
        rng = sky.rng(name)
        points = [(float(rng.uniform(-0.8, 0.8)) * BOX_M, -float(rng.uniform(5_000.0, 50_000.0))) for _ in range(3)]
        path = steer(
            points,
            float(rng.uniform(*object_span("helicopter", "speed")) * 0.3 + 40.0),
            turn_rad_per_s=math.radians(3.0),
        )
        sky.add(
            name,
            "helicopter",
            path,
            float(rng.uniform(150.0, 500.0)),
            float(rng.uniform(0.0, 0.8 * sky.span_s)),
            9.0,
            made_up_identity("night", str(sky.seed), name, prefix="RESCU"),
        )
    for number in range(sky.count(flocks, reference_s)):
        name = f"flock {number + 1}"
        rng = sky.rng(name)
        begin = (float(rng.uniform(-0.9, 0.9)) * BOX_M, float(rng.uniform(-40_000.0, 40_000.0)))
        course, leg = float(rng.uniform(0.0, 6.28)), float(rng.uniform(3_000.0, 12_000.0))
        points = [begin]
        for _ in range(4):
            course += float(rng.normal(0.0, 0.5))
            points.append((points[-1][0] + leg * math.sin(course), points[-1][1] + leg * math.cos(course)))
        path = steer(
            points,
            float(rng.uniform(*object_span("bird_flock_large", "speed"))),
            turn_rad_per_s=math.radians(8.0),
            weave_rad=math.radians(rng.uniform(10.0, 35.0)),
            weave_s=float(rng.uniform(30.0, 120.0)),
        )
        sky.add(
            name,
            "bird_flock_large",
            path,
            float(rng.uniform(20.0, 800.0)),
            float(rng.uniform(-600.0, 0.8 * sky.span_s)),
            float(rng.uniform(*object_span("bird_flock_large", "rcs_dbsm"))),
        )


def crossing(variant: str) -> Builder:
    """Return the maker of a textbook scene: objects that meet, fly close or turn hard."""

    def make(window: Window, seed: int, span_s: float) -> tuple[Motion, ...]:
        sky = _Sky(window, seed, span_s)
        rng = sky.rng(variant)
        centre = np.array(window.at(0.5, 4_000.0))
        turn, speed = float(rng.uniform(0.0, 6.28)), float(rng.uniform(46.0, 56.0))
        half_m = speed * span_s / 2.0

        def straight(course: float, beside_m: float = 0.0, speed_mps: float = speed) -> np.ndarray:
            ahead = np.array([math.sin(course), math.cos(course)])
            right = np.array([ahead[1], -ahead[0]])
            t = np.arange(0.0, span_s) - span_s / 2.0
            return centre + beside_m * right + t[:, None] * speed_mps * ahead

        paths = []
        if variant == "two-at-10deg":
            paths = [straight(turn), straight(turn + math.radians(10.0))]
        elif variant == "star-6":
            paths = [straight(turn + k * math.pi / 3.0) for k in range(6)]
        elif variant == "parallel-320m":
            paths = [straight(turn, -160.0), straight(turn, 160.0)]
        elif variant == "manoeuvre":
            for k in range(3):
                begin = centre + np.array([(k - 1) * 6_000.0, -0.3 * half_m])
                points, course = [tuple(begin)], turn
                for _ in range(6):
                    points.append(
                        (points[-1][0] + 5_000.0 * math.sin(course), points[-1][1] + 5_000.0 * math.cos(course))
                    )
                    course += math.copysign(math.pi / 2.0, rng.random() - 0.5)
                path = steer(points, speed, turn_rad_per_s=math.radians(6.0), seconds_max=span_s)
                paths.append(path)
        else:
            paths = [
                straight(turn + math.radians(float(rng.uniform(-40.0, 40.0))), (k - 2) * 5_000.0) for k in range(5)
            ]
        for k, path in enumerate(paths):
            sky.add(
                f"drone {k + 1}", "owa_uav_piston", path, 300.0 + 40.0 * k, 0.0, -22.0 if variant == "low-pd" else 0.0
            )
        return tuple(sky.motions)

    return make
