"""Who answers for a track: one region at a time, under one number, whatever fails between them."""

import itertools
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parent))

from two_regions import LINE_DEG, M_PER_DEG, Region, Store, half

from lapwing.model.claims import Claim
from lapwing.model.errors import ConfigError
from lapwing.model.renaming import renamed
from lapwing.record import codec
from lapwing.record.canonical import to_json
from lapwing.record.rows import claim_row
from lapwing.region import make_area, plots_near
from lapwing.runtime.environment import state_dir
from lapwing.runtime.site_region import RegionSettings, area_of, limited, region_fact, region_of_fact
from lapwing.runtime.wiring import load_country
from lapwing.sense.claims import decode_claim
from lapwing.sense.person_json import BadReport


def fly(store, west, east, *, seconds, start_m=-20_000.0, speed=100.0, west_sees=lambda t: True, east_sees=lambda t: True, error_m=60.0,
        each=lambda t, w, e: None):
    """Fly one object eastwards over the line; each region sees it with an error of its own."""
    found = None
    for t in range(seconds):
        lon = LINE_DEG + (start_m + speed * t) / M_PER_DEG
        w = west.see(t, {"20250805-0003": (lon, speed, error_m)} if west_sees(t) else {})
        e = east.see(t, {"20250805-0001": (lon + 30.0 / M_PER_DEG, speed, -error_m)} if east_sees(t) else {})
        each(t, w, e)
        found = (w, e)
    return found


def test_an_object_that_flies_over_keeps_its_number_and_changes_its_owner_once():
    store = Store()
    west, east = Region("west", store), Region("east", store)
    owners, doubly = [], []

    def each(t, w, e):
        owners.append(store.owners().get("20250805-west-0003"))
        answers = [named for named in (w, e) if len(named.rows)]
        doubly.append(len(answers))

    w, e = fly(store, west, east, seconds=400, each=each)
    assert set(store.owners()) == {"20250805-west-0003"} and owners[-1] == "east"
    assert [a for a, b in itertools.pairwise(owners) if a != b] == ["west"]
    assert w.update.tracks.track_id == e.update.tracks.track_id == ("20250805-west-0003",)
    assert max(doubly[20:]) == 1 and doubly.count(0) <= 2      # between store and hearing of it: a step
    # It was taken over behind the line, not on it.
    assert 20_000 + 2_000 <= 100 * owners.index("east") <= 20_000 + 2_000 + 100 * 15


def test_what_flies_along_the_line_does_not_change_hands():
    store = Store()
    west, east = Region("west", store), Region("east", store)
    fly(store, west, east, seconds=200, start_m=-500.0, speed=0.0)
    first = dict(store.owners())
    for t in range(200, 600):
        side = 1_500.0 * math.sin(t / 20.0)
        lon = LINE_DEG + side / M_PER_DEG
        west.see(t, {"20250805-0003": (lon, 0.0, 60.0)})
        east.see(t, {"20250805-0001": (lon, 0.0, -60.0)})
    assert store.owners() == first and set(first.values()) == {"west"}


def test_where_the_owner_falls_silent_the_other_goes_on():
    store = Store()
    west, east = Region("west", store), Region("east", store)
    _, e = fly(store, west, east, seconds=120, start_m=-30_000.0)
    assert store.owners() == {"20250805-west-0003": "west"}
    for t in range(120, 160):      # the west is gone, with everything it had to say
        e = east.see(t, {"20250805-0001": (LINE_DEG + (-30_000.0 + 100.0 * t) / M_PER_DEG, 100.0, -60.0)})
    assert store.owners() == {"20250805-west-0003": "east"} and e.rows.tolist() == [0]


def test_a_track_that_ends_is_given_up_at_once_to_who_follows_it():
    store = Store()
    west, east = Region("west", store), Region("east", store)
    fly(store, west, east, seconds=105, start_m=-30_000.0, west_sees=lambda t: t < 100)
    assert store.owners() == {"20250805-west-0003": "east"}


def test_two_that_began_apart_go_on_under_the_older_number():
    store = Store()
    west, east = Region("west", store), Region("east", store)
    store.is_up = False        # both claim nothing, and go on by themselves
    w, e = fly(store, west, east, seconds=60, start_m=-200.0, speed=10.0)
    assert len(w.rows) == 1 and len(e.rows) == 1        # nobody waits for a store that is out of reach
    store.is_up = True
    for t in range(60, 120):
        lon = LINE_DEG + (-200.0 + 10.0 * t) / M_PER_DEG
        w = west.see(t, {"20250805-0003": (lon, 10.0, 60.0)})
        e = east.see(t, {"20250805-0001": (lon, 10.0, -60.0)})
    assert w.update.tracks.track_id == e.update.tracks.track_id == ("20250805-east-0001",)
    assert west.renamed == [("20250805-west-0003", "20250805-east-0001")] and not east.renamed
    assert len(w.rows) + len(e.rows) == 1


def test_two_objects_near_each_other_stay_two():
    store = Store()
    west, east = Region("west", store), Region("east", store)
    for t in range(200):
        lon = LINE_DEG + (-5_000.0 + 50.0 * t) / M_PER_DEG
        w = west.see(t, {"20250805-0001": (lon, 50.0, 0.0), "20250805-0002": (lon, 50.0, 2_500.0)})
        e = east.see(t, {"20250805-0009": (lon, 50.0, 2_550.0), "20250805-0008": (lon, 50.0, 40.0)})
    assert set(store.owners()) == {"20250805-west-0001", "20250805-west-0002"}
    assert e.update.tracks.track_id == ("20250805-west-0002", "20250805-west-0001") == w.update.tracks.track_id[::-1]


def test_what_was_told_of_it_goes_with_it():
    store = Store()
    west, east = Region("west", store), Region("east", store)
    west.told = (("20250805-west-0003",), ())
    _, e = fly(store, west, east, seconds=100, start_m=-20_000.0)
    assert e.entered == ("20250805-west-0003",) and e.left == ()


@settings(max_examples=30)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=20, max_size=60), st.integers(0, 3))
def test_whatever_fails_nobody_owns_a_track_twice_and_in_the_end_it_has_one_number(steps, seed):
    """Every five seconds the store, or either region's sight of the object, may fail."""
    store = Store()
    west, east = Region("west", store), Region("east", store)
    speed = (40.0, 0.0, 150.0, -60.0)[seed]
    start_m = -speed * len(steps) * 2.5
    wests = easts = 0
    was_west = was_east = False
    for t in range(5 * len(steps) + 60):
        up, sees_west, sees_east = steps[t // 5] if t < 5 * len(steps) else (True, True, True)
        store.is_up = up
        wests, easts = wests + (sees_west and not was_west), easts + (sees_east and not was_east)
        was_west, was_east = sees_west, sees_east
        lon = LINE_DEG + (start_m + speed * t) / M_PER_DEG
        w = west.see(t, {f"20250805-{wests:04d}": (lon, speed, 60.0)} if sees_west else {})
        e = east.see(t, {f"20250805-{easts:04d}": (lon, speed, -60.0)} if sees_east else {})
        by_number = {}
        for claim in store.log:
            before = by_number.get(claim.number)
            assert claim.expected == (before.sequence if before else 0)      # a chain without a fork
            by_number[claim.number] = claim
    assert w.update.tracks.track_id == e.update.tracks.track_id
    assert len(w.rows) + len(e.rows) == 1


def test_the_stage_can_be_kept_in_a_checkpoint():
    store = Store()
    west, east = Region("west", store), Region("east", store)
    fly(store, west, east, seconds=50)
    assert codec.decode(codec.encode(west.state)) == west.state and west.state.claims


def test_a_claim_reads_back_as_it_was_written_and_what_is_none_is_refused():
    claim = Claim("20250805-west-0003", "west", 0, 7, 1_754_423_400_000_000_000, 1_754_423_300_000_000_000, math.radians(45.25),
                  math.radians(28.5), 12.5, -3.25, 40.0, 0x4B1234, True, False, True, "20250805-east-0001")
    assert decode_claim(to_json(claim_row(claim))) == claim
    for octets in (b"", b"[]", b'{"number": 5}', to_json(claim_row(replace(claim, number="x"))), b"\xff" * 9,
                   to_json(claim_row(claim) | {"more": 1}), to_json(claim_row(claim) | {"east_mps": 1e9})):
        with pytest.raises(BadReport):
            decode_claim(octets)


def test_numbers_are_followed_through_every_memory():
    value = {"MD a-1": (1, "a-1", ["a-10"]), "a-1": replace(REGION, name="a-1")}
    new = renamed(value, {"a-1": "b-7"})
    assert new == {"MD b-7": (1, "b-7", ["a-10"]), "b-7": replace(REGION, name="b-7")}
    assert renamed(value, {"c": "d"}) is value


REGION = RegionSettings("south", (("south", ("RO-TL", "RO-CT")), ("north", ("*",))), 60_000.0)


def test_every_place_lies_in_one_region_and_the_zones_of_a_region_are_its_own():
    pack = load_country("ro", state_dir()).pack
    south = area_of(REGION, pack)
    north = area_of(replace(REGION, name="north"), pack)
    generator = np.random.default_rng(7)
    lat, lon = np.radians(generator.uniform(42.0, 49.0, 2_000)), np.radians(generator.uniform(19.0, 31.0, 2_000))
    assert np.allclose(south.depth_at(lat, lon), -north.depth_at(lat, lon))
    assert south.depth_at(np.radians(45.18), np.radians(28.80)) > 20_000      # Tulcea
    assert north.depth_at(np.radians(47.16), np.radians(27.59)) > 150_000     # Iasi
    assert south.depth_at(np.radians(45.3), np.radians(29.5)) > 0             # Ukraine across from the delta
    assert south.depth_at(np.radians(50.0), np.radians(5.0)) < -60_000        # beyond the grid: its edge
    mine, theirs = limited(pack, south), limited(pack, north)
    assert {zone.county for zone in mine.zones if zone.addressable} == {"RO-TL", "RO-CT"}
    both = [zone.addressable for zone in mine.zones], [zone.addressable for zone in theirs.zones]
    assert [a ^ b for a, b in zip(*both, strict=True)] == [zone.addressable and bool(zone.county) for zone in pack.zones]
    assert region_of_fact(region_fact(REGION)) == REGION


@pytest.mark.parametrize(("regions", "words"), [
    ({"south": ("RO-TL",)}, "in no region"), ({"south": ("RO-XX",)}, "no county 'RO-XX'"),
    ({"south": ("RO-TL",), "north": ("RO-TL",)}, "is in region south too"), ({"north": ("RO-TL",)}, "not among the regions"),
    ({"south": ()}, "has no county")])
def test_regions_that_leave_somebody_out_are_refused(regions, words):
    pack = load_country("ro", state_dir()).pack
    with pytest.raises(ConfigError, match=words):
        make_area(pack, regions, "south")


def test_plots_beyond_the_halo_are_the_neighbours():
    from lapwing.model.plots import empty_plots

    area = half("east", halo_m=10_000.0)
    lon = np.radians(LINE_DEG + np.array([5_000.0, -5_000.0, -15_000.0]) / M_PER_DEG)
    none = empty_plots()
    rows = {name: np.zeros((3, *np.shape(getattr(none, name))[1:]), getattr(none, name).dtype) for name in none.__slots__}
    plots = type(none)(**rows | {"latitude_rad": np.full(3, np.radians(45.0)), "longitude_rad": lon})
    assert plots_near(plots, area).longitude_rad.tolist() == lon[:2].tolist()
