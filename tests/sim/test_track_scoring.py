"""How consistency of tracks is judged: by as many rows as are independent."""

import numpy as np
import pytest

from lapwing.sim.track_scoring import Path, consistency, independent_rows


def series(rows, memory, seed=1):
    """Return (rows, 2) errors of unit variance, first-order with correlation `memory` from row to row."""
    noise = np.random.default_rng(seed).normal(size=(rows, 2))
    errors = [noise[0]]
    for k in range(1, rows):
        errors.append(memory * errors[-1] + np.sqrt(1.0 - memory**2) * noise[k])
    return np.array(errors)


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9])
def test_independent_rows_are_as_theory_has_them(memory):
    expected = 4_000 * (1.0 - memory**2) / (1.0 + memory**2)
    assert independent_rows(series(4_000, memory)) == pytest.approx(expected, rel=0.2)


def test_an_error_that_stays_is_one_row():
    assert independent_rows(np.full((100, 2), 1.3)) < 3.0


@pytest.mark.parametrize(("scale", "naive", "honest"), [(1.0, 0.75, 0.85), (3.0, 0.05, 0.05)])
def test_right_covariances_lie_in_the_correlated_band_and_wrong_ones_in_none(scale, naive, honest):
    pytest.importorskip("scipy")
    time_s = np.arange(200.0)
    still = np.zeros(200)
    here = np.full(200, 45.0)
    truth = [Path("1", "drone", time_s, time_s, here, here, still, still, np.ones(200, bool))]
    tracks = []
    for seed in range(40):
        north_m = scale * 50.0 * series(200, 0.9, seed)[:, 0] / 111_132.0
        east_m = scale * 50.0 * series(200, 0.9, seed + 100)[:, 0] / 78_847.0
        cov = np.tile([2_500.0, 0.0, 2_500.0], (200, 1))
        tracks.append(Path(str(seed), "", time_s, time_s, here + north_m, here + east_m, still, still, np.ones(200, bool), cov))
    figures = consistency(truth, tracks, 2_000.0)
    assert figures["inside_95_share"] <= naive
    if scale == 1.0:
        assert figures["inside_95_share_correlated"] >= honest
    else:
        assert figures["inside_95_share_correlated"] <= honest
