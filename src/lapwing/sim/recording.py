"""Play a story: its sensors look at its objects, and what they send comes out as a recording, in order of reception."""

from __future__ import annotations

import csv
import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from lapwing.geo.geoid import undulation_m
from lapwing.model.resources import read_resource
from lapwing.model.sensors import ACOUSTIC_ARRAY, ADSB, RADAR, Sensor, SensorTable
from lapwing.sim import acoustic, patrol, people
from lapwing.sim.asterix_out import adsb_datagrams, radar_datagrams
from lapwing.sim.classes import has_secondary, sensor_class
from lapwing.sim.clutter import sheet_clutter
from lapwing.sim.cooperative import adsb_reports
from lapwing.sim.motion import Motion, motions_of_story
from lapwing.sim.people import Village
from lapwing.sim.radar import Radar, RadarPlots, check_seed, generator, scan
from lapwing.sim.story import Story, StorySensor
from lapwing.sim.truth import Truth, truth_of

SAC = 250  # invented: no country's
TRUTH_STEP_S = 2.0
LINK = "demo:"
# A gap filler's sheet has no instrumented range: our assumption, in ranges for the small object.
INSTRUMENTED_TIMES = 2.5
Item = tuple[int, str, str, bytes]  # received_ns, link, format, payload


@dataclass(frozen=True, slots=True)
class Recording:
    """What a story's sensors sent, and the truth behind it."""

    story: Story
    sensors: SensorTable
    items: tuple[Item, ...]  # in order of reception
    truth: Truth
    radars: tuple[Radar, ...]
    motions: tuple[Motion, ...]
    plots: tuple[tuple[str, RadarPlots], ...]  # radar id, its plots: their `truth_id` is the origin of each

    @property
    def origins(self) -> dict[str, tuple[int, ...]]:
        """Truth id of each plot of each radar in order of time, 0 for clutter. For scoring only."""
        return {name: tuple(plots.truth_id.tolist()) for name, plots in self.plots}


def play(story: Story, seed: int, places: Sequence[tuple[str, float, float]] | None = None) -> Recording:
    """Return the recording of a story.

    Parameters
    ----------
    story : from `load_story`
    seed : the same seed gives the same octets; seeds from 9000 on are kept for scoring
    places : (name, latitude_deg, longitude_deg) of settlements of the protected country, where observers may stand;
        None: the villages that the package knows (enough for the shipped stories)
    """
    check_seed(seed)
    motions = motions_of_story(story)
    radars = tuple(_radar(each, seed) for each in story.sensors if sensor_class(each.class_name).rotates)
    arrays = tuple(
        _array(each) for each in story.sensors if each.class_name == "acoustic_array" and math.isfinite(each.range_m)
    )
    table = sensor_table(story, radars, arrays)
    identities = [motion.identity for motion in motions]
    streams: list[list[Item]] = []
    plots = []
    for radar in radars:
        found = scan(radar, motions, story.start_ns, story.span_s, seed)
        plots.append((radar.id, found))
        row = table.rows[table.index_of(radar.id)]
        streams.append(
            [
                (at, LINK + radar.id, "asterix", octets)
                for at, octets in radar_datagrams(
                    radar, found, row.sac, row.sic, story.start_ns, story.span_s, seed, identities
                )
            ]
        )
    streams += _adsb(story, motions, radars, table, seed)
    for array in arrays:
        streams.append(
            [
                (at, LINK + array.id, "acoustic", octets)
                for at, octets, _ in acoustic.reports(array, motions, story.start_ns, story.span_s, seed)
            ]
        )
    known = (
        shipped_villages(story.country)
        if places is None
        else tuple(Village(name, math.radians(lat), math.radians(lon)) for name, lat, lon in places)
    )
    villages = people.observers(story, known, motions)
    streams.append(
        [
            (at, LINK + "people", "sighting", octets)
            for at, octets, _ in people.sightings(story, villages, motions, seed)
        ]
    )
    streams.append([(at, LINK + "patrol", format_, octets) for at, format_, octets in patrol.entries(story, motions)])
    items = tuple(
        item
        for item in heapq.merge(*(sorted(stream, key=_reception) for stream in streams), key=_reception)
        if item[0] <= story.end_ns + 10_000_000_000
    )
    return Recording(
        story,
        table,
        items,
        truth_of(motions, radars, story.start_ns, story.span_s, TRUTH_STEP_S),
        radars,
        motions,
        tuple(plots),
    )


def _reception(item: Item) -> int:
    return item[0]


def sensor_table(story: Story, radars: Sequence[Radar], arrays: Sequence[acoustic.AcousticArray]) -> SensorTable:
    """Return the sensors of a story as the chain is told of them: radars, the receivers of ADS-B, acoustic arrays."""
    rows = [
        Sensor(
            radar.id,
            RADAR,
            SAC,
            number,
            radar.latitude_rad,
            radar.longitude_rad,
            radar.height_m,
            round(radar.rotation_s, 6),
            radar.range_m_sigma,
            radar.azimuth_rad_sigma,
            radar.instrumented_m,
            radar.latency_s,
            radar.detection_prob,
            radar.small_range_m,
            sum(c.plots_per_scan for c in radar.clutter),
            (34, 48),
        )
        for number, radar in enumerate(radars, 1)
    ]
    if radars and any(o.cooperative for o in story.objects):
        site = radars[0]
        rows.append(
            Sensor(
                f"{story.country}-ADSB",
                ADSB,
                SAC,
                100,
                site.latitude_rad,
                site.longitude_rad,
                site.height_m,
                latency_s=0.25,
                detection_prob=0.95,
                false_plots_per_scan=0.0,
                categories=(21,),
            )
        )
    for array in arrays:
        rows.append(
            Sensor(
                array.id,
                ACOUSTIC_ARRAY,
                -1,
                -1,
                array.latitude_rad,
                array.longitude_rad,
                array.height_m,
                array.kind.update_s,
                math.nan,
                math.radians(array.kind.azimuth_deg_sigma),
                array.range_m,
                2.0,
                array.kind.detection_prob,
                array.range_m,
                0.0,
            )
        )
    return SensorTable(tuple(rows))


def _adsb(
    story: Story, motions: Sequence[Motion], radars: Sequence[Radar], table: SensorTable, seed: int
) -> list[list[Item]]:
    found = []
    for motion in motions:
        reports = adsb_reports(motion, radars, story.start_ns, story.span_s, seed)
        if reports is not None:
            name = f"{story.country}-ADSB"
            row = table.rows[table.index_of(name)]
            found.append(
                [(at, LINK + name, "asterix", octets) for at, octets in adsb_datagrams(reports, row.sac, row.sic)]
            )
    return found


def _radar(each: StorySensor, seed: int) -> Radar:
    """Return a radar of a story by its class; one without a range is out of use and sends marks alone."""
    kind = sensor_class(each.class_name)
    rng = generator(seed, each.id, "site")
    lat, lon = math.radians(each.latitude_deg), math.radians(each.longitude_deg)
    working = math.isfinite(each.range_m)
    instrumented = kind.instrumented_m or INSTRUMENTED_TIMES * (each.range_m if working else 40_000.0)
    return Radar(
        id=each.id,
        latitude_rad=lat,
        longitude_rad=lon,
        height_m=each.antenna_m_amsl + float(undulation_m(lat, lon)),
        antenna_m_amsl=each.antenna_m_amsl,
        rotation_s=kind.update_s,
        range_m_sigma=kind.range_m_sigma,
        azimuth_rad_sigma=math.radians(kind.azimuth_deg_sigma),
        small_range_m=each.range_m,
        instrumented_m=instrumented,
        detection_prob=kind.detection_prob,
        radial_mps_min=kind.radial_mps_min,
        secondary=working and has_secondary(each.class_name),
        clutter=sheet_clutter(kind.false_plots_per_scan, each.range_m, rng) if working else (),
        latency_s=round(float(rng.uniform(0.1, 0.35)), 3),
        jitter_s=0.1,
    )


def _array(each: StorySensor) -> acoustic.AcousticArray:
    lat, lon = math.radians(each.latitude_deg), math.radians(each.longitude_deg)
    kind = sensor_class(each.class_name)
    return acoustic.AcousticArray(
        each.id, lat, lon, each.antenna_m_amsl + float(undulation_m(lat, lon)), each.range_m, kind
    )


@cache
def shipped_villages(country: str) -> tuple[Village, ...]:
    """Return the villages of a country that the package knows (GeoNames, CC BY 4.0)."""
    lines = read_resource("lapwing.sim", "data/villages.csv").decode("utf-8").splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return tuple(
        Village(r["name"], math.radians(float(r["lat_deg"])), math.radians(float(r["lon_deg"])))
        for r in rows
        if r["country"] == country
    )
