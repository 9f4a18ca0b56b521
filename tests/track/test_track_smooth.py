"""The smoothed life of a track: its doubt is one that can be."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lapwing.track import columns as at
from lapwing.track.smooth import parted, smoothed_nodes
from lapwing.track.state import Chunk


def _past(covs, seconds):
    """Return a path of updates; `covs` are (before, after) pairs of 4 x 4."""
    floats, ints = np.zeros((len(covs), at.LOG_FLOATS)), np.zeros((len(covs), at.LOG_INTS), np.int64)
    upper = np.triu_indices(4)
    for k, (before, after) in enumerate(covs):
        floats[k, 4:14], floats[k, 18:28] = before[upper], after[upper]
        floats[k, 0:2] = floats[k, 14:16] = 40.0 * seconds * k
        floats[k, 2:4] = floats[k, 16:18] = 40.0
    floats[:, at.LOG_WEIGHT] = 1.0
    ints[:, at.LOG_TIME] = ints[:, at.LOG_PLOT_TIME] = (np.arange(len(covs)) * seconds * 1e9).astype(np.int64)
    return Chunk(floats, ints)


def test_a_prediction_narrower_than_the_row_before_leaves_no_negative_variance():
    wide, narrow = np.diag([1e4, 1e4, 400.0, 400.0]), np.diag([2_500.0, 2_500.0, 100.0, 100.0])
    _, _, cov = smoothed_nodes(_past([(wide, wide), (narrow, np.diag([100.0, 100.0, 9.0, 9.0]))], 4.0))
    assert np.linalg.eigvalsh(cov).min() > -1e-6


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 1.0, 4.0, 12.0]))
def test_the_smoothed_doubt_is_never_negative_whatever_the_rows(seed, step_s):
    generator = np.random.default_rng(seed)
    scale = np.diag([80.0, 80.0, 9.0, 9.0])

    def drawn():
        root = scale @ generator.normal(size=(4, 4))
        return root @ root.T + np.diag([100.0, 100.0, 1.0, 1.0])

    covs = [(drawn(), drawn()) for _ in range(6)]
    _, _, cov = smoothed_nodes(_past(covs, max(step_s, 1e-9)))
    values = np.linalg.eigvalsh(cov)
    assert np.all(values > -1e-9 * np.abs(values).max())


def test_a_height_learned_late_moves_the_places_before_and_its_doubt_is_common():
    # 20 m too far for each km2; at first nothing is known of the lift (2 km2), in the end it is 3 km2.
    wide = np.diag([100.0 + 20.0**2 * 4.0, 100.0, 1.0, 1.0])
    path = _past([(wide, wide), (wide, np.diag([100.0, 100.0, 1.0, 1.0]))], 1.0)
    path.floats[:, at.LOG_LIFT : at.LOG_FLOATS] = [0.0, 4.0, -80.0, 0.0, 0.0, 0.0] * 2
    path.floats[1, at.LOG_LIFT_AFTER : at.LOG_FLOATS] = [3.0, 0.01, 0.0, 0.0, 0.0, 0.0]
    path.floats[1, at.LOG_AFTER] -= 60.0
    _, mean, cov, common = parted(*smoothed_nodes(path))
    assert mean[0, 0] < -50.0
    assert cov[0, 0, 0] < 110.0 and common[0, 0, 0] < 20.0
    alone = parted(*smoothed_nodes(Chunk(path.floats[:1], path.ints[:1])))
    assert alone[2][0, 0, 0] < 101.0 and alone[3][0, 0, 0] > 1_599.0
