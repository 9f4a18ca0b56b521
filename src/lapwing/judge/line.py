"""What a point's nearest piece of border means for the judge: across-direction, sigma of the line, undecided."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.geo.border import Territory, signed_distance
from lapwing.geo.wgs84 import curvature_radii_m
from lapwing.judge.normal import Z_95
from lapwing.judge.settings import Settings

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_TOO_NEAR_M = 1.0   # nearer than this the direction to the nearest point is lost in rounding


@dataclass(frozen=True, slots=True)
class Across:
    """Points seen across the line. Every array has length n."""

    distance_m: Floats             # signed, positive outside
    outward: Floats                # (n, 2) unit vector east, north in which the signed distance grows
    nearest_latitude_rad: Floats
    nearest_longitude_rad: Floats
    bound_95_m: Floats             # of the line there
    line_m_sigma: Floats           # the same as one sigma
    undecided: Bools
    meeting_s: Floats              # seconds to the line as it flies straight; 0 inside, inf not within the hour


def across(territory: Territory, latitude_rad: Floats, longitude_rad: Floats, settings: Settings,
           velocity_mps: Floats | None = None) -> Across:
    """Return where points stand to the line, with the direction across it, and when straight flights meet it."""
    points = signed_distance(territory, latitude_rad, longitude_rad, velocity_mps)
    distance, away = points.signed_distance_m, points.outward.T.copy()
    near = np.flatnonzero(np.abs(distance) < _TOO_NEAR_M)
    if len(near):
        meridian, prime = curvature_radii_m(latitude_rad[near])
        away[near] = _gradient(territory, latitude_rad[near], longitude_rad[near], meridian, prime)
        length = np.hypot(away[near, 0], away[near, 1])[:, None]
        away[near] = np.divide(away[near], length, out=np.tile([0.0, 1.0], (len(near), 1)), where=length > 0.0)
    bound = points.bound_95_m
    unsure = ~np.isfinite(bound) | (points.undecided & ~(bound > 0.0))
    if np.any(unsure):
        bound = np.where(unsure, settings.undecided_bound_m, bound)
    return Across(distance, away, points.nearest_latitude_rad, points.nearest_longitude_rad, bound, bound / Z_95,
                  points.undecided, points.meeting_s)


def spread(outward: Floats, cov: Floats) -> Floats:
    """Return one sigma of (n, 2, 2) covariances across the line, metres; not below 0.1 m."""
    east, north = outward[:, 0], outward[:, 1]
    # Written out: einsum over three arrays of a few rows costs ten times as much.
    variance = east * east * cov[:, 0, 0] + north * north * cov[:, 1, 1] + 2.0 * east * north * cov[:, 0, 1]
    return np.asarray(np.sqrt(np.maximum(variance, 0.01)), np.float64)


def _gradient(territory: Territory, latitude_rad: Floats, longitude_rad: Floats, meridian_m: Floats,
              prime_m: Floats) -> Floats:
    """Return (n, 2) the direction of growing distance by differences over 20 m."""
    north, east = 10.0 / meridian_m, 10.0 / (prime_m * np.cos(latitude_rad))
    zero = np.zeros_like(north)
    sides = [signed_distance(territory, latitude_rad + dn, longitude_rad + de).signed_distance_m
             for dn, de in ((zero, east), (zero, -east), (north, zero), (-north, zero))]
    return np.column_stack([sides[0] - sides[1], sides[2] - sides[3]])
