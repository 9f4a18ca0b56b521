"""Tracks of a neighbour's system (CAT062): fused with ours by covariance intersection, or followed as what one source tells.

A report belongs to the track that its number went on with before, while it still fits; else to the one of the same identity; else
to the nearest within the gate that no other number of that source goes with. Where there is none a track of its own begins. Such a
source is no look: it adds nothing to existence (its word is a floor, never a sum), counts as no sensor, misses nothing, and
teaches registration nothing. A track that it alone tells of is confirmed on its word, and coasts and ends as any other.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from lapwing.model.plots import KIND_TRACK, NO_CODE, Bools, Floats, Ints, Plots
from lapwing.model.sensors import SensorTable
from lapwing.track import bias
from lapwing.track import columns as at
from lapwing.track.group import Work
from lapwing.track.kernels_fuse import FUSE_SCRATCH, begin, fuse, tell
from lapwing.track.measurement import SIGMA_M_MAX, tabled
from lapwing.track.predict import moved
from lapwing.track.settings import Settings
from lapwing.track.state import CONFIRMED, FREE, NEVER_NS, SEED, TENTATIVE, Chunk, Neighbours, Slots, constants

LINKS_MAX = 16_384
LINK_S = 120.0             # a number that was silent for so long may be another object's
NEAR_D2 = 18.5             # chi-square, 4 degrees: 99.9 %; of place and velocity
KEEP_D2 = 40.0             # what once belonged together may drift apart by more
IDENTITY_D2 = 150.0
GATE_M = 15_000.0          # farther away nothing is looked at
BETWEEN_M2PS3 = 2.0        # acceleration noise, while one of both is moved to the other's time
IDENTITY_REPORTS = 3       # of one number with one track, until its identity is believed to be the track's


def theirs(plots: Plots) -> Bools:
    """Return which reports are numbered tracks of a neighbour."""
    mask: Bools = (plots.kind == KIND_TRACK) & (plots.track_number != NO_CODE)
    return mask


def take(work: Work, plots: Plots, sensors: SensorTable, settings: Settings) -> Bools:
    """Take a neighbour's reports into the work's state, in order of their times; return the slots that he vouches for."""
    state = work.state
    assert state.plane is not None, "there are reports, so the plane is set"
    variance = plots.position_cov_m2[:, 0, 0] + plots.position_cov_m2[:, 1, 1]
    rows = np.flatnonzero(np.isfinite(plots.latitude_rad) & np.isfinite(plots.longitude_rad) & (variance > 0)
                          & (variance < 2 * SIGMA_M_MAX**2) & (plots.sensor_index < len(state.sites)))
    rows = rows[np.lexsort((plots.entry_sequence[rows], plots.measured_ns[rows]))]
    vouched = np.zeros(len(state.slots), np.bool_)
    if not len(rows):
        return vouched
    reports = Reports(work, plots, rows, sensors, settings)
    for j in range(len(rows)):
        row = reports.take(j)
        if row >= 0:
            vouched[row] = True
    reports.close()
    return vouched


class Reports:
    """The reports of one step on their way into the step's own copy of slots."""

    def __init__(self, work: Work, plots: Plots, rows: npt.NDArray[np.intp], sensors: SensorTable, settings: Settings) -> None:
        state = work.state
        assert state.plane is not None
        self.work, self.settings = work, settings
        self.floats, self.ints = tabled(plots, rows, state.plane, state.site_scale, sensors)
        self.sensor: Ints = plots.sensor_index[rows].astype(np.int64)
        self.number: Ints = plots.track_number[rows].astype(np.int64)
        told = plots.velocity_mps_sigma[rows]
        self.mps_sigma = np.where(np.isfinite(told) & (told > 1.0), told, settings.neighbour_mps_sigma)
        self.links = dict(state.neighbours.links)
        self.mask = state.neighbours.mask
        for sensor in np.unique(self.sensor[self.sensor < 63]).tolist():
            self.mask |= 1 << sensor
        self.doubt_m2 = bias.doubt_m2(state.registration, settings)
        self.model = constants(settings)[0]
        self.scratch = np.empty(FUSE_SCRATCH)
        self.log_floats = np.zeros((len(rows), at.LOG_FLOATS))
        self.log_ints = np.zeros((len(rows), at.LOG_INTS), np.int64)
        self.logged, self.next_uid, self.shed = 0, state.next_uid, 0
        slots = state.slots
        self.row_of = {int(slots.uid[row]): int(row) for row in np.flatnonzero(slots.status != FREE)}

    def take(self, j: int) -> int:
        """Take report `j`; return the row that it went to, -1 where to none."""
        key, report_ns = (int(self.sensor[j]), int(self.number[j])), int(self.ints[j, at.PLOT_TIME])
        uid, before_ns, count = self.links.pop(key, (0, 0, 0))
        row = self.row_of.get(uid, -1)
        if row >= 0 and (report_ns - before_ns > LINK_S * 1e9 or self._distance2(j, np.array([row]))[0] > KEEP_D2):
            row = -1
        if row < 0:
            row, count = self._nearest(j, key), 0
        if row < 0:
            row = self._begun(j)
        elif report_ns > before_ns:
            self._fused(j, row, count)
        if row >= 0:
            self.links[key] = (int(self.work.state.slots.uid[row]), max(report_ns, before_ns), count + 1)
        return row

    def close(self) -> None:
        """Put what was learnt into the work's state."""
        state = self.work.state
        while len(self.links) > LINKS_MAX:
            del self.links[next(iter(self.links))]
        clock_ns = state.rotation.clock_ns.copy()
        np.maximum.at(clock_ns, self.sensor, self.ints[:, at.PLOT_TIME])
        young = state.young
        if self.logged:
            young = (*young, Chunk(self.log_floats[: self.logged].copy(), self.log_ints[: self.logged].copy()))
        self.work.state = replace(
            state, neighbours=Neighbours(self.links, self.mask), young=young, young_rows=state.young_rows + self.logged,
            next_uid=self.next_uid, shed_count=state.shed_count + self.shed, rotation=replace(state.rotation, clock_ns=clock_ns))

    def _estimate(self, j: int, late_s: float, velocity: Floats) -> tuple[Floats, Floats]:
        """Return (z, r) of report `j` as `kernels_fuse.intersect` takes them, moved on by `late_s` seconds."""
        report = self.floats[j]
        told = math.isfinite(report[at.PLOT_VE]) and math.isfinite(report[at.PLOT_VN])
        speed = report[at.PLOT_VE : at.PLOT_VN + 1] if told else velocity
        variance = float(self.mps_sigma[j]) ** 2
        more = (variance * late_s + BETWEEN_M2PS3 * late_s**2 / 3.0) * late_s
        z = np.array((report[at.PLOT_EAST] + late_s * speed[0], report[at.PLOT_NORTH] + late_s * speed[1], speed[0], speed[1]))
        r = np.array((report[at.PLOT_EE] + more, report[at.PLOT_EN], report[at.PLOT_NN] + more,
                      variance + BETWEEN_M2PS3 * late_s if told else 0.0))
        return z, r

    def _distance2(self, j: int, rows: npt.NDArray[np.intp]) -> Floats:
        """Return how far report `j` lies from tracks, squared and by their doubts: place, and velocity where it is told."""
        slots, report = self.work.state.slots, self.floats[j]
        dt: Floats = np.asarray(int(self.ints[j, at.PLOT_TIME]) - slots.time_ns[rows], np.float64) * 1e-9
        mean, cov = moved(slots.mean[rows], slots.mean_cov[rows], dt, BETWEEN_M2PS3)
        told = math.isfinite(report[at.PLOT_VE]) and math.isfinite(report[at.PLOT_VN])
        size = 4 if told else 2
        z = report[[at.PLOT_EAST, at.PLOT_NORTH, at.PLOT_VE, at.PLOT_VN]][:size]
        noise = np.zeros((4, 4))
        noise[0, 0], noise[1, 1] = report[at.PLOT_EE] + self.doubt_m2, report[at.PLOT_NN] + self.doubt_m2
        noise[0, 1] = noise[1, 0] = report[at.PLOT_EN]
        noise[2, 2] = noise[3, 3] = self.mps_sigma[j] ** 2
        away = z - mean[:, :size]
        total = cov[:, :size, :size] + noise[:size, :size]
        return np.asarray(np.einsum("ni,ni->n", away, np.linalg.solve(total, away[..., None])[..., 0]))

    def _nearest(self, j: int, key: tuple[int, int]) -> int:
        """Return the row that a report without a link belongs to, -1 for none: by identity first, then by place."""
        slots, report_ns = self.work.state.slots, int(self.ints[j, at.PLOT_TIME])
        rows = np.flatnonzero(slots.status >= TENTATIVE)
        dt = (report_ns - slots.time_ns[rows]) * 1e-9
        away = self.floats[j, [at.PLOT_EAST, at.PLOT_NORTH]] - slots.mean[rows, :2] - slots.mean[rows, 2:] * dt[:, None]
        rows = rows[np.hypot(away[:, 0], away[:, 1]) < GATE_M]
        icao, code = int(self.ints[j, at.PLOT_ICAO]), int(self.ints[j, at.PLOT_MODE3A])
        same = ((icao >= 0) & (slots.icao[rows] == icao)) | ((code >= 0) & (slots.mode3a[rows] == code) & (
            (icao < 0) | (slots.icao[rows] < 0)))
        clash = ~same & (((icao >= 0) & (slots.icao[rows] >= 0)) | ((code >= 0) & (slots.mode3a[rows] >= 0)))
        taken = {uid for (sensor, number), (uid, before_ns, _) in self.links.items()
                 if sensor == key[0] and number != key[1] and report_ns - before_ns < LINK_S * 1e9} if len(rows) else set()
        free = ~clash & np.array([int(slots.uid[row]) not in taken for row in rows], np.bool_)
        rows, same = rows[free], same[free]
        if not len(rows):
            return -1
        distance2 = self._distance2(j, rows)
        fits = distance2 < np.where(same, IDENTITY_D2, NEAR_D2)
        if not fits.any():
            return -1
        order = np.lexsort((slots.number[rows], distance2, ~same))
        return int(rows[order[fits[order]][0]])

    def _fused(self, j: int, row: int, count: int) -> None:
        slots, settings = self.work.state.slots, self.settings
        report_ns = int(self.ints[j, at.PLOT_TIME])
        late_s = max((int(slots.time_ns[row]) - report_ns) * 1e-9, 0.0)
        if late_s > settings.neighbour_late_s:
            return
        if count + 1 < IDENTITY_REPORTS:
            self.ints[j, at.PLOT_ICAO] = self.ints[j, at.PLOT_MODE3A] = -1
            self.ints[j, at.PLOT_CALLSIGN] = 0
        z, r = self._estimate(j, late_s, slots.mean[row, 2:])
        if r[3] > 0.0:
            r = 2.0 * r        # how errors of place and speed go together is not told: diag(2 P, 2 V) bounds it whatever that is
        tell(row, j, slots.floats, slots.ints, self.floats, self.ints)
        fuse(slots.floats, slots.ints, row, report_ns, z, r, self.model, self.scratch, self.log_floats, self.logged)
        self._heard(j, row, slots, z, report_ns)

    def _begun(self, j: int) -> int:
        slots, settings = self.work.state.slots, self.settings
        free = np.flatnonzero(slots.status == FREE)
        if not len(free):
            self.shed += 1
            return -1
        row, sensor, born = int(free[0]), int(self.sensor[j]), int(self.ints[j, at.PLOT_TIME])
        z, r = self._estimate(j, 0.0, np.zeros(2))
        if r[3] == 0.0:
            r[3] = settings.speed_mps_sigma**2
        slots.floats[row], slots.ints[row] = 0.0, 0
        begin(slots.floats, row, z, r, self.model, self.log_floats, self.logged)
        slots.status[row], slots.uid[row], slots.number[row] = SEED, self.next_uid, -1
        slots.time_ns[row] = slots.born_ns[row] = slots.last_plot_ns[row] = slots.sure_ns[row] = slots.height_ns[row] = born
        slots.last_sensor[row] = sensor
        slots.mode3a[row] = slots.icao[row] = -1
        slots.ints[row, [at.AFFILIATION, at.OWN_CELL, at.OWN_WIDE_CELL]] = -1
        slots.log_odds[row] = slots.birth_log_odds[row] = settings.neighbour_log_odds
        slots.height_m[row] = math.nan
        slots.class_prob[row] = 1.0 / at.CLASS_COUNT
        slots.detect[row] = settings.detect_other
        slots.look_ns[row], slots.hit_ns[row] = born, NEVER_NS
        self.row_of[self.next_uid] = row
        self.next_uid += 1
        tell(row, j, slots.floats, slots.ints, self.floats, self.ints)
        self._heard(j, row, slots, z, born)
        return row

    def _heard(self, j: int, row: int, slots: Slots, z: Floats, report_ns: int) -> None:
        """Note a report's contact with its track, and log it."""
        sensor = int(self.sensor[j])
        slots.ints[row, at.MASK] |= 1 << min(sensor, 63)
        if int(slots.ints[row, at.MASK]) & ~self.mask == 0:
            slots.hits[row] += 1           # of what we saw ourselves they are no plots
            slots.last_sensor[row] = sensor
        slots.log_odds[row] = max(float(slots.log_odds[row]), self.settings.neighbour_log_odds)
        slots.last_plot_ns[row] = max(int(slots.last_plot_ns[row]), report_ns)
        slots.sure_ns[row] = max(int(slots.sure_ns[row]), report_ns)
        slots.hit_ns[row, sensor] = max(int(slots.hit_ns[row, sensor]), report_ns)
        self.log_floats[self.logged, at.LOG_EAST : at.LOG_WEIGHT + 1] = z[0], z[1], 1.0
        self.log_ints[self.logged] = (int(slots.uid[row]), int(slots.time_ns[row]), report_ns, sensor,
                                      int(self.ints[j, at.PLOT_SEQUENCE]))
        self.logged += 1
        self.work.updated[row] = True


def confirmed(slots: Slots, vouched: Bools, settings: Settings) -> npt.NDArray[np.intp]:
    """Return the tentative tracks that a neighbour's word confirms, with their new status: some reports, a possible speed."""
    flies = np.hypot(slots.mean[:, 2], slots.mean[:, 3]) < settings.speed_mps_max
    rows = np.flatnonzero(vouched & flies & (slots.status == TENTATIVE) & (slots.hits >= settings.confirm_plots))
    slots.status[rows] = CONFIRMED
    return rows
