"""The smoothed life of a track: Rauch-Tung-Striebel over the filter's moment-matched past.

The filter stores its mean and covariance before and after every update; the prediction between two of them is that of
the whole mixture, so turns the filter saw are not smoothed away. Between smoothed nodes a cubic through positions and
velocities gives the place at any time (a late plot's own time, a gap every 5 s), with the doubt of a Brownian bridge.

The lift (kernels_lift) is smoothed as a fifth number of the state: what radars learn late of a height moves the places before. Its
doubt moves the whole trajectory one way, so it is handed on beside that of the registration, not with the random part.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lapwing.geo.plane import Plane, from_plane, to_plane
from lapwing.model.plots import Floats, Ints
from lapwing.model.tracks import SHARED_PROB, Trajectory
from lapwing.track.columns import LIFT_FLOATS, LOG_AFTER, LOG_LIFT, LOG_LIFT_AFTER, LOG_WEIGHT
from lapwing.track.kernels_lift import DRIFT_KM4PS, DRIFT_SLOW_KM4PS, FIRST_SIGMA, SLOW_MPS
from lapwing.track.predict import moved
from lapwing.track.rows import true_axes
from lapwing.track.settings import Settings
from lapwing.track.state import Chunk

BRIDGE_NS = 5_000_000_000
BRIDGE_NOISE_M2PS3 = 4.0     # white acceleration inside a gap, at 50 m/s
NO_SENSOR = 65535
SILENCE_S = 20.0
LIFT_VARIANCE_MIN = 1e-6     # km4
LIFT_M_PER_KM2 = 17.0        # what a square kilometre of lift moves a plot 30 km away


def trajectory(path: Chunk, track_id: str, plane: Plane, height_m: float, bias_cov: Floats, end_ns: int,
               settings: Settings) -> Trajectory:
    """Return the smoothed trajectory of the logged updates, coasted on to `end_ns`.

    Parameters
    ----------
    path : rows of one track in the order of its updates; at least one
    bias_cov : (2, 2) in true east and north
    """
    node_ns, mean, cov, common = parted(*smoothed_nodes(path))
    own = path.floats[:, 30] != 0.0
    plot_ns = path.ints[own, 2]
    order = np.argsort(plot_ns, kind="stable")
    plot_ns = plot_ns[order]
    times, measured, source = _times(plot_ns, int(max(end_ns, node_ns[-1])))
    state, spread = interpolated(node_ns, mean, cov, times)
    latitude, longitude = from_plane(plane, state[:, 0], state[:, 1])
    axes = true_axes(to_plane(plane, latitude, longitude))
    lifted = axes @ between(node_ns, common, times) @ axes.transpose(0, 2, 1)
    sensors, sequences = np.full(len(times), NO_SENSOR, np.uint16), np.full(len(times), -1, np.int64)
    residual, association = np.full(len(times), np.nan), np.full(len(times), np.nan)
    taken = np.flatnonzero(own)[order][source[measured]]
    sensors[measured], sequences[measured] = path.ints[taken, 3], path.ints[taken, 4]
    association[measured] = np.minimum(np.abs(path.floats[taken, LOG_WEIGHT]), 1.0)
    residual[measured] = np.hypot(*(path.floats[taken, 28:30] - state[measured, :2]).T)
    return Trajectory(
        track_id=track_id, time_ns=times, latitude_rad=latitude, longitude_rad=longitude,
        height_m=np.full(len(times), height_m), velocity_mps=(axes @ state[:, 2:, None])[..., 0],
        position_cov_m2=axes @ spread @ axes.transpose(0, 2, 1),
        bias_cov_m2=bias_cov + lifted, measured=measured, sensor_index=sensors,
        entry_sequence=sequences, residual_m=residual, association_prob=association,
    )


def smoothed_nodes(path: Chunk) -> tuple[Ints, Floats, Floats]:
    """Return (time_ns (k,) strictly rising, mean (k, 5), cov (k, 5, 5)) after the backward pass; the fifth is the lift."""
    before, before_cov = _joint(path.floats, 0, LOG_LIFT)
    after, after_cov = _joint(path.floats, LOG_AFTER, LOG_LIFT_AFTER)
    time_ns, n = path.ints[:, 1], len(path.ints)
    if n > 1:
        dt = np.maximum(np.diff(time_ns), 0) * 1e-9
        f = np.broadcast_to(np.eye(5), (n - 1, 5, 5)).copy()
        f[:, 0, 2] = f[:, 1, 3] = dt
        straight = f @ after_cov[:-1] @ f.transpose(0, 2, 1)
        # Where the step before a row was thinned away or belongs to another number, its prediction is made anew.
        anew = straight.copy()
        moved_mean, anew[:, :4, :4] = moved(after[:-1, :4], after_cov[:-1, :4, :4], dt, 2.0)
        slow = np.hypot(after[:-1, 2], after[:-1, 3]) < SLOW_MPS
        anew[:, 4, 4] += np.where(anew[:, 4, 4] > 0.0, np.where(slow, DRIFT_SLOW_KM4PS, DRIFT_KM4PS), 0.0) * dt
        stored = (path.floats[1:, LOG_WEIGHT] > 0.0)[:, None]
        predicted = np.where(stored, before[1:], np.concatenate([moved_mean, after[:-1, 4:]], axis=1))
        predicted_cov = _at_least(np.where(stored[..., None], before_cov[1:], anew), straight)
        # A height that is known has no doubt to divide by.
        predicted_cov[:, 4, 4] = np.maximum(predicted_cov[:, 4, 4], LIFT_VARIANCE_MIN)
        # Where it goes on with plots of another track, or after a silence, it may have become another object: its height is none of
        # the first one's.
        other = (np.abs(path.floats[1:, LOG_WEIGHT]) == SHARED_PROB) | (dt > SILENCE_S)
        predicted_cov[:, 4, 4] += np.where(other, FIRST_SIGMA**2, 0.0)
        gain = np.linalg.solve(predicted_cov, f @ after_cov[:-1]).transpose(0, 2, 1)
        for k in range(n - 2, -1, -1):
            after[k] += gain[k] @ (after[k + 1] - predicted[k])
            after_cov[k] += gain[k] @ (after_cov[k + 1] - predicted_cov[k]) @ gain[k].T
        after_cov = 0.5 * (after_cov + after_cov.transpose(0, 2, 1))
    # Late plots leave several rows at one filter time; after smoothing they agree, the last one stands for all.
    last = np.flatnonzero(np.diff(time_ns, append=time_ns[-1] + 1) > 0)
    return time_ns[last], after[last], after_cov[last]


def parted(node_ns: Ints, mean: Floats, cov: Floats) -> tuple[Ints, Floats, Floats, Floats]:
    """Return (node_ns, mean (k, 4), cov (k, 4, 4), position covariance (k, 2, 2) that the lift's doubt makes), cov without it."""
    variance = np.maximum(cov[:, 4, 4], LIFT_VARIANCE_MIN)
    across = cov[:, :4, 4]
    common = across[:, :, None] * across[:, None, :] / variance[:, None, None]
    return node_ns, mean[:, :4], cov[:, :4, :4] - common, common[:, :2, :2]


def between(node_ns: Ints, values: Floats, times: Ints) -> Floats:
    """Return values (k, ...) of the nodes at any times, straight between them, the nearest beyond either end."""
    right = np.clip(np.searchsorted(node_ns, times, side="left"), 1, max(len(node_ns) - 1, 1))
    left = right - 1
    right = np.minimum(right, len(node_ns) - 1)
    span = np.maximum((node_ns[right] - node_ns[left]) * 1e-9, 1e-9)
    s = np.clip((times - node_ns[left]) * 1e-9 / span, 0.0, 1.0).reshape(-1, *(1,) * (values.ndim - 1))
    return np.asarray((1.0 - s) * values[left] + s * values[right], np.float64)


def _joint(floats: Floats, start: int, lift: int) -> tuple[Floats, Floats]:
    """Return (mean (n, 5), cov (n, 5, 5)) of log rows: the state at column `start`, the lift at column `lift`."""
    mean = np.concatenate([floats[:, start : start + 4], floats[:, lift : lift + 1]], axis=1)
    cov = np.empty((len(floats), 5, 5))
    cov[:, :4, :4] = _full(floats[:, start + 4 : start + 14])
    cov[:, 4, 4] = floats[:, lift + 1]
    cov[:, :4, 4] = cov[:, 4, :4] = floats[:, lift + 2 : lift + LIFT_FLOATS]
    return mean, cov


def _at_least(cov: Floats, floor: Floats) -> Floats:
    """Return `cov` (n, 5, 5), raised where it is narrower than `floor` in some direction.

    The backward pass never gives a negative variance if a prediction is at least as wide as the straight way from the row
    before. That of a mixture may be narrower: modes that disagree of the velocity may turn towards each other.
    """
    metres = np.array([1.0, 1.0, BRIDGE_NS * 1e-9, BRIDGE_NS * 1e-9, LIFT_M_PER_KM2])
    scale = metres[:, None] * metres
    values, vectors = np.linalg.eigh((cov - floor) * scale)
    more = np.einsum("nik,nk,njk->nij", vectors, np.maximum(values, 0.0), vectors) / scale
    return np.where(values[:, :1, None] < 0.0, floor + more, cov)


def interpolated(node_ns: Ints, mean: Floats, cov: Floats, times: Ints) -> tuple[Floats, Floats]:
    """Return (state (m, 4), position covariance (m, 2, 2)) at any times; straight on beyond either end."""
    right = np.clip(np.searchsorted(node_ns, times, side="left"), 1, max(len(node_ns) - 1, 1))
    left = right - 1
    right = np.minimum(right, len(node_ns) - 1)
    start, end = node_ns[left], node_ns[right]
    span = np.maximum((end - start) * 1e-9, 1e-9)
    s = np.clip((times - start) * 1e-9 / span, 0.0, 1.0)[:, None]
    width = np.where(end > start, span, 0.0)[:, None]
    p0, p1, v0, v1 = mean[left, :2], mean[right, :2], mean[left, 2:], mean[right, 2:]
    place = ((2 * s**3 - 3 * s**2 + 1) * p0 + (s**3 - 2 * s**2 + s) * width * v0 + (3 * s**2 - 2 * s**3) * p1
             + (s**3 - s**2) * width * v1)
    velocity = (1 - s) * v0 + s * v1
    inside = (s[:, 0] * width[:, 0], (1 - s[:, 0]) * width[:, 0])
    scale = np.clip(np.sum(velocity**2, axis=1) / 2500.0, 0.04, 16.0)
    bridge = BRIDGE_NOISE_M2PS3 * scale * (inside[0] * inside[1]) ** 3 / (3 * np.maximum(width[:, 0], 1e-9) ** 3)
    spread = (1 - s[..., None]) * cov[left, :2, :2] + s[..., None] * cov[right, :2, :2]
    spread = spread + bridge[:, None, None] * np.eye(2)
    for outside, node in ((times < node_ns[0], 0), (times > node_ns[-1], -1)):
        rows = np.flatnonzero(outside)
        if len(rows):
            count = len(rows)
            ahead, ahead_cov = moved(np.repeat(mean[node][None], count, 0), np.repeat(cov[node][None], count, 0),
                                     (times[rows] - node_ns[node]) * 1e-9, BRIDGE_NOISE_M2PS3 * scale[rows])
            place[rows], velocity[rows], spread[rows] = ahead[:, :2], ahead[:, 2:], ahead_cov[:, :2, :2]
    return np.concatenate((place, velocity), axis=1), spread


def _times(plot_ns: Ints, end_ns: int) -> tuple[Ints, npt.NDArray[np.bool_], Ints]:
    """Return (times rising, measured, index of the plot or -1): plots, bridges of gaps every 5 s, the coasted end."""
    pieces, sources = [plot_ns[:1]], [np.zeros(1, np.int64)]
    for k in range(1, len(plot_ns) + 1):
        until = int(plot_ns[k]) if k < len(plot_ns) else end_ns + 1
        bridge = np.arange(int(plot_ns[k - 1]) + BRIDGE_NS, until, BRIDGE_NS, dtype=np.int64)
        if k == len(plot_ns) and end_ns > int(plot_ns[-1]) and (not len(bridge) or bridge[-1] < end_ns):
            bridge = np.append(bridge, np.int64(end_ns))
        if len(bridge):
            pieces.append(bridge)
            sources.append(np.full(len(bridge), -1, np.int64))
        if k < len(plot_ns):
            pieces.append(plot_ns[k : k + 1])
            sources.append(np.array([k]))
    source = np.concatenate(sources)
    return np.concatenate(pieces), source >= 0, source


def _full(packed: Floats) -> Floats:
    """Return (n, 4, 4) of upper triangles (n, 10)."""
    full = np.empty((len(packed), 4, 4))
    rows, columns = np.triu_indices(4)
    full[:, rows, columns] = packed
    full[:, columns, rows] = packed
    return full
