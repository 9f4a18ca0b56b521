"""Tracks of a neighbour: fused so that nothing is believed twice, followed where only he sees, never a loop that feeds itself."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from radar_flights import BEGIN_NS, confirmed, fly, radar, seen, table

from lapwing import track
from lapwing.geo.jit import kernel
from lapwing.model.plots import KIND_TRACK, NO_CODE, Plots, empty_bearings, empty_looks
from lapwing.model.sensors import TRACKER, Sensor
from lapwing.record import codec
from lapwing.track import columns as at
from lapwing.track.kernels_fuse import FUSE_SCRATCH, FUSED, SHIFT, intersect, move_whole
from lapwing.track.kernels_motion import moments

NEIGHBOUR = Sensor("neighbour", kind=TRACKER, sac=3, sic=4)
BOTH = table(radar(), NEIGHBOUR)
ALONE = table(NEIGHBOUR)
DRONE = (-20_000.0, 30_000.0, 45.0, -15.0)
LATITUDE, LONGITUDE = math.radians(45.0), math.radians(28.0)


def told(flight, seconds, *, number=7, sensor=1, every_s=4.0, from_s=0.0, sigma_m=80.0, noise_m=0.0, seed=5, icao=NO_CODE, late_s=0.4):
    """Return a neighbour's reports of a flight about the test radar; his error is one that lasts, and some noise."""
    generator = np.random.default_rng(seed)
    time_s = np.arange(from_s, seconds, every_s)
    n = len(time_s)
    east = flight[0] + flight[2] * time_s + generator.normal(size=n) * noise_m
    north = flight[1] + flight[3] * time_s + generator.normal(size=n) * noise_m
    latitude = LATITUDE + north / 6_367_500.0
    none, ns = np.full(n, np.nan), BEGIN_NS + (time_s * 1e9).astype(np.int64)
    return Plots(
        measured_ns=ns, received_ns=ns + int(late_s * 1e9), sensor_index=np.full(n, sensor, np.uint16),
        kind=np.full(n, KIND_TRACK, np.uint8), range_m=none, azimuth_rad=none, latitude_rad=latitude,
        longitude_rad=LONGITUDE + east / (6_388_800.0 * np.cos(latitude)), height_m=np.full(n, 100.0), height_m_sigma=np.full(n, 30.0),
        position_cov_m2=np.tile(np.eye(2) * sigma_m**2, (n, 1, 1)), velocity_mps=np.tile([flight[2], flight[3]], (n, 1)),
        amplitude_db=none, mode3a=np.full(n, NO_CODE, np.int32), icao_address=np.full(n, icao, np.int32), callsign=np.zeros(n, "S8"),
        entry_sequence=np.arange(n, dtype=np.int64), octet_offset=np.zeros(n, np.int32), track_number=np.full(n, number, np.int32),
        velocity_mps_sigma=np.full(n, 4.0))


def joined(*parts):
    """Return plots in order of arrival."""
    whole = Plots(*(np.concatenate([getattr(part, name) for part in parts]) for name in Plots.__slots__))
    return whole.take(np.argsort(whole.received_ns, kind="stable"))


@kernel
def _moments(floats):
    moments(floats, 0)


@kernel
def _intersect(floats, z, r, scratch):
    w = intersect(at.MEAN, at.MEAN_COV, floats, 0, z, r, scratch)
    if w < 1.0:
        move_whole(floats, 0, scratch)
    return w


def plain(mean, cov, z, r):
    """Return (mean, cov) by the book: every weight of a fine grid tried."""
    theirs = np.zeros((4, 4))
    theirs[:2, :2] = np.linalg.inv([[r[0], r[1]], [r[1], r[2]]])
    theirs[2, 2] = theirs[3, 3] = 1.0 / r[3] if r[3] > 0.0 else 0.0
    best = None
    for w in np.linspace(0.0 if r[3] > 0.0 else 1e-4, 1.0, 401):
        both = w * np.linalg.inv(cov) + (1.0 - w) * theirs
        det = np.linalg.slogdet(both)[1]
        if best is None or det > best[0]:
            best = det, w, both
    fused = np.linalg.inv(best[2])
    return mean + fused @ ((1.0 - best[1]) * theirs @ (z - mean)), fused


ANY = st.floats(0.02, 50.0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), ANY, ANY, ANY, st.floats(-0.95, 0.95), st.booleans())
def test_intersection_is_that_of_the_book_and_no_larger_than_the_better_of_both(seed, along, across, speed, slant, with_speed):
    rng = np.random.default_rng(seed)
    floats, unit = np.zeros((1, at.SLOT_FLOATS)), np.array([100.0, 100.0, 10.0, 10.0])
    for m in range(at.MODES):
        floats[0, at.X + 4 * m : at.X + 4 * m + 4] = rng.normal(size=4) * unit * 0.3
        root = rng.normal(size=(4, 4))
        cov = (root @ root.T + 0.1 * np.eye(4)) * unit * unit[:, None]
        floats[0, at.COV + 16 * m : at.COV + 16 * m + 16] = cov.ravel()
    floats[0, at.MODE : at.MODE + at.MODES] = rng.dirichlet(np.ones(at.MODES))
    z = rng.normal(size=4) * unit
    r = np.array([1e4 * along, slant * 1e4 * math.sqrt(along * across), 1e4 * across, 100.0 * speed if with_speed else 0.0])
    _moments(floats)
    mean, cov = floats[0, at.MEAN : at.MEAN + 4].copy(), floats[0, at.MEAN_COV : at.MEAN_COV + 16].reshape(4, 4).copy()
    scratch = np.zeros(FUSE_SCRATCH)
    w = _intersect(floats, z, r, scratch)
    expected_mean, expected_cov = plain(mean, cov, z, r)
    _moments(floats)
    fused = floats[0, at.MEAN_COV : at.MEAN_COV + 16].reshape(4, 4)
    np.linalg.cholesky(fused)
    worth = np.linalg.slogdet(fused)[1]
    assert worth <= np.linalg.slogdet(cov)[1] + 1e-5
    if with_speed:
        theirs = np.zeros((4, 4))
        theirs[:2, :2], theirs[2, 2], theirs[3, 3] = [[r[0], r[1]], [r[1], r[2]]], r[3], r[3]
        assert worth <= np.linalg.slogdet(theirs)[1] + 1e-5
    assert worth == pytest.approx(np.linalg.slogdet(expected_cov)[1], abs=1e-3)
    assert floats[0, at.MEAN : at.MEAN + 4] / unit == pytest.approx(expected_mean / unit, abs=0.05)
    if w < 1.0:
        assert scratch[FUSED : FUSED + 16].reshape(4, 4) / unit / unit[:, None] == pytest.approx(fused / unit / unit[:, None], abs=1e-6)
        assert floats[0, at.MEAN : at.MEAN + 4] - mean == pytest.approx(scratch[SHIFT : SHIFT + 4], abs=1e-6)


def test_errors_in_common_are_not_averaged_away():
    """A neighbour who tells what we know, errors and all, again and again makes nothing surer: NEES stays that of one estimate."""
    rng, unit = np.random.default_rng(3), np.array([100.0, 100.0, 10.0, 10.0])
    nees = []
    for _ in range(400):
        floats = np.zeros((1, at.SLOT_FLOATS))
        error = rng.normal(size=4) * unit
        for m in range(at.MODES):
            floats[0, at.X + 4 * m : at.X + 4 * m + 4] = error
            floats[0, at.COV + 16 * m : at.COV + 16 * m + 16] = np.diag(unit**2).ravel()
        floats[0, at.MODE : at.MODE + at.MODES] = 0.25
        for _ in range(10):
            _moments(floats)
            _intersect(floats, error, np.array([1e4, 0.0, 1e4, 100.0]), np.zeros(FUSE_SCRATCH))
        _moments(floats)
        mean, cov = floats[0, at.MEAN : at.MEAN + 4], floats[0, at.MEAN_COV : at.MEAN_COV + 16].reshape(4, 4)
        nees.append(mean @ np.linalg.solve(cov, mean))
    assert np.mean(nees) <= 4.0 + 3.0 * math.sqrt(8.0 / 400)


def test_what_only_a_neighbour_sees_is_a_track_of_one_source_on_his_word():
    _, updates = fly(told(DRONE, 60.0, sensor=0), ALONE)
    tracks = updates[-1].tracks
    assert len(tracks) == 1
    assert (bool(tracks.confirmed[0]), int(tracks.sensor_count[0]), int(tracks.sensors_mask[0])) == (True, 1, 1)
    assert 0.9 < tracks.existence_prob[0] < 0.99
    assert tracks.velocity_mps[0] == pytest.approx(DRONE[2:], abs=2.0)
    assert 20.0 < math.sqrt(tracks.state_cov[0, 0, 0]) < 120.0


def test_it_coasts_and_ends_as_any_other_when_he_falls_silent():
    other = told((40_000.0, 0.0, 50.0, 0.0), 200.0, sensor=0, number=8)
    _, updates = fly(joined(told(DRONE, 60.0, sensor=0), other), ALONE)
    last_s = [(update.tracks.time_ns[0] - BEGIN_NS) * 1e-9 for update in updates if len(update.tracks) == 2][-1]
    assert 85.0 < last_s < 130.0
    assert sum(len(update.ended) for update in updates) == 1


def test_a_neighbours_track_of_ours_is_no_second_track_no_sensor_and_no_proof():
    plots = seen(table(radar()), [DRONE], 3.0)
    alone, _ = fly(plots, BOTH)
    state, updates = fly(joined(plots, told(DRONE, 180.0, from_s=60.0)), BOTH)
    tracks = updates[-1].tracks
    assert len(tracks) == 1
    assert (int(tracks.sensor_count[0]), int(tracks.sensors_mask[0])) == (1, 3)
    row, before = (int(np.flatnonzero(s.slots.status == 3)[0]) for s in (state, alone))
    assert state.slots.log_odds[row] == pytest.approx(alone.slots.log_odds[before], abs=0.3)
    assert state.slots.hits[row] == alone.slots.hits[before]
    assert state.registration.pairs.tolist() == [0, 0]


def test_it_keeps_alive_what_our_radar_no_longer_sees_and_gives_it_no_new_number():
    plots = seen(table(radar()), [(*DRONE, -1, 60.0)], 3.0)
    ends = [fly(p, BOTH)[1] for p in (plots, joined(plots, told(DRONE, 180.0, from_s=30.0)))]
    assert len(confirmed(ends[1][-1])) == 1
    assert confirmed(ends[1][-1]) == set().union(*(confirmed(update) for update in ends[1]))


def test_our_own_track_that_comes_back_makes_us_little_surer():
    """Under a neighbour's number it cannot be told from his. What is left after the bound: the modes' shares, which see less surprise."""
    plots = seen(table(radar()), [DRONE], 3.0, found=0.9)
    _, updates = fly(plots, BOTH)
    parts, n = [], 0
    for update in updates:
        if len(update.tracks) == 1 and update.tracks.confirmed[0] and update.tracks.updated[0]:
            t, n = update.tracks, n + 1
            part = told(DRONE, 1.0)
            parts.append(replace(part, measured_ns=t.time_ns.copy(), received_ns=t.time_ns + 100_000_000, latitude_rad=t.latitude_rad,
                                 longitude_rad=t.longitude_rad, position_cov_m2=t.state_cov[:, :2, :2], velocity_mps=t.velocity_mps,
                                 velocity_mps_sigma=np.sqrt(np.linalg.eigvalsh(t.state_cov[:, 2:, 2:])[:, -1])))
    assert n > 20
    _, fed = fly(joined(plots, *parts), BOTH)
    assert len(fed[-1].tracks) == 1
    # At one moment the modes' shares decide; over two minutes it is the filter.
    sizes = []
    for run in (updates, fed):
        rows = [(int(u.tracks.time_ns[0]), np.linalg.slogdet(u.tracks.state_cov[0, :2, :2])[1]) for u in run if len(u.tracks) == 1]
        sizes.append(np.interp(BEGIN_NS + 1e9 * np.arange(60, 170), *np.array(rows, np.float64).T))
    assert np.exp(np.min(sizes[1] - sizes[0])) > 0.84**4       # the area of the ellipse is the root of the determinant
    assert np.exp(sizes[1][-1] - sizes[1][-20]) > 0.9          # and it falls no farther


def test_two_numbers_of_one_neighbour_are_two_objects():
    beside = (DRONE[0] + 300.0, DRONE[1] + 200.0, *DRONE[2:])
    _, updates = fly(joined(told(DRONE, 60.0, sensor=0), told(beside, 60.0, sensor=0, number=8, late_s=0.6)), ALONE)
    assert len(confirmed(updates[-1])) == 2


def test_another_identity_at_the_same_place_is_not_fused():
    _, updates = fly(joined(told(DRONE, 60.0, sensor=0, icao=0x4B1234), told(DRONE, 60.0, sensor=1, number=8, icao=0x4B9999)),
                     table(NEIGHBOUR, replace(NEIGHBOUR, id="other", sic=5)))
    assert sorted(updates[-1].tracks.icao_address.tolist()) == [0x4B1234, 0x4B9999]


def test_late_and_repeated_reports_change_nothing_that_is_newer():
    reports = told(DRONE, 60.0, sensor=0)
    late = replace(told(DRONE, 8.0, sensor=0), received_ns=np.full(2, BEGIN_NS + 59_000_000_000))
    plainly, _ = fly(reports, ALONE)
    state, _ = fly(joined(reports, late), ALONE)
    assert np.array_equal(state.slots.floats, plainly.slots.floats)


def test_killed_and_restored_with_neighbours_gives_equal_bits():
    plots = joined(seen(table(radar()), [DRONE], 2.0, clutter=10), told(DRONE, 120.0), told((0.0, 9_000.0, 30.0, 5.0), 120.0, number=9))
    middle = BEGIN_NS + 65_000_000_000
    first, rest = plots.take(plots.received_ns < middle), plots.take(plots.received_ns >= middle)
    state, _ = fly(first, BOTH)
    straight, _ = fly(rest, BOTH, state=state)
    resumed, _ = fly(rest, BOTH, state=codec.decode(codec.encode(state)))
    assert codec.encode(resumed) == codec.encode(straight)
    assert len(state.neighbours.links) == 2


def test_every_step_keeps_the_state_that_it_was_given():
    state, _ = fly(told(DRONE, 40.0, sensor=0), ALONE)
    before = codec.encode(state)
    track.step(state, told(DRONE, 48.0, sensor=0, from_s=44.0), empty_bearings(), empty_looks(), ALONE, (), state.now_ns + 10**9,
               track.Settings())
    assert codec.encode(state) == before
