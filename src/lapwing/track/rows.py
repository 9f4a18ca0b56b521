"""The tracks as others see them: `model.tracks.Tracks` in true east and north, at one moment."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

from lapwing.geo.plane import Plane, PlanePoints
from lapwing.model.plots import Floats, Ints
from lapwing.model.tracks import AFFILIATIONS, Tracks
from lapwing.track import bias
from lapwing.track.kernels_export import (
    OUT_BIAS,
    OUT_COV,
    OUT_EXISTENCE,
    OUT_FLOATS,
    OUT_HEIGHT_VAR,
    OUT_LATITUDE,
    OUT_LONGITUDE,
    OUT_TURN,
    OUT_VE,
    OUT_VN,
    export,
)
from lapwing.track.settings import Settings
from lapwing.track.state import CONFIRMED, TENTATIVE, State, constants

Rows = npt.NDArray[np.intp]
COAST_TURNS = 2.0


def tracks_at(state: State, now_ns: int, radars: npt.NDArray[np.bool_], updated: npt.NDArray[np.bool_],
              settings: Settings, rows: Rows | None = None) -> Tracks:
    """Return the tracks (all but seeds; or the rows given) predicted to `now_ns`, in order of their numbers."""
    slots = state.slots
    if rows is None:
        rows = np.flatnonzero(slots.status >= TENTATIVE)
    rows = rows[np.argsort(slots.number[rows], kind="stable")]
    n = len(rows)
    out = np.empty((n, OUT_FLOATS))
    if n and state.plane is not None:
        parts = bias.parts(state.registration, radars, state.neighbours.mask, settings)
        export(rows.astype(np.int64), now_ns, slots.floats, slots.ints, constants(settings)[0], plane_numbers(state.plane),
               parts, state.sites, np.empty(16), out)
    longitude = np.remainder(out[:, OUT_LONGITUDE] + math.pi, 2 * math.pi) - math.pi
    bias_cov = out[:, [OUT_BIAS, OUT_BIAS + 1, OUT_BIAS + 1, OUT_BIAS + 2]].reshape(n, 2, 2)
    cooperative = slots.identified[rows] >= 3
    # A confirmed track is kept up by plots that are surely its own; a little of clutter in its gate is no news of it.
    certain = slots.status[rows] == CONFIRMED
    last_plot_ns = np.where(certain, slots.sure_ns[rows], slots.last_plot_ns[rows])
    return Tracks(
        track_id=tuple(map(state.ids.__getitem__, slots.uid[rows].tolist())), time_ns=np.full(n, now_ns, np.int64),
        born_ns=slots.born_ns[rows], last_plot_ns=last_plot_ns, latitude_rad=out[:, OUT_LATITUDE].copy(),
        longitude_rad=longitude, height_m=slots.height_m[rows], height_m_sigma=np.sqrt(out[:, OUT_HEIGHT_VAR]),
        velocity_mps=out[:, OUT_VE : OUT_VN + 1].copy(), state_cov=out[:, OUT_COV:].reshape(n, 4, 4).copy(),
        bias_cov_m2=bias_cov, turn_rate_radps=out[:, OUT_TURN].copy(), existence_prob=out[:, OUT_EXISTENCE].copy(),
        confirmed=certain,
        coasting=_coasting(state, rows, last_plot_ns, now_ns),
        updated=updated[rows] & (last_plot_ns == slots.last_plot_ns[rows]), class_prob=slots.class_prob[rows],
        affiliation=_affiliations(state, rows, cooperative), cooperative=cooperative, mode3a=slots.mode3a[rows].astype(np.int32),
        icao_address=slots.icao[rows].astype(np.int32), callsign=slots.callsign[rows], plot_count=slots.hits[rows],
        sensor_count=_sensor_counts(slots.sensors_mask[rows], state.neighbours.mask),
        sensors_mask=slots.sensors_mask[rows],
    )


def _sensor_counts(mask: npt.NDArray[np.uint64], neighbours: int) -> Ints:
    """Return how many sensors of ours saw each; one where only neighbours' tracks tell of it."""
    own = np.bitwise_count(mask & np.uint64(~neighbours & 0xFFFF_FFFF_FFFF_FFFF)).astype(np.int64)
    return np.asarray(np.maximum(own, 1), np.int64)


def plane_numbers(plane: Plane) -> Floats:
    """Return the plane as the kernel takes it."""
    return np.array((plane.sphere_m, plane.exponent, plane.factor, math.sin(plane.sphere_latitude_rad),
                     math.cos(plane.sphere_latitude_rad), plane.longitude_rad))


def true_axes(points: PlanePoints) -> Floats:
    """Return (n, 2, 2): plane vectors to true (east, north) metres at the points."""
    axes = np.empty((len(points.scale), 2, 2))
    axes[:, 0, 0], axes[:, 0, 1] = points.north_north, -points.north_east
    axes[:, 1, 0], axes[:, 1, 1] = points.north_east, points.north_north
    result: Floats = axes / points.scale[:, None, None]
    return result


def _coasting(state: State, rows: Rows, last_plot_ns: Ints, now_ns: int) -> npt.NDArray[np.bool_]:
    """Return which rows got no plot within two turns of the fastest radar that has ever seen them (at least 4 s)."""
    turn_s = np.where(np.isfinite(state.rotation.turn_s), state.rotation.turn_s, 4.0)
    seen = state.slots.hit_ns[rows] > 0
    fastest = np.where(seen, turn_s[None, :], np.inf).min(axis=1, initial=60.0) if len(turn_s) else (
        np.full(len(rows), 4.0))
    quiet_s = (now_ns - last_plot_ns) * 1e-9
    # A plot reaches us up to one look late, so two looks missed are three turns without a plot.
    coasting: npt.NDArray[np.bool_] = quiet_s > (COAST_TURNS + 1.0) * np.maximum(fastest, 2.0)
    return coasting


def _affiliations(state: State, rows: Rows, cooperative: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Return indices of AFFILIATIONS: what a person said, else neutral where identity is consistent."""
    slots, heard = state.slots, state.heard
    result = np.where(cooperative, AFFILIATIONS.index("neutral"), AFFILIATIONS.index("unknown")).astype(np.uint8)
    if heard.by_track or heard.by_icao or heard.by_mode3a:
        for k, row in enumerate(rows.tolist()):
            said = heard.by_track.get(state.ids[int(slots.uid[row])])
            said = said or heard.by_icao.get(int(slots.icao[row])) or heard.by_mode3a.get(int(slots.mode3a[row]))
            if said in AFFILIATIONS:
                result[k] = AFFILIATIONS.index(said)
    return result


def concatenate(first: Tracks, second: Tracks) -> Tracks:
    """Return the rows of both, the first's in front."""
    joined: dict[str, Any] = {f.name: np.concatenate((getattr(first, f.name), getattr(second, f.name)))
                              for f in fields(Tracks) if f.name != "track_id"}
    return Tracks(track_id=first.track_id + second.track_id, **joined)
