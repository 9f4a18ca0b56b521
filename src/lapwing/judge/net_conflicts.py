"""Which objects are in a volume, or would be as they fly: the volume test and the prediction filters of the safety net.

Four flights of each object are tried: straight on as it flies, straight with its heading 1.65 sigma to the left and to the
right, and its present turn flown out. How many of them meet the volume says how sure the conflict is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lapwing.country.volumes import Volume
from lapwing.geo.border import signed_distance
from lapwing.geo.wgs84 import curvature_radii_m
from lapwing.judge.line import spread
from lapwing.judge.net_settings import NetSettings
from lapwing.judge.normal import Z_95, normal_cdf

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

STRAIGHT, LEFT, RIGHT, TURN = range(4)
_Z_90 = 1.645
_HEADING_RAD_MIN = np.radians(2.0)     # nobody flies straighter than this over minutes
_HEADING_RAD_MAX = np.radians(30.0)
_TURNS_RADPS = 0.01                    # slower turns are noise of the filter
_TURN_LASTS_S = 20.0


@dataclass(frozen=True, slots=True)
class Looks:
    """Eligible objects at moments at which they were seen. Arrays have length n."""

    track_id: tuple[str, ...]
    time_ns: Ints
    latitude_rad: Floats
    longitude_rad: Floats
    height_m: Floats              # NaN unknown
    height_m_sigma: Floats
    velocity_mps: Floats          # (n, 2) east, north
    position_cov_m2: Floats       # (n, 2, 2) whole error
    velocity_cov: Floats          # (n, 2, 2)
    turn_rate_radps: Floats       # clockwise
    entry_prob: Floats            # P(inside the own airspace within ten minutes); NaN not known
    mode3a: npt.NDArray[np.int32]
    callsign: npt.NDArray[np.bytes_]

    def __len__(self) -> int:
        return len(self.time_ns)


@dataclass(frozen=True, slots=True)
class Conflicts:
    """Of one volume; rows as in the looks."""

    border_m: Floats
    border_m_sigma: Floats
    inside: Bools                 # more probably than not
    surely_inside: Bools
    meets: npt.NDArray[np.int64]  # how many of the four flights meet it
    cause_turn: Bools             # the turn does and the straight flight does not
    near_s: Floats                # until it comes within `near_m` as it flies; inf: not
    earliest_s: Floats            # until it is inside, of the flights that meet it; inf: none does
    nominal_s: Floats
    latest_s: Floats              # inf where one of the flights misses it


def conflicts(looks: Looks, volume: Volume, settings: NetSettings) -> Conflicts:
    """Return the conflicts with one volume."""
    territory, speed = volume.territory, np.hypot(looks.velocity_mps[:, 0], looks.velocity_mps[:, 1])
    seen = signed_distance(territory, looks.latitude_rad, looks.longitude_rad, looks.velocity_mps)
    border_m, outward = seen.signed_distance_m, seen.outward.T
    sigma_m = np.hypot(spread(outward, looks.position_cov_m2), np.nan_to_num(seen.bound_95_m, nan=0.0, posinf=0.0) / Z_95)
    count = len(looks)
    to_go = np.full((count, 4), np.inf)
    open_now = _within(looks, volume, settings)
    # Only those that could come to it in time are flown on.
    rows = np.flatnonzero(open_now & (border_m < speed * settings.amber_s * settings.keep_factor + settings.near_m + 3.0 * sigma_m))
    if len(rows):
        to_go[rows, STRAIGHT] = seen.meeting_s[rows]
        beside = _heading_sigma(looks, rows, speed) * _Z_90
        for column, angle in ((LEFT, -beside), (RIGHT, beside)):
            to_go[rows, column] = _meeting(looks, rows, volume, _turned(looks.velocity_mps[rows], angle), 0.0)
        turning = rows[np.abs(looks.turn_rate_radps[rows]) >= _TURNS_RADPS]
        to_go[rows, TURN] = to_go[rows, STRAIGHT]
        if len(turning):
            to_go[turning, TURN] = _turn_flown_out(looks, turning, volume)
    inside_prob = np.where(open_now, normal_cdf(-border_m / sigma_m), 0.0)
    inside = inside_prob >= 0.5
    to_go[inside] = 0.0
    meets = np.isfinite(to_go).sum(axis=1)
    nominal = np.where(np.isfinite(to_go[:, STRAIGHT]), to_go[:, STRAIGHT], to_go[:, TURN])
    closing = -np.sum(outward * looks.velocity_mps, axis=1)
    way = np.maximum(border_m - settings.near_m, 0.0)
    near = np.where(way <= 0.0, 0.0, np.divide(way, closing, out=np.full(count, np.inf), where=closing > 1.0))
    first = to_go.min(axis=1)
    # Speed is less sure than the way: the band of the times is widened by its share.
    share = np.minimum(_Z_90 * _along_sigma(looks, speed) / np.maximum(speed, 1.0), 0.5)
    return Conflicts(
        border_m=border_m, border_m_sigma=sigma_m, inside=inside, surely_inside=inside_prob >= settings.inside_prob, meets=meets,
        cause_turn=~np.isfinite(to_go[:, STRAIGHT]) & np.isfinite(to_go[:, TURN]),
        near_s=np.where(np.isfinite(first), np.minimum(near, first), np.inf), earliest_s=first / (1.0 + share), nominal_s=nominal,
        latest_s=np.asarray(to_go.max(axis=1) / (1.0 - share), np.float64))


def _within(looks: Looks, volume: Volume, settings: NetSettings) -> Bools:
    """Return which objects may be at the heights and times of the volume; a height that is not known may."""
    margin = settings.height_m_margin + 2.0 * np.nan_to_num(looks.height_m_sigma, nan=0.0)
    height = looks.height_m
    result = np.isnan(height) | ((height >= volume.floor_m - margin) & (height <= volume.ceiling_m + margin))
    if volume.active_ns:
        result &= np.array([volume.active(time) for time in looks.time_ns.tolist()], np.bool_)
    return np.asarray(result, np.bool_)


def _heading_sigma(looks: Looks, rows: Rows, speed: Floats) -> Floats:
    sine, cosine = looks.velocity_mps[rows, 0], looks.velocity_mps[rows, 1]
    across = np.column_stack([cosine, -sine]) / np.maximum(speed[rows], 1.0)[:, None]
    return np.clip(spread(across, looks.velocity_cov[rows]) / np.maximum(speed[rows], 1.0), _HEADING_RAD_MIN, _HEADING_RAD_MAX)


def _along_sigma(looks: Looks, speed: Floats) -> Floats:
    return spread(looks.velocity_mps / np.maximum(speed, 1.0)[:, None], looks.velocity_cov)


def _turned(velocity_mps: Floats, angle_rad: Floats) -> Floats:
    """Return velocities turned clockwise."""
    sine, cosine = np.sin(angle_rad), np.cos(angle_rad)
    east, north = velocity_mps[:, 0], velocity_mps[:, 1]
    return np.ascontiguousarray(np.column_stack([east * cosine + north * sine, north * cosine - east * sine]))


def _meeting(looks: Looks, rows: Rows, volume: Volume, velocity: Floats, after_s: float, east_m: Floats | float = 0.0,
             north_m: Floats | float = 0.0) -> Floats:
    """Return seconds until straight flights, begun `after_s` from now so far from here, meet the volume."""
    meridian, prime = curvature_radii_m(looks.latitude_rad[rows])
    latitude = looks.latitude_rad[rows] + north_m / meridian
    longitude = looks.longitude_rad[rows] + east_m / (prime * np.cos(latitude))
    return after_s + signed_distance(volume.territory, latitude, longitude, velocity).meeting_s


def _turn_flown_out(looks: Looks, rows: Rows, volume: Volume) -> Floats:
    """Return when a flight meets the volume that turns as it does now for a while, and then goes straight on."""
    rate = looks.turn_rate_radps[rows]
    angle = np.clip(rate * _TURN_LASTS_S, -np.pi, np.pi)
    # Along the chord of the arc: half the angle, shortened by sin(x)/x.
    chord = _turned(looks.velocity_mps[rows], angle / 2.0) * (np.sinc(angle / (2.0 * np.pi)) * _TURN_LASTS_S)[:, None]
    return _meeting(looks, rows, volume, _turned(looks.velocity_mps[rows], angle), _TURN_LASTS_S, chord[:, 0], chord[:, 1])
