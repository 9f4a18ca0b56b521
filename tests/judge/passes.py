"""Simulated flights near the line: truth, noisy plots with a constant bias, a plain smoother, and what was true."""

from __future__ import annotations

import numpy as np
from flights import T0, place

from lapwing.model.times import NS_PER_S
from lapwing.model.tracks import Trajectory

KINDS = ("cross", "turn_back", "parallel", "weave", "falls")


def truth(kind: str, generator: np.random.Generator, closest_m: float, seconds: np.ndarray) -> np.ndarray:
    """Return (n, 2) east, north of a flight whose smallest north (signed distance) is near `closest_m`."""
    speed, middle = generator.uniform(40, 58), seconds[-1] / 2
    if kind == "cross":       # a straight pass at an angle that ends at its closest
        angle = np.radians(generator.uniform(10, 80))
        return np.column_stack([speed * np.cos(angle) * (seconds - seconds[-1]),
                                closest_m + speed * np.sin(angle) * (seconds[-1] - seconds)])
    if kind == "turn_back":   # a rounded V
        angle, round_s = np.radians(generator.uniform(15, 60)), generator.uniform(30, 90)
        away = np.sqrt((seconds - middle) ** 2 + round_s**2) - round_s
        return np.column_stack([speed * np.cos(angle) * (seconds - middle), closest_m + speed * np.sin(angle) * away])
    if kind == "parallel":
        slope = np.radians(generator.uniform(0, 2))
        return np.column_stack([speed * (seconds - middle), closest_m + speed * np.sin(slope) * seconds])
    if kind == "weave":
        wave = generator.uniform(150, 500) * (1 + np.sin(2 * np.pi * seconds / generator.uniform(200, 500)))
        return np.column_stack([speed * (seconds - middle), closest_m + wave])
    angle = np.radians(generator.uniform(10, 80))   # falls: as cross, and the plots end with it
    return np.column_stack([speed * np.cos(angle) * (seconds - seconds[-1]),
                            closest_m + speed * np.sin(angle) * (seconds[-1] - seconds)])


def smoothed(kind: str, generator: np.random.Generator, closest_m: float, *, plot_m_sigma: float = 120.0,
             bias_m: float = 40.0, every_s: float = 6.0, detection: float = 0.8, length_s: float = 480.0,
             accel_mps2: float = 0.4, coast_s: float = 30.0) -> tuple[Trajectory, float]:
    """Return the smoothed trajectory of a simulated flight, and its true smallest distance to the line."""
    fine = np.arange(0.0, length_s + 0.5, 1.0)
    flight = truth(kind, generator, closest_m, fine)
    shift = generator.normal(0, bias_m, 2)
    looks = np.arange(generator.uniform(0, every_s), length_s, every_s)
    looks = looks[generator.random(len(looks)) < detection]
    at = np.column_stack([np.interp(looks, fine, flight[:, 0]), np.interp(looks, fine, flight[:, 1])])
    plots = at + shift + generator.normal(0, plot_m_sigma, at.shape)
    ahead = np.arange(looks[-1] + 5.0, looks[-1] + coast_s, 5.0)
    times = np.concatenate([looks, ahead])
    state, cov = _kalman(times, plots, plot_m_sigma, accel_mps2)
    latitude, longitude = place(state[:, 0], state[:, 1])
    measured = np.arange(len(times)) < len(looks)
    residual = np.full(len(times), np.nan)
    residual[: len(looks)] = np.hypot(*(plots - state[: len(looks), :2]).T)
    result = Trajectory(
        track_id="S-1", time_ns=T0 + np.rint(times * NS_PER_S).astype(np.int64), latitude_rad=latitude,
        longitude_rad=longitude, height_m=np.full(len(times), 200.0), velocity_mps=state[:, 2:],
        position_cov_m2=cov[:, :2, :2], bias_cov_m2=np.tile(np.eye(2) * bias_m**2, (len(times), 1, 1)),
        measured=measured, sensor_index=np.where(measured, 0, 65_535).astype(np.uint16),
        entry_sequence=np.full(len(times), -1, np.int64), residual_m=residual,
        association_prob=np.where(measured, 0.9, np.nan))
    # The flight ends (falls) between its last plot and the next look, or was seen to its end.
    return result, float(flight[fine >= looks[0], 1].min())


def _kalman(times: np.ndarray, plots: np.ndarray, sigma_m: float, accel: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a forward-backward constant-velocity smoother's states (n, 4) and covariances; plots may end early."""
    count = len(times)
    predicted, filtered = [], []
    state = np.array([*plots[0], 0.0, 0.0])
    cov = np.diag([sigma_m**2, sigma_m**2, 60.0**2, 60.0**2])
    for row in range(count):
        if row:
            dt = times[row] - times[row - 1]
            move, noise = _move(dt, accel)
            state, cov = move @ state, move @ cov @ move.T + noise
        predicted.append((state, cov))
        if row < len(plots) and row > 0:
            gain = cov[:, :2] @ np.linalg.inv(cov[:2, :2] + np.eye(2) * sigma_m**2)
            state, cov = state + gain @ (plots[row] - state[:2]), cov - gain @ cov[:2]
        filtered.append((state, cov))
    states, covs = [filtered[-1][0]], [filtered[-1][1]]
    for row in range(count - 2, -1, -1):
        move, _ = _move(times[row + 1] - times[row], accel)
        gain = filtered[row][1] @ move.T @ np.linalg.inv(predicted[row + 1][1])
        states.append(filtered[row][0] + gain @ (states[-1] - predicted[row + 1][0]))
        covs.append(filtered[row][1] + gain @ (covs[-1] - predicted[row + 1][1]) @ gain.T)
    return np.array(states[::-1]), np.array(covs[::-1])


def _move(dt: float, accel: float) -> tuple[np.ndarray, np.ndarray]:
    move = np.eye(4)
    move[0, 2] = move[1, 3] = dt
    one = accel**2 * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]]) * 10.0
    noise = np.zeros((4, 4))
    noise[np.ix_([0, 2], [0, 2])] = one
    noise[np.ix_([1, 3], [1, 3])] = one
    return move, noise
