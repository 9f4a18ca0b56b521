"""Longer than 400 lines because it is one synthetic night, told in order.

A made-up evening for the console: core types moving over a small made-up country (or a real pack), no pipeline.

Run it to look at the console: ``python tests/web/fake_feed.py [PORT] [PACK [SECONDS]]``. The tests import its parts.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lapwing.country.pack import Pack, Places, Policy, Zone
from lapwing.geo.areas import build_areas
from lapwing.geo.border import Territory, build_territory, signed_distance
from lapwing.model.alerts import Alert, Decision, Proposal, Warned, ZoneRef
from lapwing.model.plots import empty_bearings, empty_looks, empty_plots
from lapwing.model.reports import Sighting
from lapwing.model.sensed import Sensed
from lapwing.model.sensors import ACOUSTIC_ARRAY, Sensor, SensorTable
from lapwing.model.times import NS_PER_S, from_iso
from lapwing.model.tracks import AFFILIATIONS, CLASSES, Tracks
from lapwing.model.verdicts import BorderStates, Judgement
from lapwing.record.incident import Event
from lapwing.web.board import Board, fold
from lapwing.web.hub import Hub
from lapwing.web.picture import live_picture, site_picture

START_NS = from_iso("2025-08-05T20:20:00Z")
STEP_S = 2.0


def made_up_pack() -> Pack:
    """Return a country of two counties and eight cells south of a bent river, with a lake of its neighbour's in it."""
    river = [(45.20 + 0.10 * math.sin(i / 3.0) + 0.02 * math.sin(i * 1.7), 27.8 + i * 0.06) for i in range(41)]
    ring = [*river, (44.2, 30.2), (44.2, 27.8), river[0]]
    territory = build_territory([ring], name="made-up line", code="AA", version="1", sha256="0" * 64, complete=True, date="2025-01-01")
    zones, polygons = [], []

    def add(code: str, name: str, level: str, county: str, people: int, first: int, last: int, depth: float) -> None:
        part = river[first : last + 1]
        bottom = [(lat - depth, lon) for lat, lon in reversed(part)] if depth < 0.5 else [(44.2, part[-1][1]), (44.2, part[0][1])]
        polygons.append([[*part, *bottom, part[0]]])
        lat, lon = part[len(part) // 2]
        zones.append(
            Zone(
                code,
                name,
                {"en": name},
                level,
                "AA" if level == "county" else county,
                county,
                people,
                False,
                math.radians(lat - 0.05),
                math.radians(lon),
                {},
                level != "county",
                len(zones),
                level != "county",
            )
        )

    add("AA-1", "Westland", "county", "AA-1", 240_000, 0, 20, 1.0)
    add("AA-2", "Eastland", "county", "AA-2", 190_000, 20, 40, 1.0)
    for i in range(8):
        county = "AA-1" if i < 4 else "AA-2"
        add(f"{county}-{i:03d}", f"Cell {'ABCDEFGH'[i]}", "cell", county, 3_000 + 700 * i, i * 5, i * 5 + 5, 0.16)
    places = Places(
        ("Bigtown", "Rivermouth", "Ferry"),
        np.radians([45.0, 45.05, 45.1]),
        np.radians([28.5, 29.4, 29.0]),
        np.array([90_000, 20_000, 900]),
        np.array([False, False, True]),
        np.array([-1, -1, -1], np.int32),
    )
    scale = {level: {"en": word} for level, word in (("watch", "white"), ("pre_alert", "yellow"), ("alert", "red"), ("all_clear", "green"))}
    return Pack(
        "AA",
        {"en": "Madeupia"},
        "1",
        "0" * 64,
        "Europe/Bucharest",
        ("en",),
        ("BB",),
        territory,
        tuple(zones),
        build_areas(polygons),
        places,
        Policy(),
        (),
        {},
        scale,
        "made-up data",
    )


def made_up_sensors() -> SensorTable:
    """Return two radars and an acoustic node."""

    def at(name: str, lat: float, lon: float, **more: object) -> Sensor:
        return Sensor(name, latitude_rad=math.radians(lat), longitude_rad=math.radians(lon), height_m=120.0, **more)  # type: ignore[arg-type]

    return SensorTable(
        (
            at("GF-1", 45.02, 28.3, rotation_s=4.0, range_m_max=100_000.0, sac=1, sic=1),
            at("GF-2", 44.93, 29.2, rotation_s=4.0, range_m_max=80_000.0, sac=1, sic=2),
            at("AC-1", 45.09, 28.8, kind=ACOUSTIC_ARRAY, range_m_max=6_000.0),
        )
    )


@dataclass(frozen=True)
class Flight:
    """One object: constant velocity from a place; class, affiliation, and whether it is judged."""

    lat: float
    lon: float
    east_mps: float
    north_mps: float
    height_m: float
    kind: str
    affiliation: str = "unknown"
    reason: str = ""
    lost_after_s: float = math.inf
    weave_m: float = 0.0


FLIGHTS = (
    Flight(45.405, 29.30, -47, -1.0, 180, "drone", weave_m=700),
    Flight(45.49, 29.42, -49, -4.0, 190, "drone", weave_m=500),
    Flight(45.455, 29.16, -46, -1.5, 160, "drone", lost_after_s=640),
    Flight(45.56, 29.55, -44, -4.0, 230, "decoy"),
    Flight(45.62, 28.60, 6, -9, 3_400, "balloon"),
    Flight(44.80, 28.00, 170, 35, 6_000, "fast_jet", "friend", "own_patrol"),
    Flight(44.72, 30.10, -215, 20, 10_300, "airliner", "neutral", "neutral"),
    Flight(45.02, 28.95, 22, 14, 260, "helicopter", "assumed_friend", "friend"),
    Flight(45.12, 28.55, 9, 3, 140, "bird", "unknown", "bird"),
)


def tracks_at(t_s: float) -> Tracks:
    """Return the objects as tracks, t seconds after the start; the last is tentative for its first minute."""
    n = len(FLIGHTS)
    lat, lon, velocity = np.empty(n), np.empty(n), np.empty((n, 2))
    state_cov, bias_cov = np.zeros((n, 4, 4)), np.tile(np.eye(2) * 40.0**2, (n, 1, 1))
    age_s, coasting = np.full(n, 1.5), np.zeros(n, bool)
    class_prob = np.full((n, len(CLASSES)), 0.01)
    for i, f in enumerate(FLIGHTS):
        weave = f.weave_m * math.sin(t_s / 70.0 + i)
        lat[i] = f.lat + (f.north_mps * t_s + weave) / 111_195
        lon[i] = f.lon + f.east_mps * t_s / (111_195 * math.cos(math.radians(f.lat)))
        velocity[i] = f.east_mps, f.north_mps + f.weave_m * math.cos(t_s / 70.0 + i) / 70.0
        lost = max(0.0, t_s - f.lost_after_s)
        age_s[i], coasting[i] = 1.5 + lost, lost > 8
        sigma = 90.0 + 9.0 * lost
        state_cov[i, 0, 0], state_cov[i, 1, 1], state_cov[i, 0, 1] = sigma**2, (0.6 * sigma) ** 2, 0.2 * sigma**2
        state_cov[i, 1, 0] = state_cov[i, 0, 1]
        class_prob[i, CLASSES.index(f.kind)] = 0.91 - 0.1 * math.exp(-t_s / 100)
    now_ns = START_NS + round(t_s * NS_PER_S)
    full, zeros = (lambda v, kind: np.full(n, v, kind)), np.zeros(n, np.int64)
    callsign = np.array([b"FALCON1" if f.kind == "fast_jet" else b"TRN214" if f.kind == "airliner" else b"" for f in FLIGHTS], "S8")
    return Tracks(
        track_id=tuple(f"20250805-{i + 3:04d}" for i in range(n)),
        time_ns=full(now_ns, np.int64),
        born_ns=full(START_NS, np.int64),
        last_plot_ns=now_ns - np.round(age_s * NS_PER_S).astype(np.int64),
        latitude_rad=np.radians(lat),
        longitude_rad=np.radians(lon),
        height_m=np.array([f.height_m + 32.0 for f in FLIGHTS]),
        height_m_sigma=full(40.0, float),
        velocity_mps=velocity,
        state_cov=state_cov,
        bias_cov_m2=bias_cov,
        turn_rate_radps=full(0.0, float),
        existence_prob=full(0.99, float),
        confirmed=np.array([i < n - 1 or t_s > 60 for i in range(n)]),
        coasting=coasting,
        updated=~coasting,
        class_prob=class_prob / class_prob.sum(axis=1, keepdims=True),
        affiliation=np.array([AFFILIATIONS.index(f.affiliation) for f in FLIGHTS], np.uint8),
        cooperative=np.array([f.kind == "airliner" for f in FLIGHTS]),
        mode3a=full(-1, np.int32),
        icao_address=full(-1, np.int32),
        callsign=callsign,
        plot_count=zeros + 40,
        sensor_count=zeros + 2,
        sensors_mask=full(3, np.uint64),
    )


def judgement_of(tracks: Tracks, pack: Pack) -> Judgement:
    """Return border values of the tracks against a pack's territory; forecasts are simple guesses."""
    points = signed_distance(pack.territory, tracks.latitude_rad, tracks.longitude_rad)
    north = np.radians(60.0 / 111_195 * tracks.velocity_mps[:, 1])
    east = np.radians(60.0 / 111_195 * tracks.velocity_mps[:, 0]) / np.cos(tracks.latitude_rad)
    later = signed_distance(pack.territory, tracks.latitude_rad + north, tracks.longitude_rad + east)
    closing = (points.signed_distance_m - later.signed_distance_m) / 60.0
    with np.errstate(divide="ignore", invalid="ignore"):
        to_go = np.where((closing > 1) & (points.signed_distance_m > 0), points.signed_distance_m / closing, np.inf)
    sigma = np.sqrt(tracks.state_cov[:, 1, 1] + 40.0**2 + 40.0**2)
    chance = np.clip(0.9 - to_go / 1_500.0, 0.02, 0.95)
    inside = 0.5 * (1 + np.vectorize(math.erf)(-points.signed_distance_m / sigma / math.sqrt(2)))
    reasons = tuple(f.reason for f in FLIGHTS)
    states = BorderStates(
        border_m=points.signed_distance_m,
        border_m_sigma=sigma,
        nearest_latitude_rad=points.nearest_latitude_rad,
        nearest_longitude_rad=points.nearest_longitude_rad,
        line_bound_95_m=points.bound_95_m,
        closing_mps=closing,
        time_to_go_s=to_go,
        earliest_s=np.maximum(points.signed_distance_m, 0) / 60,
        entry_5_prob=chance * 0.7,
        entry_10_prob=chance,
        entry_15_prob=chance,
        inside_prob=inside,
        judged=np.array([not r for r in reasons]),
        traffic_reason=reasons,
    )
    return Judgement(states=states, others={})


def zones_near(pack: Pack, tracks: Tracks, within_m: float) -> tuple[ZoneRef, ...]:
    """Return the addressable zones whose main place lies within a distance of a judged object."""
    judged = [i for i, f in enumerate(FLIGHTS) if not f.reason and f.kind == "drone"]
    found = []
    for zone in pack.zones:
        if not zone.addressable:
            continue
        north = (tracks.latitude_rad[judged] - zone.latitude_rad) * 6_371_000
        east = (tracks.longitude_rad[judged] - zone.longitude_rad) * 6_371_000 * math.cos(zone.latitude_rad)
        if float(np.min(np.hypot(north, east))) < within_m:
            found.append(ZoneRef(zone.code, zone.name, zone.population, zone.county))
    return tuple(found[:60])


CAP = """<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><info><language>en</language><headline>{}</headline>
<description>Stay inside, away from windows.</description></info></alert>"""


def warned_at(t_s: float, pack: Pack, tracks: Tracks, before: Warned) -> Warned:
    """Return what the warner says: a proposal at 60 s, approved at 90 s, a second one open from 420 s to 900 s."""
    now_ns, previous_s = START_NS + round(t_s * NS_PER_S), t_s - STEP_S

    def due(at_s: float) -> bool:
        return previous_s < at_s <= t_s

    def proposal(number: int, level: str, msg_type: str, reason: str, needed: int) -> Proposal:
        zones = zones_near(pack, tracks, 16_000)
        return Proposal(
            f"proposal-{number}",
            now_ns,
            now_ns + 480 * NS_PER_S,
            msg_type,
            level,
            zones,
            tracks.track_id[:3],
            reason,
            needed,
            (),
        )

    warned = Warned(zone_levels=before.zone_levels, threats=tracks.track_id[:3])
    if due(60):
        p = proposal(1, "pre_alert", "Alert", "3 drones 21 km from the border, flying west along it.", 1)
        warned = replace(warned, proposals=(p,))
    if due(90):
        zones = zones_near(pack, tracks, 17_000)
        alert = Alert(
            "alert-1",
            now_ns,
            "Exercise",
            "Alert",
            "pre_alert",
            zones,
            (),
            now_ns,
            now_ns + 1200 * NS_PER_S,
            ("en",),
            tracks.track_id[:3],
            now_ns - 30 * NS_PER_S,
            now_ns,
            ("M. Ionescu",),
            (),
            "proposal-1",
            CAP.format("Drones near the border: be ready to take cover").encode(),
        )
        decision = Decision(now_ns, "proposal-1", "approve", "M. Ionescu", "")
        warned = replace(
            warned,
            alerts=(alert,),
            decisions=(decision,),
            zone_levels=tuple(sorted((z.code, "pre_alert") for z in zones)),
        )
    if due(300):
        zones = zones_near(pack, tracks, 12_000)
        alert = Alert(
            "alert-2",
            now_ns,
            "Exercise",
            "Update",
            "alert",
            zones,
            (),
            now_ns,
            now_ns + 1200 * NS_PER_S,
            ("en",),
            tracks.track_id[:3],
            now_ns,
            now_ns,
            ("M. Ionescu",),
            ("s,alert-1,t",),
            "",
            CAP.format("Drones very near: take cover now").encode(),
        )
        levels = dict(warned.zone_levels) | {z.code: "alert" for z in zones}
        warned = replace(warned, alerts=(alert,), zone_levels=tuple(sorted(levels.items())))
    if due(420):
        warned = replace(
            warned,
            proposals=(
                proposal(
                    2,
                    "alert",
                    "Update",
                    "2 drones 4 km from the border, closing: entry possible within 6 min. Widen the alert to the places below their path.",
                    2,
                ),
            ),
        )
    if due(440):
        warned = replace(warned, decisions=(Decision(now_ns, "proposal-2", "approve", "M. Ionescu", ""),))
    return warned


def events_at(t_s: float) -> tuple[Event, ...]:
    """Return what happened in the step that ends at t."""
    story = (
        (4, "first_detection", "First detection: 0003 by GF-2, 44 km from the border", "info"),
        (12, "track_confirmed", "0003 confirmed, drone 81 %", "info"),
        (24, "track_confirmed", "0004 confirmed, drone 80 %", "info"),
        (60, "proposal", "Proposed: pre-alert for the river villages, 3 drones 21 km out", "notice"),
        (90, "alert_sent", "Pre-alert sent to the river villages, approved by M. Ionescu", "warning"),
        (180, "patrol", "FALCON1 airborne", "info"),
        (300, "alert_sent", "ALERT sent: take cover", "alarm"),
        (330, "patrol", "FALCON1 on station", "info"),
        (420, "proposal", "Proposed: widen the alert", "notice"),
        (650, "track_lost", "0005 lost from sight 6 km from the border; its area grows", "warning"),
    )
    return tuple(Event(kind, START_NS + at * NS_PER_S, text, severity) for at, kind, text, severity in story if t_s - STEP_S < at <= t_s)


class Show:
    """Plays the evening into a hub, one step a call."""

    def __init__(
        self,
        hub: Hub,
        pack: Pack,
        *,
        mode: str = "EXERCISE",
        neighbours: Mapping[str, Territory] | None = None,
        display_files: Mapping[str, bytes] | None = None,
    ) -> None:
        self.hub, self.pack, self.mode = hub, pack, mode
        self.sensors, self.board, self.warned, self.t_s = made_up_sensors(), Board(), Warned(), 0.0
        hub.set_site(site_picture(pack, neighbours or {}, self.sensors, mode, title="Made-up evening", display_files=display_files))

    def step(self, *, publish: bool = True) -> None:
        """Advance by `STEP_S` of event time."""
        self.t_s += STEP_S
        now_ns = START_NS + round(self.t_s * NS_PER_S)
        tracks = tracks_at(self.t_s)
        self.warned = warned_at(self.t_s, self.pack, tracks, self.warned)
        sensed = Sensed(empty_plots(), empty_bearings(), empty_looks(), (), self.sensors, (), 0)
        self.board = fold(self.board, now_ns, sensed=sensed, warned=self.warned, events=events_at(self.t_s))
        # The second radar falls silent after eight minutes.
        heard = (now_ns - NS_PER_S, now_ns - 2 * NS_PER_S if self.t_s < 480 else START_NS + 480 * NS_PER_S, 0)
        self.board = replace(self.board, heard_ns=heard)
        if 600 < self.t_s < 602.1:
            self.board = replace(
                self.board,
                sightings=(Sighting("s", now_ns, 5.0, "fire", math.radians(45.36), math.radians(28.9), 300.0),),
            )
        if publish:
            self.hub.publish(
                live_picture(
                    now_ns,
                    tracks,
                    judgement_of(tracks, self.pack),
                    self.board,
                    self.sensors,
                    mode=self.mode,
                    exercise=True,
                )
            )

    def skip(self, seconds: float) -> None:
        """Play a stretch at once."""
        while self.t_s < seconds:
            self.step()


def main() -> None:
    """Serve the made-up evening until interrupted."""
    from lapwing.web.app import create_app
    from lapwing.web.serve import start

    hub = Hub(lambda kind, payload: print(kind, payload.decode(), flush=True))
    pack, neighbours, files = made_up_pack(), {}, {}
    if len(sys.argv) > 2:
        from lapwing.adapters.packs import load_country, load_outlines

        pack, outlines = load_country(sys.argv[2], None), load_outlines()
        neighbours = {code: outlines[code] for code in pack.neighbours if code in outlines}
        folder = Path(__file__).resolve().parents[2] / "packs" / "display"
        files = {path.name: path.read_bytes() for path in sorted(folder.glob("*.geojson"))}
    show = Show(hub, pack, neighbours=neighbours, display_files=files)
    server = start(create_app(hub), port=int(sys.argv[1]) if len(sys.argv) > 1 else 8080)
    print(server.url, flush=True)
    try:
        show.skip(float(sys.argv[3]) if len(sys.argv) > 3 else 480.0)
        while True:
            time.sleep(0.5)
            show.step()
    except KeyboardInterrupt:
        server.stop()


if __name__ == "__main__":
    main()
