"""The safety net over tracks as they were emitted: what it would have alarmed, from rows of a tracks file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lapwing.country.pack import Pack
from lapwing.country.volumes import Volume
from lapwing.geo.border import signed_distance
from lapwing.judge import safety_net
from lapwing.judge.forecast_tracks import forecast_tracks
from lapwing.judge.from_tracks import EmittedTrack, thinned, traffic_reason
from lapwing.judge.net_conflicts import Looks
from lapwing.judge.safety_net import NetState
from lapwing.judge.settings import Settings
from lapwing.model.alarms import Alarm
from lapwing.model.tracks import CLASSES

Floats = npt.NDArray[np.float64]

_VELOCITY_SIGMA = 3.0      # m/s, of a file that gives no covariance of velocity
_POSITION_SIGMA_M = 150.0


def alarms_of(emitted: Sequence[EmittedTrack], pack: Pack, volumes: Sequence[Volume], settings: Settings) -> list[Alarm]:
    """Return all alarms in order of time. Tracks that are traffic as a whole do not alarm."""
    found: list[Alarm] = []
    state = NetState()
    for track in emitted:
        thin = thinned(track)
        first_m = float(signed_distance(pack.territory, thin.latitude_rad[:1], thin.longitude_rad[:1]).signed_distance_m[0])
        if traffic_reason(thin, first_m, settings):
            continue
        looks = _looks(thin, pack, settings)
        if len(looks):
            state, alarms = safety_net.take(state, looks, volumes, settings.net)
            found += alarms
        state, gone = safety_net.without_gone(state, {}, int(thin.time_ns[-1]))
        found += gone
    return sorted(found, key=lambda alarm: (alarm.time_ns, alarm.number))


def _looks(track: EmittedTrack, pack: Pack, settings: Settings) -> Looks:
    net, entry_prob = settings.net, _entry_prob(track, pack, settings)
    cov = np.where(np.isfinite(track.position_cov_m2), track.position_cov_m2, np.eye(2) * _POSITION_SIGMA_M**2)
    harmless = np.nan_to_num(track.class_prob[:, [CLASSES.index(name) for name in safety_net.HARMLESS]]).sum(axis=1)
    count = np.cumsum(~track.coasting)
    rows = np.flatnonzero(~track.coasting & (harmless < net.harmless_prob)
                          & (count >= net.plots_min))
    unknown = np.full(len(rows), np.nan)
    return Looks(
        track_id=(track.track_id,) * len(rows), time_ns=track.time_ns[rows], latitude_rad=track.latitude_rad[rows],
        longitude_rad=track.longitude_rad[rows], height_m=unknown, height_m_sigma=unknown,
        velocity_mps=np.ascontiguousarray(track.velocity_mps[rows]), position_cov_m2=cov[rows],
        velocity_cov=np.tile(np.eye(2) * _VELOCITY_SIGMA**2, (len(rows), 1, 1)), turn_rate_radps=np.zeros(len(rows)),
        entry_prob=entry_prob[rows], mode3a=np.full(len(rows), -1, np.int32), callsign=np.full(len(rows), b"", "S8"))


def _entry_prob(track: EmittedTrack, pack: Pack, settings: Settings) -> Floats:
    """Return P(inside within ten minutes) at each row, as forecast every few seconds."""
    flown = forecast_tracks([track], pack, None, settings.forecast_s, settings, with_zones=False)
    if not flown:
        return np.full(len(track.time_ns), np.nan)
    at = np.searchsorted(np.array([each.time_ns for each in flown]), track.time_ns, side="right") - 1
    return np.array([each.entry_prob[1] for each in flown])[np.maximum(at, 0)]
