"""A small made-up incident as journal outputs: two objects near a border, an alert, a patrol, a notice, reports."""

from __future__ import annotations

import math
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from lapwing.country.pack import Pack, Partner, Places, Policy, Zone
from lapwing.geo.areas import build_areas
from lapwing.geo.border import build_territory
from lapwing.model.alerts import Alert, Decision, Proposal, ZoneRef
from lapwing.model.entries import Entry
from lapwing.model.errors import Refusal
from lapwing.model.notices import Notice, NoticeObject
from lapwing.model.ports import Batch, Output
from lapwing.model.reports import PatrolEvent, Sighting
from lapwing.model.sensors import Sensor, SensorTable
from lapwing.model.times import NS_PER_S, from_iso
from lapwing.model.tracks import CLASSES, Tracks
from lapwing.model.verdicts import Boundary, Crossing, DecisivePlot, Evidence, Traffic, Verdict
from lapwing.record import rows
from lapwing.record.canonical import to_json
from lapwing.record.incident import Event
from lapwing.record.track_rows import pack

START_NS = from_iso("2025-08-05T20:30:00Z")
IDS = ("20250805-0001", "20250805-0002", "20250805-0003")
SENSORS = SensorTable((
    Sensor("RO-GF-1", sac=1, sic=2, latitude_rad=math.radians(45.18), longitude_rad=math.radians(28.8),
           height_m=120.0, rotation_s=4.0, range_m_max=120_000.0, small_range_m=45_000.0),
    Sensor("RO-LR-2", sac=1, sic=3, latitude_rad=math.radians(45.05), longitude_rad=math.radians(28.2),
           height_m=300.0, rotation_s=10.0, range_m_max=300_000.0),
    Sensor("UNPLACED", sac=9, sic=9)))


def tracks_at(second: int) -> Tracks:
    """Return three tracks: one along the line at 800 m, one that crosses it, one airliner."""
    n = 3
    share = second / 900.0
    lat = np.radians([45.335 - 0.04 * share, 45.40 - 0.16 * share, 44.9 + 0.3 * share])
    lon = np.radians([28.60 - 0.15 * share, 28.75 - 0.12 * share, 28.3 + 0.4 * share])
    probs = np.full((n, len(CLASSES)), 0.01)
    probs[0, 0] = probs[1, 0] = probs[2, 6] = 0.91
    time_ns = START_NS + second * NS_PER_S
    cov = np.zeros((n, 4, 4))
    cov[:, 0, 0] = cov[:, 1, 1] = 90.0**2
    return Tracks(
        track_id=IDS, time_ns=np.full(n, time_ns), born_ns=np.full(n, START_NS),
        last_plot_ns=np.full(n, time_ns), latitude_rad=lat, longitude_rad=lon,
        height_m=np.array([150.0, np.nan, 10_500.0]), height_m_sigma=np.array([50.0, np.nan, 20.0]),
        velocity_mps=np.array([[-45.0, -10.0], [-20.0, -35.0], [150.0, 180.0]]), state_cov=cov,
        bias_cov_m2=np.zeros((n, 2, 2)), turn_rate_radps=np.zeros(n), existence_prob=np.full(n, 0.99),
        confirmed=np.ones(n, np.bool_), coasting=np.zeros(n, np.bool_), updated=np.ones(n, np.bool_),
        class_prob=probs, affiliation=np.array([0, 0, 1], np.uint8), cooperative=np.array([False, False, True]),
        mode3a=np.array([-1, -1, 0o1234], np.int32), icao_address=np.array([-1, -1, 0xABC123], np.int32),
        callsign=np.array([b"", b"", b"ROT123"], "S8"), plot_count=np.full(n, 10 + second // 4),
        sensor_count=np.full(n, 2), sensors_mask=np.array([3, 1, 3], np.uint64))


def at(second: float) -> int:
    """Return the time of a second of the story."""
    return START_NS + round(second * NS_PER_S)


def verdict(track_id: str, closest_m: float, word: str, latitude_deg: float, longitude_deg: float) -> Verdict:
    """Return a final verdict."""
    entries = () if closest_m > 0 else (Crossing(START_NS + 600 * NS_PER_S, START_NS + 800 * NS_PER_S,
                                                 math.radians(latitude_deg), math.radians(longitude_deg), -closest_m),)
    words = f"{track_id} {word}: {closest_m:.0f} m"
    return Verdict(track_id, "RO", word, 0.99 if closest_m < 0 else 0.0012, closest_m, closest_m - 190.0,
                   closest_m + 190.0, START_NS + 700 * NS_PER_S, math.radians(latitude_deg),
                   math.radians(longitude_deg), max(-closest_m, 0.0), entries, 200.0 if entries else 0.0,
                   Boundary("Romania", "2025-01", "ab" * 32, 200.0),
                   Evidence(220, ("RO-GF-1", "RO-LR-2"), ((at(300), at(345)),), 40.0, at(0), at(700), (
                       DecisivePlot(at(690), "RO-GF-1", 40, closest_m + 12.0, 31.0, 55.0, 0.97),
                       DecisivePlot(at(698), "RO-LR-2", 41, closest_m, 30.0, math.nan, math.nan))),
                   {"ro": f"Obiectul {words}.", "en": f"Object {words}.", "uk": f"Обʼєкт {words}."},
                   "outside beyond the bound <of the line>", True, START_NS + 900 * NS_PER_S)


def alert(level: str, second: int, zones: tuple[ZoneRef, ...], msg_type: str = "Alert") -> Alert:
    """Return a message sent at a second of the story."""
    at_ns = START_NS + second * NS_PER_S
    return Alert(f"lapwing/RO:{level}:{second}", at_ns, "Exercise", msg_type, level, zones,
                 (((45.2, 28.3), (45.2, 28.6), (45.3, 28.6), (45.2, 28.3)),), at_ns, at_ns + 1_200 * NS_PER_S,
                 ("ro", "en", "uk"), (IDS[0],), at_ns - 20 * NS_PER_S, at_ns, ("played officer 1",), (), "p1",
                 "<alert>ț</alert>".encode())


def story(zones: tuple[ZoneRef, ...], border_m: dict[int, np.ndarray] | None = None
          ) -> tuple[list[tuple[int, Output]], list[Batch]]:
    """Return (outputs, batches) of the incident; a batch every 4 s. `border_m`: by second, else a made-up course."""
    outputs: list[tuple[int, Output]] = []
    batches = []
    sequence = 0

    def add(number: int, kind: str, row: dict) -> None:
        outputs.append((number, Output(kind, to_json(row))))

    def event(number: int, second: int, kind: str, text: str, severity: str = "info", ids: tuple[str, ...] = IDS[:1]):
        add(number, "event", rows.event_row(Event(kind, at(second), text, severity, ids, "20250805-1")))

    for number in range(226):
        second = 4 * number
        links = ["demo:RO-GF-1"] + (["demo:RO-LR-2"] if not 300 <= second < 360 else [])
        batches.append(Batch(number, tuple(
            Entry(sequence + i, at(second), link, "asterix", b"\x30") for i, link in enumerate(links))))
        sequence += len(links)
        made_up = np.array([794.0 + 14_000.0 * (1.0 - second / 720.0) ** 2, 9_000.0 - 12.5 * second, 40_000.0])
        distance_m = made_up if border_m is None else border_m[second]
        outputs.append((number, Output("tracks", pack(
            tracks_at(second), distance_m, at(second) + 5_000, border_m_sigma=np.full(3, 110.0),
            judged=np.array([True, True, False])))))
    event(1, 4, "track_confirmed", f"{IDS[0]} confirmed from 5 plots: likeliest drone (91 %), 46 m/s, 14.0 km outside")
    proposal = Proposal("p1", START_NS + 40 * NS_PER_S, START_NS + 340 * NS_PER_S, "Alert", "alert", zones, IDS[:1],
                        "object may be within 5 km in 8 min", 1, ())
    add(10, "proposal", rows.proposal_row(proposal))
    event(10, 40, "proposal", "Proposed: alert for the zones on the river", "notice")
    add(15, "decision", rows.decision_row(Decision(START_NS + 60 * NS_PER_S, "p1", "approve", "played officer 1", "")))
    add(15, "alert", rows.alert_row(alert("alert", 60, zones)))
    event(15, 60, "alert_sent", "Sent: alert for the zones on the river", "alarm")
    add(20, "patrol", rows.patrol_row(PatrolEvent(at(80), "VIPER 1", "airborne", "Fetești", "pair", "ops")))
    add(60, "patrol", rows.patrol_row(PatrolEvent(at(240), "VIPER 1", "on_station", "Tulcea", "", "ops")))
    notice = Notice("n1", "MD", "RELEASABLE TO MD", START_NS + 120 * NS_PER_S, START_NS + 1_920 * NS_PER_S,
                    (NoticeObject(IDS[1], START_NS, 0.79, 0.49, 120.0, math.nan, (-20.0, -35.0), "drone", 0.9),),
                    {"en": "An object nears your border."}, "track points at MD, 2.2 km from its border")
    add(30, "notice", rows.notice_row(notice))
    add(42, "notice", rows.notice_row(replace(notice, acknowledged_by="liaison MD",
                                              acknowledged_ns=START_NS + 165 * NS_PER_S)))
    add(180, "sighting", rows.sighting_row(Sighting(
        "s1", at(722), 5.0, "explosion", math.radians(45.27), math.radians(28.46), 300.0, math.radians(10.0), 0.1,
        "Isaccea", "<b>loud</b>", "villager", 300)))
    event(180, 722, "sighting", "Report: explosion from Isaccea, bearing 010°", "warning", ())
    event(200, 700, "closest_approach", f"{IDS[0]} was closest to the border: 794 m outside", "notice")
    add(200, "refusals", rows.refusals_row([Refusal("no_position", "SAC 9 SIC 9", "no position", "9/9", 3)],
                                           START_NS + 800 * NS_PER_S))
    early = verdict(IDS[0], 2_000.0, "undetermined", 45.3, 28.5)
    for number, item in ((100, early), (225, verdict(IDS[0], 794.0, "not_entered", 45.2975, 28.456)),
                         (225, verdict(IDS[1], 5_420.0, "not_entered", 45.32, 28.66))):
        add(number, "verdict", rows.verdict_row(item))
    event(225, 900, "verdict", f"Verdict on {IDS[0]} and RO: did not enter", "notice")
    add(225, "traffic", rows.traffic_row(Traffic(IDS[2], "RO", "neutral", "neutral", "airliner", 0.91, "ABC123",
                                                 START_NS, START_NS + 900 * NS_PER_S, 40_000.0)))
    add(225, "alert", rows.alert_row(alert("all_clear", 900, zones, "Update")))
    event(225, 900, "all_clear", "All clear for the zones on the river", "clear")
    outputs.sort(key=lambda item: item[0])
    return outputs, batches


def small_pack() -> Pack:
    """Return a country of one county with two cells south of a river at 45.29 N."""
    ring = [(44.5, 28.0), (44.5, 29.5), (45.29, 29.5), (45.29, 28.0), (44.5, 28.0)]
    cell = [(45.2, 28.3), (45.2, 28.6), (45.29, 28.6), (45.29, 28.3), (45.2, 28.3)]
    zones = (
        Zone("RO-TL", "Tulcea", {"ro": "Tulcea"}, "county", "RO", "RO-TL", 200_000, False, 0.788, 0.5, {}, False, 0,
             False),
        Zone("RO-TL-1", "Isaccea", {"ro": "Isaccea"}, "cell", "RO-TL", "RO-TL", 4_789, False, 0.79, 0.497, {}, True, 1,
             True),
    )
    places = Places(("Tulcea", "Isaccea"), np.radians([45.18, 45.27]), np.radians([28.8, 28.46]),
                    np.array([65_000, 4_789]), np.zeros(2, np.bool_), np.array([-1, 1], np.int32))
    return Pack("RO", {"en": "Romania", "ro": "România"}, "test", "cd" * 32, "Europe/Bucharest", ("ro", "en", "uk"),
                ("UA",), build_territory([ring], name="Romania", code="RO", version="2025-01", sha256="ab" * 32),
                zones, build_areas([[ring], [cell]]), places, Policy(),
                (Partner("MD", "Moldova", "neighbour", "MD", "RELEASABLE TO MD", "near_border", ("en",), (), 1_800.0),),
                MappingProxyType({"ro": {}, "en": {}, "uk": {}}), MappingProxyType({}),
                "(c) OpenStreetMap contributors (ODbL); test data")


ZONES = (ZoneRef("RO-TL-1", "Isaccea", 4_789, "RO-TL"),)
