"""Is a plot to be believed? On the globe, in its sensor's reach, no faster than anything flies, not frozen in place.

What fails is refused with a reason under its sensor, and counts against the sensor: `quarantine` looks at the shares.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lapwing.geo.wgs84 import MEAN_RADIUS_M
from lapwing.model.plots import KIND_ADSB, NO_CODE, Plots
from lapwing.model.times import NS_PER_S
from lapwing.sense import coverage
from lapwing.sense.kernels_batch import all_near, groups, newest
from lapwing.sense.sensor_columns import columns_of, gate_m
from lapwing.sense.work import Work

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

SPEED_MPS_MAX = 1_000.0                      # nothing that carries a transponder is faster; 3 sigma of both come on top
FROZEN_S, FROZEN_MPS = 20.0, 30.0            # the very same place for so long, by something that says that it flies
MEMORY_S = 120.0                             # how long the last place of an aircraft is compared with
MEMORY_MAX = 8_192                           # aircraft remembered; the oldest go first

Last = tuple[int, float, float, float, int]  # measured_ns, latitude, longitude, sigma_m, at this place since


def believable(work: Work, plots: Plots) -> Plots:
    """Return the plots that may be true; the others are refused under their sensor."""
    if not len(plots):
        return plots
    of, index = columns_of(work.sensors.rows), plots.sensor_index
    if not all_near(index, plots.latitude_rad, plots.longitude_rad, plots.range_m, of.latitude_rad, of.longitude_rad, of.gate_m):
        keep = _on_globe(work, plots)
        if not keep.all():
            plots = plots.take(keep)
        far = _out_of_reach(work, plots)
        if far.any():
            plots = plots.take(~far)
    by_satellite = plots.kind == KIND_ADSB
    if by_satellite.any():
        named = np.flatnonzero(by_satellite & (plots.icao_address != NO_CODE))
        wrong = _wrong_motion(work, plots, named)
        if wrong.any():
            plots = plots.take(~wrong)
    if not len(plots):
        return plots
    shut = work.memory.get("trust", {})
    met, group = groups(plots.sensor_index)
    _, counts = newest(group, plots.received_ns, len(met))
    taken = np.zeros(len(plots), np.bool_)
    received_ns = int(plots.received_ns[-1])
    for number, (row, count) in enumerate(zip(met, counts, strict=True)):
        work.truths[row] = work.truths.get(row, 0) + count
        coverage.note(work, row, group, number, count, plots, received_ns)
        if row in shut and shut[row].shut_ns:
            # Judged like any other, so that it can be let in again; used it is not.
            mine = group == number
            sensor = work.sensors.rows[row]
            first = int(np.flatnonzero(mine)[0])
            work.refusals.add("quarantined", sensor.id, f"in quarantine: {shut[row].why}", sensor.id,
                              int(plots.entry_sequence[first]), int(plots.octet_offset[first]), count)
            taken |= mine
            left = plots.received_ns[~taken]
            received_ns = int(left[-1]) if len(left) else received_ns
    return plots.take(~taken) if taken.any() else plots


def refuse(work: Work, plots: Plots, rows: Bools, reason: str, detail: str) -> None:
    """Count the chosen plots as refused, each under its sensor."""
    for index in np.unique(plots.sensor_index[rows]).tolist():
        mine = np.flatnonzero(rows & (plots.sensor_index == index))
        sensor = work.sensors.rows[index]
        first = mine[0]
        work.refusals.add(reason, sensor.id, detail, sensor.id, int(plots.entry_sequence[first]),
                          int(plots.octet_offset[first]), len(mine))
        work.lies[index] = work.lies.get(index, 0) + len(mine)


def _on_globe(work: Work, plots: Plots) -> Bools:
    on: Bools = (np.abs(plots.latitude_rad) <= math.pi / 2) & (np.abs(plots.longitude_rad) <= math.pi * (1 + 1e-9))
    if not on.all():
        refuse(work, plots, ~on, "implausible_position", "latitude or longitude off the globe: another edition?")
    return on


def _out_of_reach(work: Work, plots: Plots) -> Bools:
    of, index = columns_of(work.sensors.rows), plots.sensor_index
    far = _far(of.latitude_rad[index], of.longitude_rad[index], plots, of.gate_m[index])
    if far.any():
        _say_far(work, plots, far)
    return far


def _far(latitude: Floats | float, longitude: Floats | float, plots: Plots, limit: Floats | float) -> Bools:
    polar = np.isfinite(plots.range_m)
    distance = np.where(polar, plots.range_m, 0.0) if polar.all() else np.where(
        polar, plots.range_m, rough_m(latitude, longitude, plots.latitude_rad, plots.longitude_rad))
    far: Bools = distance > limit
    return far


def rough_m(latitude_rad: Floats | float, longitude_rad: Floats | float, latitude2_rad: Floats | float,
            longitude2_rad: Floats | float) -> Floats:
    """Return the distance on a sphere: within 0.6 %, for gates only."""
    half = np.sin(0.5 * (np.asarray(latitude2_rad) - latitude_rad)) ** 2 + np.cos(latitude_rad) * np.cos(
        latitude2_rad) * np.sin(0.5 * (np.asarray(longitude2_rad) - longitude_rad)) ** 2
    return np.asarray(2.0 * MEAN_RADIUS_M * np.arcsin(np.minimum(1.0, np.sqrt(half))))


def _say_far(work: Work, plots: Plots, far: Bools) -> None:
    """Refuse what is out of reach, and say so where latitude and longitude turned round would be in reach."""
    swapped = np.zeros(len(plots), np.bool_)
    for row in np.flatnonzero(far & ~np.isfinite(plots.range_m)).tolist():
        sensor = work.sensors.rows[plots.sensor_index[row]]
        if abs(plots.longitude_rad[row]) <= math.pi / 2:
            turned = rough_m(sensor.latitude_rad, sensor.longitude_rad, plots.longitude_rad[row], plots.latitude_rad[row])
            swapped[row] = bool(turned <= gate_m(sensor))
    if swapped.any():
        refuse(work, plots, swapped, "swapped_coordinates",
               "out of the sensor's reach as it is, within it with latitude and longitude turned round: check the sender")
    if (far & ~swapped).any():
        refuse(work, plots, far & ~swapped, "out_of_reach",
               "farther from its sensor than that sees: wrong units, wrong coordinates, or range_m_max is too small")


def _wrong_motion(work: Work, plots: Plots, named: npt.NDArray[np.intp]) -> Bools:
    """Return what an aircraft that names itself cannot have done since its last place: jumped, or stood in the air."""
    places = work.own_places()
    wrong, frozen = np.zeros(len(plots), np.bool_), np.zeros(len(plots), np.bool_)
    order = named[np.argsort(plots.measured_ns[named], kind="stable")]
    sigma = np.sqrt(np.maximum(plots.position_cov_m2[order, 0, 0], plots.position_cov_m2[order, 1, 1]))
    speed = np.hypot(plots.velocity_mps[order, 0], plots.velocity_mps[order, 1])
    columns = (column.tolist() for column in (
        order, plots.icao_address[order], plots.measured_ns[order], plots.latitude_rad[order], plots.longitude_rad[order], sigma, speed))
    for row, address, at_ns, latitude, longitude, m_sigma, mps in zip(*columns, strict=True):
        last = places.get(address)
        since = at_ns
        if last is not None and at_ns - last[0] <= MEMORY_S * NS_PER_S and at_ns >= last[0]:
            seconds = (at_ns - last[0]) / NS_PER_S
            if latitude == last[1] and longitude == last[2]:
                since = last[4]
                frozen[row] = (at_ns - since) / NS_PER_S > FROZEN_S and mps > FROZEN_MPS
            else:
                slack = SPEED_MPS_MAX * (seconds + 1.0) + 3.0 * (last[3] + m_sigma)
                moved = abs(latitude - last[1]) * MEAN_RADIUS_M
                if moved + abs(longitude - last[2]) * MEAN_RADIUS_M > slack:
                    wrong[row] = float(rough_m(last[1], last[2], latitude, longitude)) > slack
                    if wrong[row]:
                        continue      # the place before stands: one that jumped away and back loses the jump alone
        elif last is not None and at_ns < last[0]:
            continue          # late: compared with nothing, remembered neither
        places.pop(address, None)
        places[address] = (at_ns, latitude, longitude, m_sigma, since)
    while len(places) > MEMORY_MAX:
        places.pop(next(iter(places)))
    if wrong.any():
        refuse(work, plots, wrong, "impossible_speed", f"over {SPEED_MPS_MAX:g} m/s since the aircraft's last place: its "
               "satellite receiver is jammed or deceived, or two use one address")
    if frozen.any():
        refuse(work, plots, frozen, "frozen_position", f"the same place for over {FROZEN_S:g} s by an aircraft that says it "
               "flies: its satellite receiver is jammed or deceived")
    return wrong | frozen
