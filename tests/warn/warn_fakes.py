"""A small made-up country and made-up objects for the tests of the warner.

The country lies south of 45 N between 27 E and 30 E; two counties, cells of 0.1 x 0.06 degrees with one village each.
Signed distances are those to the parallel, good to a metre here.
"""

from dataclasses import replace

import numpy as np

from lapwing.country.pack import Pack, Places, Policy, Zone
from lapwing.geo.areas import build_areas
from lapwing.geo.border import build_territory
from lapwing.model.reports import Command
from lapwing.model.tracks import CLASSES, Tracks
from lapwing.model.verdicts import BorderStates, Judgement
from lapwing.warn import Settings, State, step

BORDER_DEG = 45.0
WEST_DEG, EAST_DEG, SOUTH_DEG = 27.0, 30.0, 44.4
CELL_LON_DEG, CELL_LAT_DEG = 0.1, 0.06
METRES_PER_DEG = 111_132.0
S = 1_000_000_000
START_NS = 1_754_423_400 * S
LANGUAGES = ("ro", "en", "uk")


def texts():
    """Return the shipped texts of the Romanian pack, read as an adapter would."""
    from pathlib import Path

    from lapwing.country.texts import read_texts

    packs = Path(__file__).resolve().parents[2] / "packs"
    files = {f"common/texts/{p.name}": p.read_bytes() for p in (packs / "common" / "texts").glob("*.toml")}
    files |= {f"texts/{p.name}": p.read_bytes() for p in (packs / "ro" / "texts").glob("*.toml")}
    return read_texts(files, LANGUAGES)[0]


def make_pack(population: int = 900, policy: Policy | None = None) -> Pack:
    """Return the country; every village has `population` people."""
    rings, zones, places = [], [], []
    counties = (("XX-W", WEST_DEG, 28.5), ("XX-E", 28.5, EAST_DEG))
    for code, west, east in counties:
        rings.append([[(SOUTH_DEG, west), (SOUTH_DEG, east), (BORDER_DEG, east), (BORDER_DEG, west),
                       (SOUTH_DEG, west)]])
        zones.append(zone(code, code, "county", "", code, 0, 44.7, (west + east) / 2, len(zones), False))
    for code, west, east in counties:
        for column in range(round((east - west) / CELL_LON_DEG)):
            for row in range(round((BORDER_DEG - SOUTH_DEG) / CELL_LAT_DEG)):
                left, top = west + column * CELL_LON_DEG, BORDER_DEG - row * CELL_LAT_DEG
                right, bottom = left + CELL_LON_DEG, top - CELL_LAT_DEG
                rings.append([[(bottom, left), (bottom, right), (top, right), (top, left), (bottom, left)]])
                name = f"Sat {code[-1]}{column:02d}{row:02d}"
                lat, lon = (top + bottom) / 2, (left + right) / 2
                places.append((name, lat, lon, len(zones)))
                zones.append(zone(f"{code}-{column:02d}{row:02d}", name, "cell", code, code, population, lat, lon,
                                  len(zones), True))
    outline = [(SOUTH_DEG, WEST_DEG), (SOUTH_DEG, EAST_DEG), (BORDER_DEG, EAST_DEG), (BORDER_DEG, WEST_DEG),
               (SOUTH_DEG, WEST_DEG)]
    territory = build_territory([outline], name="Examplia", code="XX", version="1", sha256="0" * 64, complete=True)
    return Pack(
        code="XX", names={"en": "Examplia"}, version="1", sha256="0" * 64, time_zone="Europe/Bucharest",
        languages=LANGUAGES, neighbours=(), territory=territory, zones=tuple(zones), areas=build_areas(rings),
        places=Places(tuple(p[0] for p in places), np.radians([p[1] for p in places]),
                      np.radians([p[2] for p in places]), np.full(len(places), population, np.int64),
                      np.zeros(len(places), bool), np.array([p[3] for p in places], np.int32)),
        policy=policy or Policy(sender="warn@examplia.example"), partners=(), texts=texts(),
        scale={"alert": {"ro": "roșu", "en": "red"}}, attribution="")


def zone(code, name, level, parent, county, population, lat, lon, index, addressable):
    return Zone(code=code, name=name, names={"ro": name, "en": name}, level=level, parent=parent, county=county,
                population=population, population_estimated=False, latitude_rad=np.radians(lat),
                longitude_rad=np.radians(lon), geocodes={"TEST-CODE": code}, derived=True, area_index=index,
                addressable=addressable)


def make_object(track_id="T-1", lat_deg=45.2, lon_deg=28.0, east_mps=0.0, north_mps=-50.0, *, now_ns=START_NS,
                born_ns=START_NS, last_plot_ns=None, updated=True, class_name="drone", class_prob=0.9, sigma_m=80.0,
                judged=True, confirmed=True, sensor_count=1, bias_m=0.0):
    """Return one row as a dict; `tracks_of` joins rows."""
    return dict(track_id=track_id, lat_deg=lat_deg, lon_deg=lon_deg, east_mps=east_mps, north_mps=north_mps,
                now_ns=now_ns, born_ns=born_ns, last_plot_ns=now_ns if last_plot_ns is None else last_plot_ns,
                updated=updated, class_name=class_name, class_prob=class_prob, sigma_m=sigma_m, judged=judged,
                confirmed=confirmed, sensor_count=sensor_count, bias_m=bias_m)


def tracks_of(rows):
    """Return Tracks and Judgement of rows made by `make_object`."""
    n = len(rows)

    def column(key, dtype=np.float64):
        return np.array([r[key] for r in rows], dtype=dtype)

    probs = np.zeros((n, len(CLASSES)))
    for i, row in enumerate(rows):
        probs[i] = (1.0 - row["class_prob"]) / (len(CLASSES) - 1)
        probs[i, CLASSES.index(row["class_name"])] = row["class_prob"]
    cov = np.zeros((n, 4, 4))
    for i, row in enumerate(rows):
        cov[i] = np.diag([row["sigma_m"] ** 2, row["sigma_m"] ** 2, 4.0, 4.0])
    tracks = Tracks(
        track_id=tuple(r["track_id"] for r in rows), time_ns=column("now_ns", np.int64),
        born_ns=column("born_ns", np.int64),
        last_plot_ns=column("last_plot_ns", np.int64), latitude_rad=np.radians(column("lat_deg")),
        longitude_rad=np.radians(column("lon_deg")), height_m=np.full(n, 150.0), height_m_sigma=np.full(n, 50.0),
        velocity_mps=np.stack([column("east_mps"), column("north_mps")], axis=1) if n else np.zeros((0, 2)),
        state_cov=cov, bias_cov_m2=column("bias_m")[:, None, None] ** 2 * np.eye(2), turn_rate_radps=np.zeros(n), existence_prob=np.ones(n),
        confirmed=column("confirmed", bool), coasting=~column("updated", bool), updated=column("updated", bool),
        class_prob=probs, affiliation=np.zeros(n, np.uint8), cooperative=np.zeros(n, bool),
        mode3a=np.full(n, -1, np.int32), icao_address=np.full(n, -1, np.int32), callsign=np.zeros(n, "S8"),
        plot_count=np.full(n, 8), sensor_count=column("sensor_count", np.int64), sensors_mask=np.ones(n, np.uint64))
    border = (column("lat_deg") - BORDER_DEG) * METRES_PER_DEG
    zero = np.zeros(n)
    states = BorderStates(
        border_m=border, border_m_sigma=zero + 80, nearest_latitude_rad=np.full(n, np.radians(BORDER_DEG)),
        nearest_longitude_rad=np.radians(column("lon_deg")), line_bound_95_m=zero, closing_mps=-column("north_mps"),
        time_to_go_s=zero, earliest_s=zero, entry_5_prob=zero, entry_10_prob=zero, entry_15_prob=zero, inside_prob=zero,
        judged=column("judged", bool), traffic_reason=tuple("" if r["judged"] else "friend" for r in rows))
    return tracks, Judgement(states=states, others={})


class Run:
    """Plays objects through the warner second by second and keeps what came out."""

    def __init__(self, pack=None, officer_s=20.0, second_s=15.0, settings=None):
        self.pack = pack or make_pack()
        self.state, self.now_ns = State(), START_NS
        self.settings = settings or Settings(status="Exercise")
        self.officer_s, self.second_s = officer_s, second_s
        self.queue: list[Command] = []
        self.alerts, self.proposals, self.decisions, self.notes, self.levels = [], [], [], [], ()
        self.threats = ()

    def step(self, rows=(), commands=(), seconds=1.0):
        """Take one step; `rows` as made by `make_object` (their times are set to now)."""
        self.now_ns += round(seconds * S)
        due = tuple(c for c in self.queue if c.time_ns <= self.now_ns)
        self.queue = [c for c in self.queue if c.time_ns > self.now_ns]
        now = [{**r, "now_ns": self.now_ns, "last_plot_ns": self.now_ns if r["updated"] else r["last_plot_ns"]}
               for r in rows]
        self.state, warned = step(self.state, *tracks_of(now), due + tuple(commands), self.pack, self.now_ns,
                                  self.settings)
        self.alerts += warned.alerts
        self.proposals += warned.proposals
        self.decisions += warned.decisions
        self.notes += warned.notes
        self.levels, self.threats = dict(warned.zone_levels), warned.threats
        if self.officer_s is not None:
            for proposal in warned.proposals:
                for number in range(proposal.approvals_needed if not proposal.automatic else 0):
                    at = self.now_ns + round((self.officer_s + number * self.second_s) * S)
                    self.queue.append(Command(at, "approve", alert_id=proposal.id, by=f"officer {number + 1}"))
        return warned

    def fly(self, rows, seconds, plot_every_s=5):
        """Fly objects straight on for a time with a plot every few seconds; return their rows at the end."""
        rows = [dict(r) for r in rows]
        for second in range(int(seconds)):
            rows = [moved(r, 1.0) for r in rows]
            seen = second % plot_every_s == 0
            rows = [{**r, "updated": seen, "last_plot_ns": self.now_ns + S if seen else r["last_plot_ns"]}
                    for r in rows]
            self.step(rows)
        return rows

    def wait(self, seconds, every_s=1.0):
        """Let time pass without tracks."""
        for _ in range(int(seconds / every_s)):
            self.step(seconds=every_s)

    def public(self, level="alert"):
        """Return the messages of a level, with all that refer to them."""
        own = {reference_of(a) for a in self.alerts if a.level == level}
        return [a for a in self.alerts if reference_of(a) in own or own & set(a.references)]

    def in_force(self):
        """Return the messages that nothing has replaced or ended yet."""
        named = {name for a in self.alerts for name in a.references}
        return [a for a in self.alerts if a.level != "all_clear" and reference_of(a) not in named]


def reference_of(alert):
    from lapwing.warn.cap import reference

    return reference("warn@examplia.example", alert.identifier, alert.sent_ns)


def moved(row, seconds):
    """Return a row after flying straight on."""
    lat = row["lat_deg"] + row["north_mps"] * seconds / METRES_PER_DEG
    lon = row["lon_deg"] + row["east_mps"] * seconds / (METRES_PER_DEG * np.cos(np.radians(row["lat_deg"])))
    return {**row, "lat_deg": lat, "lon_deg": lon}


__all__ = ["LANGUAGES", "METRES_PER_DEG", "START_NS", "Run", "S", "make_object", "make_pack", "moved", "replace",
           "tracks_of"]
