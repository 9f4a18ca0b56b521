"""The system plane that tracks live on: an oblique stereographic plane, exact through the WGS-84 ellipsoid.

Conformal, so a direction turns by one angle (the convergence) and a length grows by one factor (the scale), both given
with every point: velocities and covariances come out in true east/north metres. At 300 km from the origin the scale is
1.00055. Responsible for the plane alone; who chooses its origin is the tracker.

Source of the double projection (ellipsoid to conformal sphere, sphere to plane): IOGP guidance note 7-2, method 9809.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_A_M = 6_378_137.0
_F = 1 / 298.257223563
_E2 = _F * (2 - _F)
_E = math.sqrt(_E2)


@dataclass(frozen=True, slots=True)
class Plane:
    """A plane about an origin; its axes point true east and north there. Made by `make_plane`."""

    latitude_rad: float
    longitude_rad: float
    sphere_m: float       # radius of the conformal sphere
    exponent: float       # n of method 9809
    factor: float         # c of method 9809
    sphere_latitude_rad: float


@dataclass(frozen=True, slots=True)
class PlanePoints:
    """Points on the plane. `north_east`, `north_north`: unit vector of true north there; `scale`: plane over true."""

    east_m: Floats
    north_m: Floats
    scale: Floats
    north_east: Floats
    north_north: Floats


def make_plane(latitude_rad: float, longitude_rad: float) -> Plane:
    """Return the plane with its origin there; |latitude| under 89 degrees."""
    sine, cosine = math.sin(latitude_rad), math.cos(latitude_rad)
    root = 1 - _E2 * sine * sine
    sphere = _A_M * math.sqrt(1 - _E2) / root
    exponent = math.sqrt(1 + _E2 * cosine**4 / (1 - _E2))
    first = ((1 + sine) / (1 - sine) * ((1 - _E * sine) / (1 + _E * sine)) ** _E) ** exponent
    sine_0 = (first - 1) / (first + 1)
    factor = (exponent + sine) * (1 - sine_0) / ((exponent - sine) * (1 + sine_0))
    second = factor * first
    return Plane(latitude_rad, longitude_rad, sphere, exponent, factor, math.asin((second - 1) / (second + 1)))


def to_plane(plane: Plane, latitude_rad: Floats, longitude_rad: Floats) -> PlanePoints:
    """Return points (n,) on the plane with scale and the direction of true north."""
    sine = np.sin(latitude_rad)
    w = plane.factor * ((1 + sine) / (1 - sine) * ((1 - _E * sine) / (1 + _E * sine)) ** _E) ** plane.exponent
    sine_s = (w - 1) / (w + 1)
    cosine_s = np.sqrt(1 - sine_s * sine_s)
    turn = plane.exponent * (np.remainder(longitude_rad - plane.longitude_rad + math.pi, 2 * math.pi) - math.pi)
    sine_0, cosine_0 = math.sin(plane.sphere_latitude_rad), math.cos(plane.sphere_latitude_rad)
    sine_t, cosine_t = np.sin(turn), np.cos(turn)
    b = 1 + sine_s * sine_0 + cosine_s * cosine_0 * cosine_t
    north = sine_s * cosine_0 - cosine_s * sine_0 * cosine_t
    # Image of a step north: derivative of both coordinates by the sphere's latitude, up to a common factor.
    db = cosine_s * sine_0 - sine_s * cosine_0 * cosine_t
    step_e = -sine_t * (sine_s * b + cosine_s * db)
    step_n = (cosine_s * cosine_0 + sine_s * sine_0 * cosine_t) * b - north * db
    length = np.hypot(step_e, step_n)
    normal = _A_M / np.sqrt(1 - _E2 * sine * sine)
    cosine = np.sqrt(1 - sine * sine)
    scale = 2 / b * plane.exponent * plane.sphere_m * cosine_s / (normal * cosine)
    double = 2 * plane.sphere_m / b
    return PlanePoints(double * cosine_s * sine_t, double * north, scale, step_e / length, step_n / length)


def from_plane(plane: Plane, east_m: Floats, north_m: Floats) -> tuple[Floats, Floats]:
    """Return (latitude_rad, longitude_rad) of points of the plane; to_plane and back is within 1 mm on 600 km."""
    sine_0, cosine_0 = math.sin(plane.sphere_latitude_rad), math.cos(plane.sphere_latitude_rad)
    x, y = np.asarray(east_m) / (2 * plane.sphere_m), np.asarray(north_m) / (2 * plane.sphere_m)
    square = x * x + y * y
    # cos c = (1 - s)/(1 + s) and sin c / rho = 2/(1 + s) in units of 2R: no division by a distance that may be zero.
    cosine_c, ratio = (1 - square) / (1 + square), 2 / (1 + square)
    sine_s = np.clip(cosine_c * sine_0 + y * ratio * cosine_0, -1, 1)
    turn = np.arctan2(x * ratio, cosine_0 * cosine_c - y * ratio * sine_0)
    isometric = np.log((1 + sine_s) / (plane.factor * (1 - sine_s))) / (2 * plane.exponent)
    latitude = 2 * np.arctan(np.exp(isometric)) - math.pi / 2
    for _ in range(6):  # each pass gains a factor of about 1/150; six reach the rounding error
        sine = np.sin(latitude)
        latitude = 2 * np.arctan(np.exp(isometric) * ((1 + _E * sine) / (1 - _E * sine)) ** (_E / 2)) - math.pi / 2
    longitude = plane.longitude_rad + turn / plane.exponent
    return latitude, np.remainder(longitude + math.pi, 2 * math.pi) - math.pi
