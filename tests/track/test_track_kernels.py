"""Kernels against slow twins: matrices as in the books, and the same code without a compiler."""

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from radar_flights import fly, radar, seen, table

from lapwing.geo.jit import kernel
from lapwing.geo.plane import from_plane, to_plane
from lapwing.record import codec
from lapwing.track import columns as at
from lapwing.track.kernels_associate import rank
from lapwing.track.kernels_clutter import FINE_SECTORS, RINGS_MAX, around
from lapwing.track.kernels_lift import lift_at
from lapwing.track.kernels_motion import predict_mode, update_mode
from lapwing.track.predict import moved
from lapwing.track.rows import true_axes

HERE = Path(__file__).resolve()
ONE = table(radar())


@kernel
def _around(sensor, cell, coarse, map_ints):
    return around(sensor, cell, coarse, map_ints)


@pytest.mark.parametrize(("ring", "sector", "wide", "turns"), [
    (5, 9, (0, 1), (1, 2)), (6, 10, (1, 2), (2, 3)), (0, 0, (0,), (31, 0)), (0, 127, (0,), (31, 0)), (15, 64, (3,), (15, 16))])
def test_the_nearest_four_coarse_cells(ring, sector, wide, turns):
    coarse = np.zeros((2, 4, 32), np.float32)
    coarse[1] = 2.0 ** np.arange(4)[:, None] + 100.0 * np.arange(32)
    found = _around(1, (RINGS_MAX + ring) * FINE_SECTORS + sector, coarse, np.array([[16, 0], [16, 0]]))
    assert found == sum(float(coarse[1, w, t]) for w in wide for t in turns)


@kernel
def _predict(floats, turn_radps, noise, dt):
    predict_mode(floats, 0, 1, turn_radps, noise, dt)


@kernel
def _update(floats, z, r, lifts, weight, scratch):
    return update_mode(floats, 0, 1, 0.0, 0.0, 0.0, z[0], z[1], r[0], r[1], r[2], lifts[0], lifts[1], weight, scratch)


@kernel
def _lift_at(away_m, lift_km2):
    return lift_at(away_m, lift_km2)


@kernel
def _rank(count, pair_floats, pair_ints):
    rank(count, at.PAIR_MARGINAL, pair_floats, pair_ints)


def _row(seed):
    """Return a row with one mode filled, its mean (5) and covariance (5, 5): the four of the state, then the lift."""
    generator = np.random.default_rng(seed)
    floats = np.zeros((1, at.SLOT_FLOATS))
    root = generator.normal(size=(5, 5)) * np.array([[80.0], [80.0], [9.0], [9.0], [3.0]])
    mean, cov = generator.normal(size=5) * np.array([1e4, 1e4, 50.0, 50.0, 5.0]), root @ root.T + np.eye(5)
    floats[0, at.X + 4 : at.X + 8] = mean[:4]
    floats[0, at.COV + 16 : at.COV + 32] = cov[:4, :4].ravel()
    lift = at.LIFT + at.LIFT_FLOATS
    floats[0, lift], floats[0, lift + 1], floats[0, lift + 2 : lift + 6] = mean[4], cov[4, 4], cov[4, :4]
    return floats, mean, cov


def _mode(floats):
    lift = floats[0, at.LIFT + at.LIFT_FLOATS : at.LIFT + 2 * at.LIFT_FLOATS]
    cov = np.empty((5, 5))
    cov[:4, :4] = floats[0, at.COV + 16 : at.COV + 32].reshape(4, 4)
    cov[4, 4], cov[4, :4], cov[:4, 4] = lift[1], lift[2:], lift[2:]
    return np.append(floats[0, at.X + 4 : at.X + 8], lift[0]), cov


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 20.0), st.sampled_from([0.0, 0.1, -0.1]), st.floats(0.0, 30.0))
def test_prediction_equals_the_matrices(seed, dt, turn_radps, noise):
    floats, mean, cov = _row(seed)
    _predict(floats, turn_radps, noise, dt)
    wanted, wanted_cov = moved(mean[None, :4], cov[None, :4, :4], np.array([dt]), noise, np.array([turn_radps]))
    got, got_cov = _mode(floats)
    np.testing.assert_allclose(got[:4], wanted[0], rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(got_cov[:4, :4], wanted_cov[0], rtol=1e-9, atol=1e-6)
    # The covariance with the lift moves as the state does; the lift stays and its doubt grows.
    cross, _ = moved(cov[None, 4, :4], cov[None, :4, :4], np.array([dt]), 0.0, np.array([turn_radps]))
    np.testing.assert_allclose(got_cov[4, :4], cross[0], rtol=1e-9, atol=1e-6)
    assert got[4] == mean[4] and got_cov[4, 4] > cov[4, 4]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 1.0), st.sampled_from([(0.0, 0.0), (6.0, -3.0), (-0.5, 20.0)]))
def test_update_equals_the_matrices(seed, weight, lifts):
    floats, mean, cov = _row(seed)
    z, r = mean[:2] + np.array([90.0, -40.0]), np.array([900.0, 200.0, 1600.0])
    likelihood = _update(floats, z, r, lifts, weight, np.empty(128))
    h, noise = np.eye(2, 5), np.array([[r[0], r[1]], [r[1], r[2]]])
    h[:, 4] = lifts
    s = h @ cov @ h.T + noise
    gain = cov @ h.T @ np.linalg.inv(s)
    shift = gain @ (z - h @ mean)
    wanted = (1 - weight) * cov + weight * (cov - gain @ s @ gain.T) + weight * (1 - weight) * np.outer(shift, shift)
    got, got_cov = _mode(floats)
    np.testing.assert_allclose(got, mean + weight * shift, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(got_cov, wanted, rtol=1e-7, atol=1e-5)
    nu = z - h @ mean
    assert math.isclose(likelihood, math.exp(-0.5 * nu @ np.linalg.solve(s, nu)) / (2 * math.pi * math.sqrt(np.linalg.det(s))),
                        rel_tol=1e-7)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.9]), max_size=40))
def test_pairs_are_ranked_greatest_first_and_equal_ones_as_they_stand(values):
    pair_floats = np.zeros((len(values), at.PAIR_FLOATS))
    pair_ints = np.zeros((len(values), at.PAIR_INTS), np.int64)
    pair_floats[:, at.PAIR_MARGINAL] = values
    _rank(len(values), pair_floats, pair_ints)
    assert pair_ints[:, at.PAIR_ORDER].tolist() == np.argsort(-np.array(values), kind="stable").tolist()


def test_exported_rows_equal_the_matrices():
    state, updates = fly(seen(ONE, [(-20_000.0, 30_000.0, 45.0, -15.0)], 1.0), ONE)
    tracks, slots = updates[-1].tracks, state.slots
    row = int(np.flatnonzero(slots.number >= 0)[0])
    dt = np.array([(tracks.time_ns[0] - slots.time_ns[row]) * 1e-9])
    turn = np.array([slots.mode_prob[row] @ np.array([0.0, math.radians(6), -math.radians(6), 0.0])])
    speed2 = np.clip((slots.mean[row, 2] ** 2 + slots.mean[row, 3] ** 2) / 2500.0, 0.04, 16.0)
    noise = float(slots.mode_prob[row] @ np.array([0.15, 6.0, 6.0, 30.0]) * speed2)
    mean, cov = moved(slots.mean[[row]], slots.mean_cov[[row]], dt, noise, np.where(np.abs(turn) > 0.01, turn, 0.0))
    latitude, longitude = from_plane(state.plane, mean[:, 0], mean[:, 1])
    axes = true_axes(to_plane(state.plane, latitude, longitude))
    whole = np.zeros((1, 4, 4))
    whole[:, :2, :2] = whole[:, 2:, 2:] = axes
    np.testing.assert_allclose(tracks.latitude_rad[:1], latitude, rtol=0, atol=1e-12)
    np.testing.assert_allclose(tracks.longitude_rad[:1], longitude, rtol=0, atol=1e-12)
    np.testing.assert_allclose(tracks.velocity_mps[:1], (axes @ mean[:, 2:, None])[..., 0], rtol=1e-9)
    np.testing.assert_allclose(tracks.state_cov[:1], whole @ cov @ whole.transpose(0, 2, 1), rtol=1e-7, atol=1e-6)


def test_without_a_compiler_the_tracks_are_the_same():
    """The plain twin of every kernel: the same functions, interpreted. Clutter maps count in single precision."""
    answers = []
    for plain in ("0", "1"):
        done = subprocess.run([sys.executable, str(HERE)], capture_output=True, text=True, check=True, env={
            **os.environ, "LAPWING_PLAIN": plain, "PYTHONPATH": os.pathsep.join([str(HERE.parents[2] / "src"), str(HERE.parent)])})
        answers.append(np.array([float(word) for word in done.stdout.split()]))
    assert len(answers[0]) > 20
    np.testing.assert_allclose(answers[0], answers[1], rtol=1e-6, atol=1e-9)


def _print_tracks():
    flights = [(-20_000.0, 30_000.0, 45.0, -15.0), (5_000.0, 20_000.0, 50.0, 0.0)]
    state, updates = fly(seen(ONE, flights, 1.0, clutter=3), ONE)
    tracks = updates[-1].tracks
    print(len(codec.encode(state)) > 0, file=sys.stderr)
    for column in (tracks.latitude_rad, tracks.longitude_rad, tracks.velocity_mps, tracks.state_cov, tracks.existence_prob,
                   tracks.plot_count, state.seeds.floats[:, at.SEED_LOG_ODDS]):
        print(*np.asarray(column, np.float64).ravel().tolist())


if __name__ == "__main__":
    _print_tracks()


def test_the_tangent_at_a_lift_is_exact_there():
    for away_m, lift_km2 in ((5_000.0, 9.0), (60_000.0, 64.0), (20_000.0, 0.0)):
        each, bent = _lift_at(away_m, lift_km2)
        assert each * lift_km2 + bent == pytest.approx(away_m - math.sqrt(away_m**2 - 1e6 * lift_km2), abs=1e-6)
