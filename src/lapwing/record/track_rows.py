"""Tracks as packed rows: the journal's form of tracks.parquet. One little-endian row per track and moment.

A header names the layout by a hash, so that rows of another version are refused instead of misread.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

from lapwing.model.errors import StorageError
from lapwing.model.plots import Floats
from lapwing.model.tracks import CLASSES, Tracks

TrackRows = npt.NDArray[np.void]

# Positions to the full; what is a measure of doubt in single precision.
DTYPE = np.dtype([
    ("track_id", "S20"), ("time_ns", "<i8"), ("emit_ns", "<i8"), ("last_plot_ns", "<i8"),
    ("lat_deg", "<f8"), ("lon_deg", "<f8"), ("alt_m", "<f8"), ("vx_east", "<f8"), ("vy_north", "<f8"),
    ("position_cov_ee_m2", "<f4"), ("position_cov_en_m2", "<f4"), ("position_cov_nn_m2", "<f4"),
    ("border_m", "<f8"), ("border_m_sigma", "<f4"), ("existence_prob", "<f4"),
    *((f"class_{name}_prob", "<f4") for name in CLASSES),
    ("sensors_mask", "<u8"), ("mode3a", "<i4"), ("icao_address", "<i4"), ("callsign", "S8"),
    ("plot_count", "<i4"), ("sensor_count", "<u2"),
    ("affiliation", "u1"), ("confirmed", "?"), ("coasting", "?"), ("updated", "?"), ("judged", "?"),
])
_MAGIC = b"LTR1" + hashlib.sha256(repr(DTYPE.descr).encode()).digest()[:4]


def pack(tracks: Tracks, border_m: Floats | None, emit_ns: int, *, border_m_sigma: Floats | None = None,
         judged: npt.NDArray[np.bool_] | None = None) -> bytes:
    """Return the rows of all tracks as octets.

    Parameters
    ----------
    tracks : rows to write
    border_m : (n,) signed distance, positive outside; None or NaN where there is no country
    emit_ns : when these rows left the tracker
    border_m_sigma, judged : (n,) of the judgement; NaN and False without
    """
    return _MAGIC + to_rows(tracks, border_m, emit_ns, border_m_sigma=border_m_sigma, judged=judged).tobytes()


def to_rows(tracks: Tracks, border_m: Floats | None, emit_ns: int, *, border_m_sigma: Floats | None = None,
            judged: npt.NDArray[np.bool_] | None = None) -> TrackRows:
    """Return the rows of all tracks as a structured array of `DTYPE`."""
    count = len(tracks)
    assert all(len(track_id) <= 20 for track_id in tracks.track_id), "a track id has at most 20 octets"
    rows = np.zeros(count, DTYPE)
    rows["track_id"] = [track_id.encode("ascii") for track_id in tracks.track_id]
    rows["emit_ns"] = emit_ns
    rows["lat_deg"], rows["lon_deg"] = np.degrees(tracks.latitude_rad), np.degrees(tracks.longitude_rad)
    rows["alt_m"] = tracks.height_m
    rows["vx_east"], rows["vy_north"] = tracks.velocity_mps[:, 0], tracks.velocity_mps[:, 1]
    # What a reader may rely on is the whole error of the position: the random part and the registration part.
    position_cov_m2 = tracks.state_cov[:, :2, :2] + tracks.bias_cov_m2
    rows["position_cov_ee_m2"] = position_cov_m2[:, 0, 0]
    rows["position_cov_en_m2"] = position_cov_m2[:, 0, 1]
    rows["position_cov_nn_m2"] = position_cov_m2[:, 1, 1]
    rows["border_m"] = np.nan if border_m is None else border_m
    rows["border_m_sigma"] = np.nan if border_m_sigma is None else border_m_sigma
    rows["judged"] = False if judged is None else judged
    for i, name in enumerate(CLASSES):
        rows[f"class_{name}_prob"] = tracks.class_prob[:, i]
    for name in ("time_ns", "last_plot_ns", "existence_prob", "sensors_mask", "mode3a", "icao_address", "callsign",
                 "plot_count", "sensor_count", "affiliation", "confirmed", "coasting", "updated"):
        rows[name] = getattr(tracks, name)
    return rows


def unpack(octets: bytes) -> TrackRows:
    """Return the rows of one `pack`; StorageError where the octets are of another layout or cut short."""
    if octets[: len(_MAGIC)] != _MAGIC:
        raise StorageError("track rows of another layout", where="journal output `tracks`",
                           remedy="read them with the version that wrote them (the journal's meta names it)")
    if (len(octets) - len(_MAGIC)) % DTYPE.itemsize:
        raise StorageError(f"{len(octets)} octets are not whole track rows", where="journal output `tracks`",
                           remedy="run `lapwing verify` on the journal")
    return np.frombuffer(octets, DTYPE, offset=len(_MAGIC))


def empty_rows() -> TrackRows:
    """Return no rows."""
    return np.zeros(0, DTYPE)


def class_names(rows: TrackRows) -> list[str]:
    """Return the likeliest class of each row."""
    probs: Any = np.stack([rows[f"class_{name}_prob"] for name in CLASSES], axis=1)
    return [CLASSES[i] for i in probs.argmax(axis=1)] if len(rows) else []
