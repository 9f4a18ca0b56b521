"""P(entered) over a path whose errors are correlated.

The random part of the error is a new one after a decorrelation time, so a path is cut into blocks of that length and
each block judged at its worst row. Registration and line are common to all blocks: they are integrated over once, in
front of the product over the blocks, so that flying along the line for long adds nothing to them. Where the random
part alone would make an entry by repetition, `least` (the surest single block) tells: an entry needs a place where the
object was surely inside, not many where it may have been.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.judge.normal import normal_cdf, standard_nodes
from lapwing.judge.path import Path

Floats = npt.NDArray[np.float64]

_FAR_SIGMAS = 7.0    # a block farther out than this adds nothing


@dataclass(frozen=True, slots=True)
class Entered:
    """P(entered): over all blocks, and of the surest single block (`row` of the path)."""

    union: float
    least: float
    row: int


def entered_prob(path: Path, decorrelation_s: float) -> Entered:
    """Return P(the object was inside at some moment of the path).

    Notes
    -----
    The common error is one standard normal variable at the worst row; at another row its share is the correlation of
    the two rows' common errors, the rest counts as that block's own. Exact for one block, and where the line's
    direction does not turn.
    """
    sigma = path.sigma_m
    score = path.distance_m / sigma
    worst = int(np.argmin(score))
    least = float(normal_cdf(-score[worst]))
    if score[worst] >= _FAR_SIGMAS or least > 1.0 - 1e-6:
        return Entered(least, least, worst)
    rows = _worst_of_blocks(path.time_s, score, decorrelation_s)
    if not len(rows):
        return Entered(least, least, worst)
    common = path.common_m_sigma
    shared = path.bias_m[rows] @ path.bias_m[worst] + path.line_m_sigma[rows] * path.line_m_sigma[worst]
    scale = shared / max(float(common[worst]), 1e-9)          # metres per sigma of the common variable
    own = np.sqrt(np.maximum(common[rows] ** 2 - scale**2, 0.0) + np.maximum(path.random_m_sigma[rows], 0.5) ** 2)
    nodes, weights = standard_nodes()
    inside = normal_cdf(-(path.distance_m[rows][None, :] + nodes[:, None] * scale[None, :]) / own[None, :])
    union = float(weights @ (1.0 - np.prod(1.0 - inside, axis=1)))
    return Entered(min(max(union, least), 1.0), least, worst)


def _worst_of_blocks(seconds: Floats, score: Floats, decorrelation_s: float) -> npt.NDArray[np.intp]:
    """Return the row with the smallest score of each block that is near. Blocks are centred on the path's worst row."""
    near = np.flatnonzero(score < _FAR_SIGMAS)
    origin = seconds[int(np.argmin(score))]
    block = np.floor((seconds[near] - origin) / decorrelation_s + 0.5).astype(np.int64)
    # In each block the smallest score first; then the first row of each block.
    order = np.lexsort((score[near], block))
    first = np.flatnonzero(np.diff(block[order], prepend=block.min() - 1))
    return np.asarray(near[order[first]], np.intp)
