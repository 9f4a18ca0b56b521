"""Neighbours' clocks and verdicts: where each object stands to every neighbouring country that it comes near, and whether it entered it.

The same verdict as at home, over the same plots, against the neighbour's own line: what an ally asks for. Kept apart from
the verdicts on the own airspace, which alone warn and alarm. An object is judged against a neighbour from when it is within
`neighbour_m` of its line, on either side; what is first seen inside was there already. Regions of flight information are
nobody's airspace and never come in here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from lapwing.country.pack import Pack
from lapwing.geo.border import Territory, signed_distance
from lapwing.judge.conclude import FAR_SIGMAS, LIVE_DECORRELATION_S, make_verdict, news
from lapwing.judge.existence import Existence
from lapwing.judge.line import Across, across, spread
from lapwing.judge.normal import normal_cdf
from lapwing.judge.path import Path, bias_parts, judged_sigma
from lapwing.judge.settings import Settings
from lapwing.judge.state import NEVER_NS, Abroad, History, Said
from lapwing.judge.verdict import find
from lapwing.model.times import NS_PER_S
from lapwing.model.tracks import Tracks, Trajectory
from lapwing.model.verdicts import NeighbourState, Verdict

Floats = npt.NDArray[np.float64]
Exists = Callable[[Path, int], Existence]      # of a live row's path

_FAR_RHYTHM = 3.0            # farther from the line than FAR_SIGMAS a verdict is worked out so many times less often
_ROW_S = 2.0                 # plots that come oftener say the same: the verdict at the end is of all of them


def neighbour_pack(pack: Pack, code: str, territory: Territory) -> Pack:
    """Return what a verdict on a neighbour is made with: its territory and name, in the words and places of the own pack."""
    names = dict(pack.neighbour_names.get(code, {}))
    return replace(pack, code=code, names={"en": territory.name, **names}, territory=territory)


def step(state: Mapping[str, Abroad], tracks: Tracks, rows: Sequence[int], wanted: npt.NDArray[np.bool_], others_m: Floats, pack: Pack,
         neighbours: Mapping[str, Territory], now_ns: int, settings: Settings,
         exists: Exists) -> tuple[dict[str, Abroad], tuple[Verdict, ...]]:
    """Return the state and the live verdicts that are new or have changed enough to be handed on.

    Parameters
    ----------
    rows : of the tracks that are new, got a plot, or have coasted for a while
    wanted : (n,) confirmed and under judgement
    others_m : (n, k) signed distances to the neighbours, sorted by code
    """
    known: dict[str, Abroad] = {}
    if state:
        living = {track_id for track_id, judged in zip(tracks.track_id, wanted.tolist(), strict=True) if judged}
        known = {key: one for key, one in state.items() if key.rpartition(" ")[2] in living}
    verdicts: list[Verdict] = []
    touched = np.array(rows, np.intp)
    touched = touched[wanted[touched]]
    for column, code in enumerate(sorted(neighbours)):
        chosen = np.abs(others_m[touched, column]) <= settings.neighbour_m
        if known:
            # Whose way is begun is followed on, however far it goes.
            last_ns = np.array([known[key].now.time_ns if (key := f"{code} {tracks.track_id[row]}") in known else NEVER_NS
                                for row in touched.tolist()], np.int64)
            chosen = (chosen | (last_ns != NEVER_NS)) & (tracks.time_ns[touched] - last_ns >= round(_ROW_S * NS_PER_S))
        at = touched[chosen]
        if not len(at):
            continue
        seen = across(neighbours[code], tracks.latitude_rad[at], tracks.longitude_rad[at], settings, tracks.velocity_mps[at])
        for row, after in zip(at.tolist(), _touched(known, code, tracks, at, seen, settings), strict=True):
            after, said = _live(after, code, tracks, row, pack, neighbours[code], now_ns, settings, exists)
            known[f"{code} {tracks.track_id[row]}"] = after
            verdicts += said
    return known, tuple(verdicts)


def nearby(state: Mapping[str, Abroad], tracks: Tracks) -> tuple[NeighbourState, ...]:
    """Return where objects stand to the neighbours that they are or were near, in the order of the tracks."""
    if not state:
        return ()
    order = {track_id: row for row, track_id in enumerate(tracks.track_id)}
    return tuple(sorted((one.now for one in state.values()), key=lambda each: (order[each.track_id], each.country)))


def at_the_end(state: Mapping[str, Abroad], tracks: Tracks, pack: Pack, neighbours: Mapping[str, Territory], now_ns: int,
               settings: Settings, exists: Exists, sensors: Callable[[int], tuple[str, ...]]) -> tuple[Verdict, ...]:
    """Return the final verdicts on tracks that still live when a run ends, from what is known."""
    found = []
    for row, track_id in enumerate(tracks.track_id):
        for code in sorted(neighbours):
            one = state.get(f"{code} {track_id}")
            path = one.history.path() if one is not None else None
            if path is not None:
                finding = find(path, LIVE_DECORRELATION_S, settings, ended=True, exists=exists(path, row))
                found.append(make_verdict(finding, track_id, sensors(row), neighbour_pack(pack, code, neighbours[code]), True, now_ns,
                                          settings))
    return tuple(found)


def reached(trajectory: Trajectory, pack: Pack, neighbours: Mapping[str, Territory], settings: Settings) -> Iterator[Pack]:
    """Yield, as packs, the neighbours whose line a trajectory came near."""
    for code in sorted(neighbours):
        away = signed_distance(neighbours[code], trajectory.latitude_rad, trajectory.longitude_rad).signed_distance_m
        if np.min(np.abs(away), initial=np.inf) <= settings.neighbour_m:
            yield neighbour_pack(pack, code, neighbours[code])


def _touched(known: Mapping[str, Abroad], code: str, tracks: Tracks, at: npt.NDArray[np.intp], seen: Across,
             settings: Settings) -> list[Abroad]:
    """Return what is known of these rows' tracks with what the rows add."""
    cov, bias = tracks.state_cov[at, :2, :2], tracks.bias_cov_m2[at]
    times, velocity = tracks.time_ns[at].tolist(), tracks.velocity_mps[at]
    position_sigma = np.sqrt(0.5 * (cov[:, 0, 0] + cov[:, 1, 1]))
    columns = np.column_stack([
        tracks.latitude_rad[at], tracks.longitude_rad[at], seen.distance_m, judged_sigma(spread(seen.outward, cov), settings),
        bias_parts(seen.outward, bias), seen.line_m_sigma, seen.bound_95_m, seen.undecided,
        tracks.updated[at] & (position_sigma <= settings.trusted_m_sigma)]).tolist()
    sigma = np.hypot(spread(seen.outward, cov + bias), seen.line_m_sigma)
    closing = -(seen.outward[:, 0] * velocity[:, 0] + seen.outward[:, 1] * velocity[:, 1])
    inside = normal_cdf(-seen.distance_m / sigma)
    found = []
    for k, row in enumerate(at.tolist()):
        track_id = tracks.track_id[row]
        before = known.get(f"{code} {track_id}")
        history = before.history if before is not None else History(times[k])
        now = NeighbourState(
            track_id=track_id, country=code, time_ns=times[k], border_m=float(seen.distance_m[k]), border_m_sigma=float(sigma[k]),
            closing_mps=float(closing[k]), time_to_go_s=float(seen.meeting_s[k]), inside_prob=float(inside[k]),
            verdict=before.now.verdict if before is not None else "", entered_prob=before.now.entered_prob if before is not None else 0.0,
            seen_inside=before is not None and before.now.seen_inside)
        row_s = ((times[k] - history.first_ns) / NS_PER_S, *columns[k])
        found.append(Abroad(history.with_row(row_s, settings.history_rows), now, before.judged_ns if before is not None else 0,
                           before.said if before is not None else Said()))
    return found


def _live(known: Abroad, code: str, tracks: Tracks, row: int, pack: Pack, territory: Territory, now_ns: int, settings: Settings,
          exists: Exists) -> tuple[Abroad, list[Verdict]]:
    """Return what is known after a look at the verdict, where one is due, and the verdict where it is news."""
    now = known.now
    rhythm = _FAR_RHYTHM if abs(now.border_m) > FAR_SIGMAS * now.border_m_sigma else 1.0
    if known.judged_ns and now.time_ns - known.judged_ns < rhythm * settings.verdict_s * NS_PER_S:
        return known, []
    path = known.history.path()
    assert path is not None, "a row was added just before"
    finding = find(path, LIVE_DECORRELATION_S, settings, ended=False, exists=exists(path, row))
    known = replace(known, judged_ns=now.time_ns, now=replace(
        now, verdict=finding.verdict, entered_prob=finding.entered_prob, seen_inside=finding.first_inside))
    said = news(finding, known.said, now_ns, settings)
    if said is None:
        return known, []
    verdict = make_verdict(finding, now.track_id, (), neighbour_pack(pack, code, territory), False, now_ns, settings)
    return replace(known, said=said), [verdict]
