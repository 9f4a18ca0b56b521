"""`lapwing bench track`: the tracker beside Stone Soup's global nearest neighbour, on the same slices, in the same run.

Stone Soup (MIT) is the open reference of the field. It gets what it needs to do well: places on our plane with their
covariances, a scan at a time, a constant-velocity Kalman filter, two-dimensional assignment, tracks from three plots.
Needs the extra `test`.
"""

from __future__ import annotations

import datetime
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

import numpy as np

from lapwing import track
from lapwing.adapters.parquet_tracks import arrival_batches, read_plots
from lapwing.geo.plane import from_plane, make_plane, to_plane
from lapwing.model.plots import Plots, empty_bearings, empty_looks
from lapwing.model.sensors import SensorTable
from lapwing.runtime.environment import state_dir
from lapwing.runtime.scene_files import write_night
from lapwing.runtime.track_file import BATCH_NS, track_file
from lapwing.runtime.track_scores import load_tracks, load_truth
from lapwing.sense.sensors_file import parse_sensors
from lapwing.sim.track_scoring import Path, Rules, score

SEED = 11
CLUTTERED_S = 6.0           # of the border night: the reference takes minutes for more
SCENES = ("two-at-10deg", "manoeuvre")
ACCELERATION_M2PS3 = 5.0
DELETE_AFTER_S = 20.0
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
SPEED_M2PS2 = 80.0**2


@dataclass(frozen=True, slots=True)
class _Slice:
    plots: Plots
    sensors: SensorTable


def figures(repeat: int, figure: Callable[..., Any]) -> Iterator[Any]:
    """Yield plots a second on a cluttered slice, and GOSPA on two textbook scenes, each beside the reference."""
    reference = _reference()
    with tempfile.TemporaryDirectory(prefix="lapwing-bench-") as name:
        folder = FilePath(name)
        write_night("danube", "ro", SEED, 2.0, None, folder / "danube", state_dir() / "packs")
        cut = _read(folder / "danube", CLUTTERED_S)
        _ours(cut)                       # compiles
        ours_s = statistics.median(_timed(lambda: _ours(cut)) for _ in range(repeat))
        other = None if reference is None else len(cut.plots) / _timed(lambda: reference(cut))
        ours = len(cut.plots) / ours_s
        yield figure("track", f"plots/s, {len(cut.plots):,} plots of a cluttered border night", ours, "/s", other, "Stone Soup GNN",
                     None if other is None else ours / other, "" if other else "Stone Soup is not installed: extra test")
        write_night("crossing", "ro", SEED, 2.0, None, folder / "crossing", state_dir() / "packs")
        for scene in SCENES:
            here = folder / "crossing" / scene
            track_file(here / "plots.parquet", here / "scenario.json", here / "tracks.parquet")
            objects, rules = load_truth(here / "truth.parquet"), Rules()
            mine = score(objects, load_tracks(here / "tracks.parquet"), rules)["gospa_mean"]
            theirs = None if reference is None else score(objects, reference(_read(here, math.inf)), rules)["gospa_mean"]
            yield figure("track", f"GOSPA of {scene}", mine, "m", theirs, "Stone Soup GNN (less is better)",
                         None if theirs is None else mine / theirs)


def _timed(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def _read(folder: FilePath, seconds: float) -> _Slice:
    sensors = parse_sensors((folder / "scenario.json").read_bytes(), "scenario.json")
    plots = read_plots(folder / "plots.parquet", sensors)
    inside = plots.received_ns <= plots.received_ns[0] + min(seconds, 1e6) * 1e9
    return _Slice(plots.take(inside), sensors)


def _ours(cut: _Slice) -> None:
    state, settings, bearings, looks = track.State(), track.Settings(), empty_bearings(), empty_looks()
    for rows, now_ns in arrival_batches(cut.plots.received_ns, BATCH_NS):
        batch = cut.plots.take(np.arange(rows.start, rows.stop))
        state, _ = track.step(state, batch, bearings, looks, cut.sensors, (), now_ns, settings)


def _reference() -> Callable[[_Slice], list[Path]] | None:
    """Return a function that tracks a slice with Stone Soup, or None where it is not installed."""
    try:
        from stonesoup.dataassociator.neighbour import GNNWith2DAssignment
        from stonesoup.deleter.time import UpdateTimeDeleter
        from stonesoup.hypothesiser.distance import DistanceHypothesiser
        from stonesoup.initiator.simple import MultiMeasurementInitiator
        from stonesoup.measures import Mahalanobis
        from stonesoup.models.measurement.linear import LinearGaussian
        from stonesoup.models.transition.linear import CombinedLinearGaussianTransitionModel, ConstantVelocity
        from stonesoup.predictor.kalman import KalmanPredictor
        from stonesoup.types.detection import Detection
        from stonesoup.types.state import GaussianState
        from stonesoup.updater.kalman import KalmanUpdater
    except ImportError:
        return None

    def run(cut: _Slice) -> list[Path]:
        predictor = KalmanPredictor(CombinedLinearGaussianTransitionModel(
            [ConstantVelocity(ACCELERATION_M2PS3), ConstantVelocity(ACCELERATION_M2PS3)]))
        updater = KalmanUpdater(None)
        associator = GNNWith2DAssignment(DistanceHypothesiser(predictor, updater, Mahalanobis(), missed_distance=4))
        deleter = UpdateTimeDeleter(datetime.timedelta(seconds=DELETE_AFTER_S))
        prior = GaussianState([[0.0], [0.0], [0.0], [0.0]], np.diag([0.0, SPEED_M2PS2, 0.0, SPEED_M2PS2]))
        initiator = MultiMeasurementInitiator(
            prior_state=prior, deleter=deleter, updater=updater, min_points=3,
            data_associator=GNNWith2DAssignment(DistanceHypothesiser(predictor, updater, Mahalanobis(), missed_distance=4)))
        plane = _plane(cut.sensors)
        tracks: set[Any] = set()
        every: set[Any] = set()
        for when, detections in _scans(cut, plane, Detection, LinearGaussian):
            hypotheses = associator.associate(tracks, detections, when)
            used = set()
            for one in tracks:
                hypothesis = hypotheses[one]
                if hypothesis.measurement:
                    one.append(updater.update(hypothesis))
                    used.add(hypothesis.measurement)
                else:
                    one.append(hypothesis.prediction)
            tracks -= deleter.delete_tracks(tracks)
            tracks |= initiator.initiate(detections - used, when)
            every |= tracks
        return _paths(every, plane)

    return run


def _plane(sensors: SensorTable) -> Any:
    places = [(s.latitude_rad, s.longitude_rad) for s in sensors.rows if s.has_position]
    return make_plane(float(np.mean([p[0] for p in places])), float(np.mean([p[1] for p in places])))


def _scans(cut: _Slice, plane: Any, detection: Any, linear: Any) -> Iterator[tuple[datetime.datetime, set[Any]]]:
    """Yield (time, detections) of each radar's turns in order of their ends."""
    plots = cut.plots
    points = to_plane(plane, plots.latitude_rad, plots.longitude_rad)
    turn_s = np.array([s.rotation_s for s in cut.sensors.rows])[plots.sensor_index]
    turn = np.floor((plots.measured_ns - plots.measured_ns.min()) * 1e-9 / turn_s).astype(np.int64)
    ends: list[tuple[float, int, int]] = sorted({(float((t + 1) * s), int(t), int(k)) for t, s, k in zip(
        turn.tolist(), turn_s.tolist(), plots.sensor_index.tolist(), strict=True)})
    for _, number, sensor in ends:
        rows = np.flatnonzero((turn == number) & (plots.sensor_index == sensor))
        when = max(_moment(int(plots.measured_ns[row])) for row in rows)
        yield when, {detection(
            np.array([[points.east_m[row]], [points.north_m[row]]]), timestamp=when,
            measurement_model=linear(4, (0, 2), plots.position_cov_m2[row] + 100.0 * np.eye(2))) for row in rows}


def _moment(time_ns: int) -> datetime.datetime:
    return EPOCH + datetime.timedelta(microseconds=time_ns // 1000)


def _paths(tracks: set[Any], plane: Any) -> list[Path]:
    """Return Stone Soup's tracks as the scorer takes them, in order of their first time and place."""
    result = []
    for one in tracks:
        states = [s for s in one.states if s.timestamp is not None]
        if len(states) < 2:
            continue
        seconds = np.array([(s.timestamp - EPOCH).total_seconds() for s in states])
        vectors = np.array([np.asarray(s.mean, np.float64).ravel() for s in states])
        latitude, longitude = from_plane(plane, vectors[:, 0], vectors[:, 2])
        order = np.argsort(seconds, kind="stable")
        # A track may be used from the plot that confirmed it on: its third.
        rows = order[2:] if len(order) > 2 else order
        result.append(Path(f"{seconds[0]:.3f}/{vectors[0, 0]:.3f}", "", seconds[rows], seconds[rows],
                           np.degrees(latitude[rows]), np.degrees(longitude[rows]), vectors[rows, 1], vectors[rows, 3],
                           np.ones(len(rows), np.bool_)))
    return sorted(result, key=lambda path: path.name)
