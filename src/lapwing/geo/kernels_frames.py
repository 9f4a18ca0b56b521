"""Kernel: polar to geodetic, exact, one plot after another. Its plain twin is `frames.polar_to_geodetic_plain`."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lapwing.geo.jit import kernel

Floats = npt.NDArray[np.float64]

_A = 6_378_137.0
_F = 1.0 / 298.257223563
_B = _A * (1.0 - _F)
_E2 = _F * (2.0 - _F)
_EP2 = _E2 / (1.0 - _E2)
_ROUNDS = 8


@kernel
def polar_to_geodetic_kernel(site_lat_rad: Floats, site_lon_rad: Floats, site_height_m: Floats, range_m: Floats,
                             azimuth_rad: Floats, height_m: Floats, lat_rad: Floats, lon_rad: Floats) -> None:
    """Fill `lat_rad` and `lon_rad`; every array has length n. NaN where the range cannot reach the height.

    Unknown is the up component z of the line of sight in the radar's own frame: start on the osculating sphere of the
    azimuth, then Newton on the height above the ellipsoid.
    """
    sin_lat, cos_lat, sin_lon, cos_lon, bulge, normal, meridian = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(range_m.shape[0]):
        lat_rad[i] = np.nan
        lon_rad[i] = np.nan
        rho, target = range_m[i], height_m[i]
        if i == 0 or site_lat_rad[i] != site_lat_rad[i - 1] or site_lon_rad[i] != site_lon_rad[i - 1]:  # mostly one radar's
            sin_lat, cos_lat = math.sin(site_lat_rad[i]), math.cos(site_lat_rad[i])
            sin_lon, cos_lon = math.sin(site_lon_rad[i]), math.cos(site_lon_rad[i])
            bulge = 1.0 - _E2 * sin_lat * sin_lat
            normal = _A / math.sqrt(bulge)
            meridian = normal * (1.0 - _E2) / bulge
        sin_az, cos_az = math.sin(azimuth_rad[i]), math.cos(azimuth_rad[i])
        euler = 1.0 / (cos_az * cos_az / meridian + sin_az * sin_az / normal)
        site = site_height_m[i]
        if not (rho >= abs(target - site)):          # also false for NaN
            continue
        z = ((target - site) * (2.0 * euler + target + site) - rho * rho) / (2.0 * (euler + site))
        z = min(max(z, -rho), rho)
        site_across = (normal + site) * cos_lat
        sx, sy, sz = site_across * cos_lon, site_across * sin_lon, (normal * (1.0 - _E2) + site) * sin_lat
        # Unit vector along the ground at the azimuth, and up, in Earth-fixed axes.
        hx = -sin_lon * sin_az - sin_lat * cos_lon * cos_az
        hy = cos_lon * sin_az - sin_lat * sin_lon * cos_az
        hz = cos_lat * cos_az
        ux, uy, uz = cos_lat * cos_lon, cos_lat * sin_lon, sin_lat
        x, y, top, low = 0.0, 0.0, 0.0, 0.0
        reached = False
        for _ in range(_ROUNDS):
            ground = math.sqrt(max(rho * rho - z * z, 0.0))
            x = sx + ground * hx + z * ux
            y = sy + ground * hy + z * uy
            w = sz + ground * hz + z * uz
            across = math.sqrt(x * x + y * y)
            # Bowring's formula with tan(reduced) kept as sine and cosine: one round is exact to 1e-5 m below 30 km of height.
            sine, cosine = w * _A, across * _B
            length = 1.0 / math.sqrt(sine * sine + cosine * cosine)
            sine *= length
            cosine *= length
            top = w + _EP2 * _B * sine * sine * sine
            low = across - _E2 * _A * cosine * cosine * cosine
            length = 1.0 / math.sqrt(top * top + low * low)
            sin_p, cos_p = top * length, low * length
            height = across * cos_p + w * sin_p - _A * math.sqrt(1.0 - _E2 * sin_p * sin_p)
            error = target - height
            if abs(error) < 1e-5:
                # d(height)/dz is near 1, so what is left moves the point by under 1e-5 m times z / ground.
                reached = True
                break
            # Rise of the height as z grows at constant range: along the local vertical of the object.
            vx, vy = cos_p * x / across, cos_p * y / across
            rise = ux * vx + uy * vy + uz * sin_p
            if ground > 0.0:
                rise -= z / ground * (hx * vx + hy * vy + hz * sin_p)
            step = error / rise if abs(rise) > 0.05 else error
            z = min(max(z + step, -rho), rho)
        if reached:
            lat_rad[i] = math.atan2(top, low)
            lon_rad[i] = math.atan2(y, x)
