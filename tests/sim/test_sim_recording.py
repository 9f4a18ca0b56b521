"""A played story: the same for the same seed, sensible in what is seen, complete in what people say."""

import dataclasses
import json

import numpy as np
import pytest

from lapwing.model.sensors import ACOUSTIC_ARRAY, ADSB, RADAR
from lapwing.sense.formats import read_acoustic  # noqa: F401  (the reader that the acoustic records are for)
from lapwing.sense.person_json import decode_report
from lapwing.sense.sensors_file import parse_sensors
from lapwing.sim import load_story, play, story_names


@pytest.fixture(scope="module")
def orlivka():
    return play(load_story("orlivka-800m"), 1)


def test_same_seed_same_octets_another_seed_others():
    story = load_story("sumskas-slow-faller")
    one, two, other = play(story, 7), play(story, 7), play(story, 8)
    assert one.items == two.items and one.items != other.items
    assert one.sensors == two.sensors


def test_items_come_in_order_of_reception_and_after_what_they_report(orlivka):
    received = [item[0] for item in orlivka.items]
    assert received == sorted(received)
    assert received[0] >= orlivka.story.start_ns and received[-1] <= orlivka.story.end_ns + 10 * 10**9
    for at, _, format_, payload in orlivka.items:
        if format_ not in ("asterix", "acoustic"):
            assert decode_report(format_, payload).time_ns <= at


def test_drones_are_first_seen_where_geometry_and_range_allow(orlivka):
    # The story: first geometrically visible 19:56:00Z by RO-GF-2, at its 60 km range, where half of the looks succeed.
    plots = dict(orlivka.plots)
    minutes = (plots["RO-GF-2"].measured_128[plots["RO-GF-2"].truth_id == 1] / 128.0 - orlivka.story.start_ns / 1e9) / 60.0
    share = np.histogram(minutes, bins=[5.0, 6.0, 7.0])[0] / 30.0          # looks every 2 s
    assert 0.25 < share[0] < 0.75 and minutes.min() < 6.0
    assert not (plots["RO-GF-3"].truth_id == 1)[plots["RO-GF-3"].measured_128 / 128.0 < orlivka.story.start_ns / 1e9 + 2_400].any()


def test_patrol_and_birds_are_seen_too(orlivka):
    seen = {orlivka.motions[row].name for _, p in orlivka.plots for row in np.unique(p.motion[p.motion >= 0]).tolist()}
    assert seen == {m.name for m in orlivka.motions}


def test_patrol_log_keeps_the_stated_times(orlivka):
    events = {}
    for _, _, format_, payload in orlivka.items:
        if format_ == "patrol":
            event = decode_report(format_, payload)
            events.setdefault(event.event, event.time_ns)
    wanted = orlivka.story.expected["patrol_times"][0]
    from lapwing.model.times import to_iso

    found = {event: to_iso(t, digits=0) for event, t in events.items()}
    assert (found["airborne"], found["on_station"], found["landed"]) == (
        wanted["take_off"], wanted["on_station"], wanted["landed"])
    assert "not_seen" in found and "seen" not in found


def test_own_patrol_is_named_friend_by_its_addresses_at_take_off(orlivka):
    named = [decode_report(f, p) for _, _, f, p in orlivka.items if f == "identify"]
    patrol = {m.identity.icao_address for m in orlivka.motions if m.patrol}
    assert {n.icao_address for n in named} == patrol and {n.affiliation for n in named} == {"friend"}
    assert {n.time_ns for n in named} == {orlivka.story.start_ns + 1_500 * 10**9}


def test_each_impact_is_reported_from_each_village_within_5_km(orlivka):
    kinds = [(s.kind, s.place) for s in (decode_report(f, p) for _, _, f, p in orlivka.items if f == "sighting")]
    assert kinds.count(("explosion", "Isaccea")) == 3 and kinds.count(("fire", "Isaccea")) == 3


def test_sensor_table_names_what_sends(orlivka):
    kinds = {row.id: row.kind for row in orlivka.sensors.rows}
    links = {item[1].removeprefix("demo:") for item in orlivka.items} - {"people", "patrol"}
    assert links <= set(kinds)
    assert kinds["RO-LR-1"] == RADAR and kinds["RO-ADSB"] == ADSB and kinds["RO-AC-1"] == ACOUSTIC_ARRAY
    row = orlivka.sensors.rows[orlivka.sensors.index_of("RO-GF-2")]
    assert (row.small_range_m, row.rotation_s, row.range_m_sigma, row.detection_prob) == (60_000.0, 2.0, 25.0, 0.85)
    assert len({(r.sac, r.sic) for r in orlivka.sensors.rows if r.sac >= 0}) == sum(r.sac >= 0 for r in orlivka.sensors.rows)


def test_sensor_table_survives_its_file(orlivka):
    from lapwing.runtime.scene_files import sensors_toml

    again = parse_sensors(sensors_toml(orlivka.sensors).encode(), "sensors.toml")
    for row, back in zip(orlivka.sensors.rows, again.rows, strict=True):
        assert (row.id, row.kind, row.sac, row.sic, row.categories) == (back.id, back.kind, back.sac, back.sic, back.categories)
        for key in ("latitude_rad", "longitude_rad", "height_m", "azimuth_rad_sigma", "small_range_m"):
            assert getattr(back, key) == pytest.approx(getattr(row, key), rel=1e-6, abs=0.01, nan_ok=True)


def test_detection_gap_is_kept():
    recording = play(load_story("valcov-galati-two-entries"), 1)
    start_s = recording.story.start_ns / 1e9
    times = np.concatenate([p.measured_128[p.truth_id == 1] / 128.0 - start_s for _, p in recording.plots])
    assert not ((times > 1_384.0) & (times < 3_207.0)).any()
    assert (times < 1_384.0).sum() > 100 and (times > 3_207.0).sum() > 10
    gf3 = dict(recording.plots)["RO-GF-3"]
    late = gf3.measured_128[gf3.truth_id == 1] / 128.0 - start_s
    assert (late > 3_207.0).sum() / (700.0 / 2.0) < 0.4          # intermittent: 0.3 of the looks at most


def test_acoustic_bearings_point_at_where_the_sound_left(orlivka):
    from lapwing.geo.wgs84 import geodesic_inverse

    array = orlivka.sensors.rows[orlivka.sensors.index_of("RO-AC-1")]
    off = []
    for at, link, format_, payload in orlivka.items:
        if format_ == "acoustic" and link.endswith("RO-AC-1"):
            record = json.loads(payload)
            from lapwing.model.times import from_iso

            heard_s = (from_iso(record["time"]) - orlivka.story.start_ns) / 1e9
            assert at / 1e9 - orlivka.story.start_ns / 1e9 > heard_s
            bearings = [np.degrees(geodesic_inverse(array.latitude_rad, array.longitude_rad, *m.at(heard_s - 8.0)[:2])[1])
                        for m in orlivka.motions[:3] if m.time_s[0] < heard_s < m.time_s[-1] + 15.0]
            if bearings:
                off.append(min(abs((record["azimuth_deg"] - b + 180.0) % 360.0 - 180.0) for b in bearings))
    assert len(off) > 10 and np.median(off) < 12.0


@pytest.mark.parametrize("name", story_names())
def test_every_story_plays_with_any_places(name):
    story = load_story(name)
    short = dataclasses.replace(story, end_ns=story.start_ns + 900 * 10**9)
    recording = play(short, 3, places=[("Somewhere", 45.3, 28.5)])
    assert len(recording.items) > 100 and len(recording.truth) >= 0
    assert set(recording.origins) == {r.id for r in recording.radars}


def test_observers_without_a_named_village_stand_near_the_path():
    recording = play(load_story("sumskas-slow-faller"), 1)
    places = {decode_report(f, p).place for _, _, f, p in recording.items if f == "sighting"}
    assert places and places <= {"Šumskas", "Didieji Medininkai", "Laukininkai"}
