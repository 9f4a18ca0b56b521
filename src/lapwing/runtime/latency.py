"""How long it took from the reception of a plot until its track, or the proposal that it led to, was journaled and on its way out.

Counted in buckets, as Prometheus takes them: a histogram over the life of the service, whatever is asked of it later.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lapwing.model.plots import Ints
from lapwing.model.times import NS_PER_S

BOUNDS_S = (0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)


class Latency:
    """A histogram of seconds."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._counts = np.zeros(len(BOUNDS_S) + 1, np.int64)
        self._sum_s = 0.0

    def add(self, since_ns: Ints, now_ns: int) -> None:
        """Count how long ago each of these times was."""
        seconds = np.maximum(0.0, (now_ns - since_ns) / NS_PER_S)
        self._counts += np.bincount(np.searchsorted(BOUNDS_S, seconds), minlength=len(BOUNDS_S) + 1)
        self._sum_s += float(seconds.sum())

    def samples(self) -> list[tuple[str, Mapping[str, str], float]]:
        """Return the samples of a Prometheus histogram; none before anything was counted."""
        total = np.cumsum(self._counts)
        if not total[-1]:
            return []
        found: list[tuple[str, Mapping[str, str], float]] = [
            (f"{self.name}_bucket", {"le": f"{bound:g}"}, int(count)) for bound, count in zip(BOUNDS_S, total[:-1], strict=True)]
        return [*found, (f"{self.name}_bucket", {"le": "+Inf"}, int(total[-1])), (f"{self.name}_sum", {}, self._sum_s),
                (f"{self.name}_count", {}, int(total[-1]))]


def quantile(buckets: Mapping[str, float], share: float) -> float:
    """Return the seconds below which a share of a histogram lies, between two bounds in proportion; NaN of nothing.

    Parameters
    ----------
    buckets : bound ("0.1", "+Inf") -> count up to it
    share : 0 to 1
    """
    rows = sorted((float(bound), count) for bound, count in buckets.items())
    if not rows or not rows[-1][1]:
        return float("nan")
    due, low_s, below = share * rows[-1][1], 0.0, 0.0
    for bound_s, count in rows:
        if count >= due:
            return low_s if np.isinf(bound_s) else low_s + (bound_s - low_s) * (due - below) / max(1e-9, count - below)
        low_s, below = bound_s, count
    return low_s
