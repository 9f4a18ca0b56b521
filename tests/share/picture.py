"""Small pictures for the tests of share: rows, judgement, pack and partners with what matters set."""

from __future__ import annotations

import numpy as np

from lapwing.country.pack import Pack, Partner, Places, Policy
from lapwing.geo.areas import build_areas
from lapwing.geo.border import build_territory
from lapwing.model.times import from_iso
from lapwing.model.tracks import CLASSES, Tracks
from lapwing.model.verdicts import ENTERED, BorderStates, Boundary, Crossing, Evidence, Judgement, Verdict

NOW = from_iso("2025-08-05T20:50:00Z")
RING = [(45.0, 27.0), (45.0, 30.0), (43.0, 30.0), (43.0, 27.0), (45.0, 27.0)]
FIELDS = ("track_id", "time_ns", "latitude_rad", "longitude_rad", "position_m_sigma", "velocity_mps", "class_name")


def partner(name: str, when: str, country: str = "") -> Partner:
    """Return a partner told on that occasion."""
    return Partner(id=name, name=name, kind="neighbour", country=country, release=f"RELEASABLE TO {name}", when=when,
                   languages=("en",), fields=FIELDS, expires_s=1800.0)


def pack_with(partners: tuple[Partner, ...]) -> Pack:
    """Return a pack with these partners."""
    places = Places((), np.zeros(0), np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.bool_), np.zeros(0, np.int32))
    return Pack(
        code="RO", names={"en": "Romania"}, version="1", sha256="0" * 64, time_zone="UTC", languages=("en",),
        neighbours=("MD",), territory=build_territory([RING], name="R", code="RO", version="1", sha256=""), zones=(),
        areas=build_areas([[RING]]), places=places, policy=Policy(), partners=partners, texts={}, scale={},
        attribution="")


def tracks_of(names: tuple[str, ...], now_ns: int) -> Tracks:
    """Return confirmed drone rows of these names."""
    n = len(names)
    times, flags, zeros = np.full(n, now_ns, np.int64), np.ones(n, np.bool_), np.zeros(n)
    prob = np.zeros((n, len(CLASSES)))
    prob[:, 0] = 1.0
    return Tracks(
        track_id=names, time_ns=times, born_ns=times, last_plot_ns=times, latitude_rad=np.radians(np.full(n, 45.4)),
        longitude_rad=np.radians(np.full(n, 28.3)), height_m=np.full(n, 100.0), height_m_sigma=np.full(n, 50.0),
        velocity_mps=np.tile([-50.0, 0.0], (n, 1)), state_cov=np.tile(np.eye(4) * 400.0, (n, 1, 1)),
        bias_cov_m2=np.zeros((n, 2, 2)), turn_rate_radps=zeros, existence_prob=np.ones(n), confirmed=flags,
        coasting=~flags, updated=flags, class_prob=prob, affiliation=np.zeros(n, np.uint8), cooperative=~flags,
        mode3a=np.full(n, -1, np.int32), icao_address=np.full(n, -1, np.int32), callsign=np.full(n, b"", "S8"),
        plot_count=np.full(n, 20), sensor_count=np.ones(n, np.int64), sensors_mask=np.ones(n, np.uint64))


def judgement_of(tracks: Tracks, others: dict[str, float], verdicts: tuple[Verdict, ...] = ()) -> Judgement:
    """Return a judgement that puts every row at these distances to the neighbours, 3 km outside home."""
    n = len(tracks)
    far = np.full(n, 3_000.0)
    states = BorderStates(
        border_m=far, border_m_sigma=far / 30, nearest_latitude_rad=tracks.latitude_rad,
        nearest_longitude_rad=tracks.longitude_rad, line_bound_95_m=far, closing_mps=far, time_to_go_s=far,
        earliest_s=far, entry_5_prob=far * 0, entry_10_prob=far * 0, entry_15_prob=far * 0, inside_prob=far * 0,
        judged=np.ones(n, np.bool_), traffic_reason=("",) * n)
    return Judgement(states, {code: np.full(n, value) for code, value in others.items()}, verdicts)


def verdict_of(track_id: str, exit_ns: int) -> Verdict:
    """Return a live verdict `entered`, left again where `exit_ns` is given."""
    return Verdict(
        track_id=track_id, country="RO", verdict=ENTERED, entered_prob=1.0, closest_m=-500.0, closest_m_low=-700.0,
        closest_m_high=-300.0, closest_ns=NOW, closest_latitude_rad=0.79, closest_longitude_rad=0.5, deepest_m=500.0,
        entries=(Crossing(NOW, exit_ns, 0.79, 0.5, 500.0),), seconds_inside=60.0,
        boundary=Boundary("R", "1", "", 100.0), evidence=Evidence(20, (), (), 0.0), statement={}, reason="",
        final=False, time_ns=NOW)
