"""Tracks moved in time outside the filter: for output rows, stitching, bridging gaps. Whole arrays, NumPy."""

from __future__ import annotations

import numpy as np

from lapwing.model.plots import Floats


def moved(mean: Floats, cov: Floats, dt_s: Floats, noise_m2ps3: Floats | float,
          turn_radps: Floats | None = None) -> tuple[Floats, Floats]:
    """Return rows (n, 4), (n, 4, 4) moved by dt (n,), either way; white acceleration noise grows with |dt|.

    `turn_radps`: anticlockwise rate of each row; none: straight on.
    """
    turn = np.zeros(len(mean)) if turn_radps is None else turn_radps
    small = np.abs(turn * dt_s) < 1e-6
    safe = np.where(small, 1.0, turn)
    angle = turn * dt_s
    a = np.where(small, dt_s, np.sin(angle) / safe)
    b = np.where(small, 0.0, (1.0 - np.cos(angle)) / safe)
    f = np.zeros((len(mean), 4, 4))
    f[:, 0, 0] = f[:, 1, 1] = 1.0
    f[:, 0, 2] = f[:, 1, 3] = a
    f[:, 0, 3], f[:, 1, 2] = -b, b
    f[:, 2, 2] = f[:, 3, 3] = np.cos(angle)
    f[:, 2, 3], f[:, 3, 2] = -np.sin(angle), np.sin(angle)
    new_mean = (f @ mean[..., None])[..., 0]
    new_cov = f @ cov @ f.transpose(0, 2, 1)
    step, sign = np.abs(dt_s), np.sign(dt_s)
    for k in (0, 1):
        new_cov[:, k, k] += noise_m2ps3 * step**3 / 3
        new_cov[:, k, k + 2] += sign * noise_m2ps3 * step**2 / 2
        new_cov[:, k + 2, k] += sign * noise_m2ps3 * step**2 / 2
        new_cov[:, k + 2, k + 2] += noise_m2ps3 * step
    return new_mean, new_cov
