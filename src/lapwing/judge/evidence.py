"""What a final verdict rests on, down to plots: those about the closest point, where it is decided."""

from __future__ import annotations

import numpy as np

from lapwing.judge.path import Path
from lapwing.model.tracks import Trajectory
from lapwing.model.verdicts import DecisivePlot

DECISIVE_PLOTS = 9


def decisive_plots(trajectory: Trajectory, path: Path, closest_ns: int) -> tuple[DecisivePlot, ...]:
    """Return the plots nearest in time to the closest point, in order of time; none where the plots are not known.

    Parameters
    ----------
    path : of the trajectory: it has a row at the time of each plot
    """
    plots = np.flatnonzero(trajectory.measured & (trajectory.entry_sequence >= 0))
    near = np.argsort(np.abs(trajectory.time_ns[plots] - closest_ns), kind="stable")[:DECISIVE_PLOTS]
    found = []
    for row in np.sort(plots[near]).tolist():
        at = min(int(np.searchsorted(path.time_ns, trajectory.time_ns[row])), len(path) - 1)
        found.append(DecisivePlot(
            time_ns=int(trajectory.time_ns[row]), sensor=str(int(trajectory.sensor_index[row])),
            entry_sequence=int(trajectory.entry_sequence[row]), distance_m=float(path.distance_m[at]),
            distance_m_sigma=float(path.random_m_sigma[at]), residual_m=float(trajectory.residual_m[row]),
            association_prob=float(trajectory.association_prob[row])))
    return tuple(found)
