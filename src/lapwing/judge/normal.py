"""The normal distribution, on arrays, without a heavy import."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

Z_95 = 1.959963984540054   # half-width of the central 95 % in sigmas


def normal_cdf(x: npt.ArrayLike) -> Floats:
    """Return P(Z <= x) of a standard normal variable, within 7.5e-8; any shape.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.17.
    """
    value = np.asarray(x, np.float64)
    size = np.minimum(np.abs(value), 40.0)
    t = 1.0 / (1.0 + 0.2316419 * size)
    series = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    tail = np.exp(-0.5 * size * size) / np.sqrt(2.0 * np.pi) * series
    return np.asarray(np.where(value > 0.0, 1.0 - tail, tail), np.float64)


def standard_nodes(count: int = 161, reach: float = 5.0) -> tuple[Floats, Floats]:
    """Return nodes of a standard normal variable, evenly spaced over +-reach, and their weights (sum 1)."""
    nodes = np.linspace(-reach, reach, count)
    weights = np.exp(-0.5 * nodes * nodes)
    return nodes, np.asarray(weights / weights.sum(), np.float64)
