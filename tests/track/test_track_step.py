"""The tracker as a whole: what becomes a track, what does not, and that nothing but the input decides."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from radar_flights import BEGIN_NS, confirmed, fly, radar, seen, table

from lapwing import track
from lapwing.model.plots import empty_bearings, empty_looks, empty_plots
from lapwing.record import codec
from lapwing.track import bias
from lapwing.track import columns as at
from lapwing.track.kernels_life import REACH_M, tend
from lapwing.track.lifecycle import rules, twins
from lapwing.track.state import CONFIRMED, TENTATIVE, Slots, empty_registration, empty_slots

ONE = table(radar())
DRONE = (-20_000.0, 30_000.0, 45.0, -15.0)


def test_one_object_becomes_one_confirmed_track_where_it_flies():
    _, updates = fly(seen(ONE, [DRONE], 3.0), ONE)
    tracks = updates[-1].tracks
    assert len(confirmed(updates[-1])) == 1
    row = int(np.flatnonzero(tracks.confirmed)[0])
    assert tracks.velocity_mps[row] == pytest.approx(DRONE[2:], abs=6.0)
    seconds = (tracks.time_ns[row] - BEGIN_NS) * 1e-9
    north_m = DRONE[1] + DRONE[3] * seconds
    assert (tracks.latitude_rad[row] - math.radians(45.0)) * 6_367_500.0 == pytest.approx(north_m, abs=250.0)


def test_even_clutter_becomes_no_confirmed_track():
    _, updates = fly(seen(ONE, [], 4.0, clutter=60, seed=3), ONE)
    assert not set().union(*(confirmed(update) for update in updates))


def test_the_state_given_is_not_changed():
    plots = seen(ONE, [DRONE], 1.0, clutter=20)
    state, _ = fly(plots.take(plots.received_ns < BEGIN_NS + 40_000_000_000), ONE)
    before = codec.encode(state)
    fly(plots.take(plots.received_ns >= BEGIN_NS + 40_000_000_000), ONE, state=state)
    assert codec.encode(state) == before


def test_killed_and_restored_from_a_checkpoint_gives_equal_bits():
    plots = seen(ONE, [DRONE, (10_000.0, 10_000.0, 0.0, 60.0)], 2.0, clutter=20)
    middle = BEGIN_NS + 65_000_000_000
    first, rest = plots.take(plots.received_ns < middle), plots.take(plots.received_ns >= middle)
    state, _ = fly(first, ONE)
    straight, _ = fly(rest, ONE, state=state)
    resumed, _ = fly(rest, ONE, state=codec.decode(codec.encode(state)))
    assert codec.encode(resumed) == codec.encode(straight)


STILL = [(DRONE[0] + e, DRONE[1] + n, 0.0, 0.0) for e, n in ((800.0, 300.0), (-900.0, 500.0), (300.0, -1_200.0))]


@pytest.mark.parametrize(("others", "seconds", "believed"), [
    ([], 26, True), ([(-19_850.0, 30_290.0, 45.0, -15.0)], 34, True), (STILL, 30, False)])
def test_own_plots_and_those_of_fellow_travellers_are_forgiven_and_a_wind_farm_s_are_not(others, seconds, believed):
    plots = seen(ONE, [DRONE, *others], 1.0)
    slots = fly(plots.take(plots.received_ns < BEGIN_NS + seconds * 1_000_000_000), ONE)[0].slots
    alike = np.hypot(slots.mean[:, 2] - DRONE[2], slots.mean[:, 3] - DRONE[3]) < 25.0
    chains = np.flatnonzero((slots.status > 0) & (slots.hits > 3) & alike)
    assert len(chains)
    assert (slots.log_odds[chains].max() > 5.0) == believed


def test_a_checkpoint_with_other_columns_is_not_gone_on_with():
    state, _ = fly(seen(ONE, [DRONE], 0.5), ONE)
    assert track.fits(codec.decode(codec.encode(state)))
    slots = Slots(state.slots.floats[:, 1:], state.slots.ints, state.slots.detect, state.slots.looks)
    assert not track.fits(codec.decode(codec.encode(replace(state, slots=slots))))


def test_every_confirmed_track_leaves_with_its_trajectory():
    flights = [DRONE, (5_000.0, 20_000.0, 50.0, 0.0), (5_000.0, 21_000.0, 50.0, 0.0), (30_000.0, 0.0, -40.0, 10.0, -1, 90.0)]
    state, updates = fly(seen(ONE, flights, 5.0, clutter=30, found=0.8), ONE)
    _, last = track.finish(state, updates[-1].tracks.time_ns.max(initial=state.now_ns), track.Settings())
    ever = set().union(*(confirmed(update) for update in updates))
    ended = [trajectory.track_id for update in (*updates, last) for trajectory in update.ended]
    assert len(ended) == len(set(ended))
    assert set(ended) == ever
    assert ever


def test_merged_track_ends_too():
    state, updates = fly(seen(ONE, [DRONE], 3.0), ONE)
    name, = confirmed(updates[-1])
    # A second number on the same object, seen by another radar long ago: as two radars out of line once made it.
    row = int(np.flatnonzero(state.slots.status == 3)[0])
    free = int(np.flatnonzero(state.slots.status == 0)[0])
    for column in (state.slots.floats, state.slots.ints, state.slots.detect, state.slots.looks):
        column[free] = column[row]
    state.slots.uid[free], state.slots.number[free] = 99_999, 99_999
    state.slots.hit_ns[free] = 0
    state.ids[99_999] = "twin"
    chunks = [(c.floats[c.ints[:, 0] == state.slots.uid[row]], c.ints[c.ints[:, 0] == state.slots.uid[row]]) for c in state.young]
    for _, ints in chunks:
        ints[:, 0] = 99_999
    state = track.State(**{f: getattr(state, f) for f in state.__slots__} | {
        "young": (*state.young, *(type(state.young[0])(f, i) for f, i in chunks)), "merged_ns": 0})
    _, update = track.step(state, empty_plots(), empty_bearings(), empty_looks(), ONE, (), state.now_ns + 10_000_000,
                           track.Settings())
    assert [trajectory.track_id for trajectory in update.ended] == ["twin"]
    assert confirmed(update) == {name}


@pytest.mark.parametrize(("codes", "borne", "pairs"), [
    ((0o4521, 0o4521), 3, 1), ((0o4521, 0o4521), 2, 0), ((0o4521, 0o4522), 3, 0), ((-1, -1), 0, 0)])
def test_two_numbers_that_take_turns_are_one_object_if_both_bear_its_code(codes, borne, pairs):
    slots = fly(seen(ONE, [DRONE], 3.0), ONE)[0].slots
    row, free = int(np.flatnonzero(slots.status == CONFIRMED)[0]), int(np.flatnonzero(slots.status == 0)[0])
    for column in (slots.floats, slots.ints, slots.detect, slots.looks):
        column[free] = column[row]
    slots.hit_ns[free] -= 4_000_000_000
    slots.mode3a[[row, free]], slots.identified[[row, free]] = codes, borne
    assert len(twins(slots, np.array([4_000_000_000]), 0.0)) == pairs


def test_plot_that_comes_late_takes_its_missed_look_back():
    plots = seen(ONE, [DRONE], 3.0, clutter=30)
    late = np.where(np.random.default_rng(7).random(len(plots)) < 0.6, 8_000_000_000, 0)
    mixed = replace(plots, received_ns=plots.received_ns + late)
    shares = []
    for given_plots in (plots, mixed.take(np.argsort(mixed.received_ns, kind="stable"))):
        slots = fly(given_plots, ONE)[0].slots
        detect = slots.detect[np.flatnonzero(slots.status == CONFIRMED), 0]
        assert len(detect) == 1
        shares.append(detect[0, 0] / detect[0].sum())
    assert shares[1] == pytest.approx(shares[0], abs=0.1)


def test_silent_radar_makes_nobody_vanish():
    state, updates = fly(seen(ONE, [DRONE], 2.0), ONE)
    for _ in range(1, 120):
        state, update = track.step(state, empty_plots(), empty_bearings(), empty_looks(), ONE, (),
                                   state.now_ns + 1_000_000_000, track.Settings())
    assert confirmed(update) == confirmed(updates[-1])
    assert update.tracks.coasting.all()


def test_what_no_sensor_could_see_any_more_ends_by_time_its_ellipse_growing():
    state, _ = fly(seen(ONE, [DRONE], 2.0), ONE)
    alive_s, spread_m2, ended = [], [], 0
    for second in range(10, 400, 10):
        state, update = track.step(state, empty_plots(), empty_bearings(), empty_looks(), ONE, (),
                                   state.now_ns + 10_000_000_000, track.Settings())
        ended += len(update.ended)
        if len(confirmed(update)):
            alive_s.append(second)
            spread_m2.append(float(np.trace(update.tracks.state_cov[update.tracks.confirmed][0, :2, :2])))
    # 240 s of silence, and what it would coast in sight of a radar: half of its life of two minutes.
    assert 280 <= alive_s[-1] <= 320
    assert np.all(np.diff(spread_m2) > 0.0)
    assert ended == 1


def test_after_an_impact_the_trajectory_is_led_by_its_plots_alone():
    ended_s = 150.0
    plots = seen(ONE, [(*DRONE, -1, ended_s)], 5.0, clutter=150, seed=5)
    _, updates = fly(plots, ONE)
    trajectories = [t for update in updates for t in update.ended]
    one, = trajectories
    last = int(np.flatnonzero(one.measured)[-1])
    assert (one.time_ns[last] - BEGIN_NS) * 1e-9 <= ended_s
    sigma_m = math.sqrt(np.linalg.eigvalsh(one.position_cov_m2[last])[-1])
    assert sigma_m < 150.0


def test_reception_order_and_time_order_give_the_same_track_15_s_later():
    plots = seen(ONE, [DRONE], 3.0)
    generator = np.random.default_rng(7)
    late = np.where(generator.random(len(plots)) < 0.1, 8_000_000_000, 0)
    received = plots.received_ns + late
    order = np.argsort(received, kind="stable")
    shuffled = type(plots)(**{name: getattr(plots, name) for name in plots.__slots__} | {"received_ns": received}).take(order)
    _, straight = fly(plots, ONE)
    _, mixed = fly(shuffled, ONE)
    end_ns = BEGIN_NS + 160_000_000_000
    ends = []
    for updates in (straight, mixed):
        tracks = next(u.tracks for u in updates if u.tracks.time_ns.max(initial=0) >= end_ns)
        ends.append(tracks.take(np.flatnonzero(tracks.confirmed)))
    assert len(ends[0]) == len(ends[1]) == 1
    apart = np.hypot(ends[0].latitude_rad - ends[1].latitude_rad, ends[0].longitude_rad - ends[1].longitude_rad) * 6_371_000
    assert apart[0] < 350.0


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(turn_rad=st.floats(0.0, 2 * math.pi))
def test_turning_the_world_changes_no_association(turn_rad):
    flights = [DRONE, (5_000.0, 20_000.0, 50.0, 0.0)]
    plain = _counts(fly(seen(ONE, flights, 1.5, clutter=5), ONE)[1])
    turned = _counts(fly(seen(ONE, flights, 1.5, clutter=5, turn_rad=turn_rad), ONE)[1])
    assert turned == plain


def _counts(updates):
    tracks = updates[-1].tracks
    return sorted(tracks.plot_count[tracks.confirmed].tolist())


def test_two_in_company_keep_two_numbers():
    flights = [(-20_000.0, 25_000.0, 50.0, 0.0), (-20_000.0, 26_100.0, 50.0, 0.0)]
    _, updates = fly(seen(ONE, flights, 6.0, found=0.9), ONE)
    assert len(set().union(*(confirmed(update) for update in updates))) == 2
    assert all(len(confirmed(update)) == 2 for update in updates[len(updates) // 2 :])


def test_bias_of_a_radar_is_learned_from_aircraft_that_another_sees():
    both = table(radar(), radar("R2", lat_deg=45.4))
    aircraft = [(-40_000.0, 20_000.0, 180.0, 0.0, 0x4B0001), (0.0, 60_000.0, 60.0, -150.0, 0x4B0002),
                (50_000.0, -30_000.0, -120.0, 90.0, 0x4B0003)]
    plots = seen(both, aircraft, 6.0, bias=(180.0, math.radians(0.25)))
    state, _ = fly(plots, both)
    relative = state.registration.mean[2:] - state.registration.mean[:2]
    assert relative[0] == pytest.approx(180.0, abs=60.0)
    assert math.degrees(relative[1]) == pytest.approx(0.25, abs=0.08)


def test_beyond_its_bound_the_tracker_sheds_the_least_likely_seeds_and_counts_them():
    plots = seen(ONE, [DRONE], 1.0, clutter=300)
    state, updates = fly(plots, ONE, settings=track.Settings(slots_max=512))
    assert state.shed_count > 0
    assert len(state.seeds) <= 512
    assert len(confirmed(updates[-1])) == 1


@pytest.mark.parametrize(("speed_mps", "away_m", "found", "expected"), [
    (30.0, 60_000.0, 3.0, True), (30.0, 12_000.0, 3.0, False), (30.0, 12_000.0, 8.0, True),
    (150.0, 60_000.0, 3.0, False), (150.0, 60_000.0, 8.0, True)])
def test_fast_or_near_chains_are_confirmed_only_if_seen_on_most_turns(speed_mps, away_m, found, expected):
    slots = empty_slots(1, 1)
    slots.status[0], slots.hits[0], slots.uid[0], slots.ints[0, at.MASK] = TENTATIVE, 9, 1, 1
    slots.log_odds[0] = 8.0
    slots.mean[0] = (0.0, away_m, speed_mps, 0.0)
    slots.mean_cov[0] = np.diag((1e4, 1e4, 9.0, 9.0))
    slots.floats[0, REACH_M] = 2_000.0
    slots.detect[0, 0] = (found, 12.0 - found)
    verdict = np.zeros(1, np.int64)
    tend(slots.floats, slots.ints, slots.detect, np.zeros(1, np.int64), 0, 4.0, np.zeros((1, 2)),
         np.array([[100_000.0, 0.0]]), rules(track.Settings()), verdict)
    assert (slots.status[0] == CONFIRMED) == expected


def test_two_radars_tell_what_flies_high_and_one_says_that_it_does_not_know():
    """A balloon at 6 km, laid down at 300 m by each radar, lies some 400 m too far along either's line of sight."""
    flight, height_m = (-30_000.0, 25_000.0, 8.0, 2.0), 6_000.0
    far = {}
    for name, sensors in (("one", ONE), ("two", table(radar(), radar("R2", 45.45)))):
        _, updates = fly(seen(sensors, [flight], 12.0, height_m=height_m), sensors)
        tracks = updates[-1].tracks
        row = int(np.flatnonzero(tracks.confirmed)[0])
        assert np.count_nonzero(tracks.confirmed) == 1
        seconds = (tracks.time_ns[row] - BEGIN_NS) * 1e-9
        north_m = (tracks.latitude_rad[row] - math.radians(45.0)) * 6_371_000.0 - flight[1] - flight[3] * seconds
        east_m = (tracks.longitude_rad[row] - math.radians(28.0)) * 6_371_000.0 * math.cos(tracks.latitude_rad[row])
        east_m -= flight[0] + flight[2] * seconds
        doubt_m = math.sqrt(tracks.state_cov[row, 0, 0] + tracks.state_cov[row, 1, 1])
        far[name] = math.hypot(east_m, north_m), doubt_m
    assert far["two"][0] < 150.0 < far["one"][0]
    assert far["one"][1] > 2.0 * far["two"][1]


def test_two_radars_that_share_few_aircraft_learn_from_them_among_many_that_they_do_not_share():
    """Four radars: two hear three hundred aircraft together, and three of these alone are heard by the two others."""
    sites = np.array([[0.0, 0.0], [40_000.0, 0.0], [0.0, 40_000.0], [40_000.0, 40_000.0]])
    radars = np.ones(4, np.bool_)
    known = bias.sized(empty_registration(), radars, track.Settings())
    generator = np.random.default_rng(5)
    places = generator.uniform(-80_000.0, 80_000.0, (300, 2))
    velocities = generator.normal(0.0, 150.0, (300, 2))
    off = (0.0, 0.0, 200.0, -200.0)
    for turn in range(60):
        for sensor in range(4):
            rows = np.arange(0 if sensor < 2 else 297, 300)
            time_s = 1_000.0 + 4.0 * turn + sensor
            true = places[rows] + velocities[rows] * time_s % 160_000.0 - 80_000.0
            away = true - sites[sensor]
            points = true + off[sensor] * away / np.hypot(*away.T)[:, None] + generator.normal(0.0, 50.0, (len(rows), 2))
            known = bias.learn(known, sites, sensor, radars, rows, np.full(len(rows), round(time_s * 1e9)), points,
                               np.tile([2_500.0, 0.0, 2_500.0], (len(rows), 1)), velocities[rows])
    assert known.pairs[3] > 40                     # of some 90 that three aircraft give in four minutes
    assert known.mean[4] - known.mean[6] == pytest.approx(400.0, abs=60.0)
    assert known.pairs[0] < 60 * 4 * 6             # and those who share hundreds are held to a few a second
