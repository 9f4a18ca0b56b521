"""People on the ground: they hear, they see, they call; some are wrong. Drawn by the `human_observer` figures.

Observers stand in villages. Who passes is reported once a village: heard within 0.5-3 km, seen within 1-4 km by day and
0.2-1 km by night; a third use an application (seconds late, metres off), the others call 112 (minutes late, a kilometre
off). A share of all reports is of nothing. An impact is heard and its fire seen from every village within 5 km.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lapwing.geo.wgs84 import geodesic_inverse
from lapwing.model.ids import make_id
from lapwing.model.reports import Sighting
from lapwing.model.times import from_seconds
from lapwing.sense.person_json import encode_sighting
from lapwing.sim.motion import Motion, sun_elevation_rad
from lapwing.sim.radar import generator
from lapwing.sim.story import Story

IMPACT_SEEN_M = 5_000.0
NEAR_PATH_M = 5_000.0
SOUND_MPS = 340.0
BEARING_DEG_SIGMA = 12.0
WRONG_WAY_SHARE = 0.03
APPLICATION_SHARE = 1.0 / 3.0
FALSE_SHARE = 0.3  # middle of 0.1-0.5
VILLAGES_MAX = 12


@dataclass(frozen=True, slots=True)
class Village:
    """Where observers stand."""

    name: str
    latitude_rad: float
    longitude_rad: float


def fold(text: str) -> str:
    """Return a name without accents and case, for comparing."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c)).casefold()


def observers(story: Story, places: Sequence[Village], motions: Sequence[Motion]) -> tuple[Village, ...]:
    """Return the villages that the story's observers stand in: those its note names, else the nearest to the paths.

    `places` should be of the protected country: the people of the other side do not call us.
    """
    notes = fold(" ".join(s.note for s in story.sensors if s.class_name == "human_observer"))
    named = tuple(v for v in places if fold(v.name) in notes)
    if named or not any(s.class_name == "human_observer" for s in story.sensors):
        return named
    away = []
    for order, village in enumerate(places):
        nearest = min((float(_distances(village, m)[0].min()) for m in motions if m.identity is None), default=math.inf)
        if nearest <= NEAR_PATH_M:
            away.append((nearest, order, village))
    return tuple(village for _, _, village in sorted(away)[:VILLAGES_MAX])


def _distances(village: Village, motion: Motion) -> tuple[np.ndarray, np.ndarray]:
    """Return distance and bearing from a village to each sample of a path."""
    return geodesic_inverse(village.latitude_rad, village.longitude_rad, motion.latitude_rad, motion.longitude_rad)


def sightings(
    story: Story, villages: Sequence[Village], motions: Sequence[Motion], seed: int
) -> list[tuple[int, bytes, int]]:
    """Return (received_ns, payload, truth_id) of what people report, truth id 0 where it is of nothing."""
    made = [row for motion in motions for village in villages for row in _passing(story, village, motion, seed)]
    count_true = len(made)
    made += [row for motion in motions for village in villages for row in _impact(story, village, motion, seed)]
    made += _wrong(story, villages, count_true, seed)
    return sorted((received_ns, encode_sighting(sighting), truth_id) for received_ns, sighting, truth_id in made)


Made = tuple[int, Sighting, int]


def _passing(story: Story, village: Village, motion: Motion, seed: int) -> list[Made]:
    if motion.kind.heard_m <= 0.0 or motion.identity is not None:
        return []  # birds are not reported; aircraft with lights and a call sign are nobody's news
    distance_m, bearing_rad = _distances(village, motion)
    slant_m = np.hypot(distance_m, motion.height_m - motion.undulation_m)
    nearest = int(np.argmin(slant_m))
    rng = generator(seed, "people", village.name, motion.name)
    at_ns = story.start_ns + from_seconds(float(motion.time_s[nearest]))
    day = sun_elevation_rad(village.latitude_rad, village.longitude_rad, at_ns) > math.radians(-3.0)
    sees_m = rng.uniform(1_000.0, 4_000.0) if day else rng.uniform(200.0, 1_000.0)
    hears_m = min(rng.uniform(500.0, 3_000.0), motion.kind.heard_m)
    kind = "seen" if slant_m[nearest] <= sees_m else "heard" if slant_m[nearest] <= hears_m else ""
    if not kind:
        return []
    delay_s = float(slant_m[nearest]) / SOUND_MPS if kind == "heard" else 0.0
    return [
        _call(story, village, rng, kind, at_ns + from_seconds(delay_s), float(bearing_rad[nearest]), motion.truth_id)
    ]


def _impact(story: Story, village: Village, motion: Motion, seed: int) -> list[Made]:
    ends = {o.id: o.end for o in story.objects}
    if not ends.get(motion.name, "").startswith("impact"):
        return []
    distance_m, bearing_rad = _distances(village, motion)
    if distance_m[-1] > IMPACT_SEEN_M:
        return []
    rng = generator(seed, "impact", village.name, motion.name)
    at_ns = story.start_ns + from_seconds(float(motion.time_s[-1]))
    heard_ns = at_ns + from_seconds(float(distance_m[-1]) / SOUND_MPS)
    fire_ns = at_ns + from_seconds(float(rng.uniform(20.0, 240.0)))
    return [
        _call(story, village, rng, "explosion", heard_ns, float(bearing_rad[-1]), motion.truth_id),
        _call(story, village, rng, "fire", fire_ns, float(bearing_rad[-1]), motion.truth_id),
    ]


def _wrong(story: Story, villages: Sequence[Village], count_true: int, seed: int) -> list[Made]:
    """Return reports of nothing: the stated share of all reports of things in the air."""
    rng = generator(seed, "people", "wrong")
    count = int(rng.poisson(count_true * FALSE_SHARE / (1.0 - FALSE_SHARE))) if villages else 0
    made = []
    for _ in range(count):
        village = villages[int(rng.integers(len(villages)))]
        at_ns = story.start_ns + from_seconds(float(rng.uniform(0.0, story.span_s - 300.0)))
        made.append(
            _call(
                story,
                village,
                rng,
                "heard" if rng.random() < 0.6 else "seen",
                at_ns,
                float(rng.uniform(0.0, 2.0 * math.pi)),
                0,
            )
        )
    return made


def _call(
    story: Story, village: Village, rng: np.random.Generator, kind: str, at_ns: int, bearing_rad: float, truth_id: int
) -> Made:
    """Return what one person reports of something that happened at a time, in a direction."""
    application = bool(rng.random() < APPLICATION_SHARE)
    time_sigma_s, position_m = (10.0, 15.0) if application else (120.0, 1_000.0)
    wait_s = float(rng.uniform(5.0, 30.0) if application else rng.uniform(60.0, 300.0))
    # Nobody dates a thing later than their call.
    said_ns = min(at_ns + from_seconds(float(rng.normal(0.0, time_sigma_s))), at_ns + from_seconds(wait_s - 1.0))
    turned = math.pi if rng.random() < WRONG_WAY_SHARE else 0.0
    said_rad = (bearing_rad + turned + math.radians(BEARING_DEG_SIGMA) * float(rng.standard_normal())) % (2.0 * math.pi)
    off_m, off_azimuth = (
        position_m * math.sqrt(-2.0 * math.log(1.0 - float(rng.random()))),
        float(rng.uniform(0.0, 2.0 * math.pi)),
    )
    metre_rad = 1.0 / 6_371_000.0
    sighting = Sighting(
        id=make_id("simulated sighting", story.id, village.name, kind, at_ns, truth_id),
        time_ns=said_ns,
        time_s_sigma=time_sigma_s,
        kind=kind,
        latitude_rad=village.latitude_rad + off_m * math.cos(off_azimuth) * metre_rad,
        longitude_rad=village.longitude_rad
        + off_m * math.sin(off_azimuth) * metre_rad / math.cos(village.latitude_rad),
        position_m_sigma=position_m,
        bearing_rad=said_rad,
        bearing_rad_sigma=math.radians(BEARING_DEG_SIGMA),
        place=village.name,
        text=_TEXT[kind],
        by="application" if application else "112 caller",
    )
    return at_ns + from_seconds(wait_s), sighting, truth_id


_TEXT = {
    "seen": "a small object in the air",
    "heard": "sound of an engine in the air",
    "explosion": "an explosion",
    "fire": "fire and smoke",
    "debris": "debris on the ground",
}
