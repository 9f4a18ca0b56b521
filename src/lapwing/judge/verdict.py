"""The verdict over one path: entered, not entered or undetermined, with every number that it rests on.

Which value, in this order:

1. P(entered) over the known life (`probability`) against the two thresholds of the settings.
2. `entered` needs a stay inside that is more than one plot's excursion, on a stretch of the line that is decided; an
   object that was inside only across an undecided stretch, and not beyond its bound, is `undetermined`.
3. A gap in the middle of the life counts in full: there the object certainly flew. The silence after the last plot
   counts for as long as it is silence of a living object (a few looks), and beyond with the small probability that it
   flew on unseen, which grows with the holes that its coverage showed before. Where it was lost is said.
4. `entered` needs that there was an object (`existence`). That there may have been none never makes `not_entered`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from lapwing.judge.approach import Approach, closest
from lapwing.judge.existence import SURE, Existence
from lapwing.judge.hidden import FLEW_ON_PROB, HiddenWay
from lapwing.judge.normal import Z_95
from lapwing.judge.path import Path, holes, plot_gaps, plot_rate_per_s
from lapwing.judge.probability import entered_prob
from lapwing.judge.settings import Settings
from lapwing.model.times import NS_PER_S, to_iso
from lapwing.model.verdicts import ENTERED, NOT_ENTERED, UNDETERMINED, Crossing

Floats = npt.NDArray[np.float64]

_UNSURE_MAX = 0.94         # what P(entered) is held to where it does not make an entry
_LEAST_DOUBT = 0.001       # what may be no object is not thereby surely outside
_COVERAGE_WINDOW_S = 300.0
_STEADY_S = 8.0
_REPETITION = "many moments near the line, none of them surely inside: repetition is no evidence"
# How long a flight goes on after its last plot when it ends at any moment, in units of the mean time between plots:
# looks every D seconds that detect with probability p give D/2 + D(1-p)/p, which is 0.58-0.75 for p = 0.85-0.5.
_TAIL_MEAN, _TAIL_95 = 0.62, 2.5
_TAIL_S_MIN = 15.0         # two turns of a radar: so long it may fly unseen however often it was seen before
_NEAR_SIGMAS = 8.0         # a live object farther out than this needs no curve laid through its path


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict in numbers; `approach.row` and `last_plot` are rows of `path`."""

    path: Path
    verdict: str
    entered_prob: float
    approach: Approach
    deepest_m: float
    entries: tuple[Crossing, ...]
    seconds_inside: float
    first_inside: bool          # already inside when first seen
    last_plot: int
    unseen_prob: float          # P(it flew on unseen after the last plot), as used
    exists: Existence
    hidden: HiddenWay | None    # where it may have flown unseen, if that decides
    reason: str
    doubted: bool = False       # undetermined for that alone: it may be no object (of its own)


def find(path: Path, decorrelation_s: float, settings: Settings, *, ended: bool, exists: Existence = SURE,
         hidden: HiddenWay | None = None) -> Finding:
    """Return the verdict on a path, which holds the whole life as known so far.

    Parameters
    ----------
    ended : no more will come
    hidden : the way on from its last plot where no radar sees it, if it was lost into such a place
    """
    last = path.last_plot
    rate = plot_rate_per_s(path)
    # An object that ends between two looks flew on for _TAIL_MEAN / rate on average; a living one mostly shows again
    # within twice and a half that.
    known = path.until(_after(path, last, min(_TAIL_MEAN / rate, 20.0)))
    living = path.until(_after(path, last, min(2.5 * _TAIL_MEAN / rate, 45.0)))
    unseen = _unseen_prob(path, settings) if path.time_ns[-1] > living.time_ns[-1] else 0.0

    entered = entered_prob(known, decorrelation_s)
    union = entered_prob(living, decorrelation_s).union if living.time_ns[-1] > known.time_ns[-1] else entered.union
    beyond = entered_prob(path, decorrelation_s).union if unseen else union
    prob = max(entered.union, (1.0 - unseen) * union + unseen * max(beyond, union))
    if hidden is not None:
        came = (1.0 - FLEW_ON_PROB) * union + FLEW_ON_PROB * entered_prob(hidden.path, decorrelation_s).union
        if came > max(prob, settings.not_entered_prob):
            prob, unseen = came, FLEW_ON_PROB
        else:
            hidden = None              # unseen or not, it hardly came to the line
    near = ended or bool(np.min(path.distance_m[: last + 1] - _NEAR_SIGMAS * path.sigma_m[: last + 1]) < 0.0)
    approach = closest(path.take(slice(0, last + 1)), known, decorrelation_s, min(max(_TAIL_95 / rate, _TAIL_S_MIN), 45.0), fit=near)
    stays = _stays(known)
    proof, why_not = _proof(known, stays, settings)
    if prob >= settings.entered_prob and not proof:
        prob = min(_UNSURE_MAX, prob)
    else:
        why_not = ""
    if prob >= settings.entered_prob > prob * exists.prob:
        why_not = exists.why_not
    if prob > settings.not_entered_prob:
        prob = max(prob * exists.prob, min(prob, settings.not_entered_prob + _LEAST_DOUBT))
    if prob >= settings.entered_prob:
        verdict = ENTERED
    elif prob <= settings.not_entered_prob:
        verdict = NOT_ENTERED
    else:
        verdict = UNDETERMINED
    crossings, inside_s = ((), 0.0) if verdict == NOT_ENTERED else _crossings(path, known, stays)
    first_inside = bool(crossings) and bool(known.distance_m[0] < 0.0)
    deepest = max(0.0, -approach.distance_m) if crossings else 0.0
    finding = Finding(path, verdict, prob, approach, deepest, crossings, inside_s, first_inside, last, unseen, exists, hidden, "")
    return replace(finding, reason=_reason(finding, entered.union, why_not, ended, settings),
                   doubted=verdict == UNDETERMINED and bool(why_not) and why_not == exists.why_not)


def _after(path: Path, row: int, seconds: float) -> int:
    return int(path.time_ns[row]) + round(seconds * NS_PER_S)


def _unseen_prob(path: Path, settings: Settings) -> float:
    """Return P(the object flew on unseen), at least the settings' value: the share of holes before the last plot."""
    last = path.last_plot
    start = path.time_ns[last] - int(_COVERAGE_WINDOW_S * NS_PER_S)
    holes_s = sum(max(0, end - max(begin, start)) for begin, end in holes(path, settings.gap_s)) / NS_PER_S
    life_s = min(_COVERAGE_WINDOW_S, float(path.time_ns[last] - path.time_ns[0]) / NS_PER_S)
    return min(max(settings.unseen_prob, holes_s / life_s if life_s > 0.0 else 0.0), 1.0)


def _stays(path: Path) -> list[tuple[int, int]]:
    """Return (first row, row after the last) of stays inside; a peep out under half a sigma does not end one."""
    inside = path.distance_m < 0.0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8)))
    stays: list[tuple[int, int]] = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if stays and float(np.max(path.distance_m[stays[-1][1]:start])) < 0.5 * float(path.random_m_sigma[start]):
            stays[-1] = (stays[-1][0], end)
        else:
            stays.append((start, end))
    return stays


def _proof(path: Path, stays: list[tuple[int, int]], settings: Settings) -> tuple[bool, str]:
    """Return whether a stay is an entry, and else why not.

    Somewhere in it the path, taken as a mean over a few seconds, must be surely inside: of a decided line, or beyond
    the bound of an undecided one. And it must be more than one plot's excursion.
    """
    sure = _steady(path) < -_threshold(settings.entered_prob) * path.sigma_m
    decided = ~path.undecided | (path.distance_m < -path.bound_95_m)
    seconds, why_not = path.time_s, _REPETITION
    for start, end in stays:
        stay = slice(start, end)
        plots, length_s = int(np.count_nonzero(path.measured[stay])), float(seconds[end - 1] - seconds[start])
        if not np.any(decided[stay]):
            why_not = "it was inside only by a stretch of the line that is not decided"
        elif plots < 2 and length_s < settings.sustained_s:
            why_not = "one plot's excursion inside decides nothing"
        elif np.any(sure[stay] & decided[stay]):
            return True, ""
    return False, why_not


def _steady(path: Path) -> Floats:
    """Return the distance as a mean over +-_STEADY_S: jitter from plot to plot falls out, a real stay remains."""
    seconds = path.time_s
    total = np.concatenate([[0.0], np.cumsum(path.distance_m)])
    low = np.searchsorted(seconds, seconds - _STEADY_S, side="left")
    high = np.searchsorted(seconds, seconds + _STEADY_S, side="right")
    return np.asarray((total[high] - total[low]) / (high - low), np.float64)


@cache
def _threshold(entered_prob: float) -> float:
    """Return how many sigmas inside make the probability of an entry; 1.645 for 0.95."""
    return NormalDist().inv_cdf(min(max(entered_prob, 1e-9), 1.0 - 1e-9))


def _crossings(whole: Path, path: Path, stays: list[tuple[int, int]]) -> tuple[tuple[Crossing, ...], float]:
    """Return the stays as crossings, times between rows by straight interpolation, and the seconds inside."""
    seconds, distance = path.time_s, path.distance_m
    crossings, total_s = [], 0.0
    for start, end in stays:
        entry_s, entry_row, share = float(seconds[start]), start, 0.0
        if start > 0:
            share = float(distance[start - 1] / (distance[start - 1] - distance[start]))
            entry_s = float(seconds[start - 1] + share * (seconds[start] - seconds[start - 1]))
            entry_row = start - 1
        following = min(entry_row + 1, len(path) - 1)
        latitude = path.latitude_rad[entry_row] + share * (path.latitude_rad[following] - path.latitude_rad[entry_row])
        longitude = path.longitude_rad[entry_row] + share * (path.longitude_rad[following] -
                                                             path.longitude_rad[entry_row])
        exit_s, exit_ns = float(seconds[end - 1]), 0
        if end < len(path):
            share = float(distance[end - 1] / (distance[end - 1] - distance[end]))
            exit_s = float(seconds[end - 1] + share * (seconds[end] - seconds[end - 1]))
            exit_ns = int(path.time_ns[0]) + round(exit_s * NS_PER_S)
        crossings.append(Crossing(
            entry_ns=int(path.time_ns[0]) + round(entry_s * NS_PER_S), exit_ns=exit_ns, latitude_rad=float(latitude),
            longitude_rad=float(longitude), deepest_m=float(-np.min(distance[start:end]))))
        total_s += exit_s - entry_s
    return tuple(crossings), total_s


def _reason(finding: Finding, known_prob: float, why_not: str, ended: bool, settings: Settings) -> str:
    """Return in English why it is this value and not the other two."""
    approach, path = finding.approach, finding.path
    sigma = float(np.hypot(approach.random_m_sigma, approach.common_m_sigma))
    parts = []
    if finding.verdict == NOT_ENTERED:
        parts.append(f"closest {approach.distance_m:.0f} m outside is {approach.distance_m / sigma:.1f} sigma of "
                     f"{sigma:.0f} m (random {approach.random_m_sigma:.0f}, registration and line "
                     f"{approach.common_m_sigma:.0f}); P(entered) {finding.entered_prob:.3f} <= "
                     f"{settings.not_entered_prob:g}")
    elif finding.verdict == ENTERED:
        parts.append(f"{-approach.distance_m:.0f} m inside is {-approach.distance_m / sigma:.1f} sigma of {sigma:.0f} "
                     f"m; P(entered) {finding.entered_prob:.3f} >= {settings.entered_prob:g}")
    else:
        parts.append(f"P(entered) {finding.entered_prob:.3f} lies between {settings.not_entered_prob:g} and "
                     f"{settings.entered_prob:g}")
        worst = int(np.argmin(path.distance_m / path.sigma_m))
        no_object = bool(why_not) and why_not == finding.exists.why_not
        gaps = plot_gaps(path, settings.gap_s)
        if no_object:
            parts.append(why_not)
        elif finding.hidden is not None:
            parts.append(_hidden(finding.hidden))
        elif any(start < path.time_ns[worst] < end for start, end in gaps):
            parts.append("the doubt lies in a gap without plots, in which it could have crossed")
        elif worst <= finding.last_plot:
            parts += [why_not] if why_not else []
        elif finding.unseen_prob > settings.unseen_prob or known_prob <= settings.not_entered_prob:
            parts.append(f"it was lost heading for the line where coverage had holes: P(it flew on unseen) "
                         f"{finding.unseen_prob:.2f}")
    if finding.first_inside:
        parts.append(f"first seen inside, {-path.distance_m[0]:.0f} m from the line: when it entered is not known")
    last = float(path.distance_m[finding.last_plot])
    if ended or finding.unseen_prob > 0.0:
        parts.append(f"last seen {abs(last):.0f} m {'outside' if last >= 0.0 else 'inside'} at "
                     f"{to_iso(int(path.time_ns[finding.last_plot]), digits=0)}; lost there, nothing known after"
                     f"{_may_have_gone(path, finding.last_plot)}")
    return "; ".join(parts)


def _hidden(way: HiddenWay) -> str:
    """Return what of its way no radar sees."""
    below = f"sees it below {way.below_m:.0f} m above the sea" if np.isfinite(way.below_m) else "reaches"
    return f"it was lost where no radar {below}: it may have flown on unseen for {way.seconds:.0f} s, and as it flew come to the line"


def _may_have_gone(path: Path, last: int) -> str:
    """Return how near it may have come after its last plot, as the tracker carried it on; "" where it did not."""
    after = slice(last + 1, len(path))
    if last + 1 >= len(path):
        return ""
    low = path.distance_m[after] - Z_95 * path.sigma_m[after]
    row = last + 1 + int(np.argmin(low))
    near = float(low[row - last - 1])
    seconds = (int(path.time_ns[row]) - int(path.time_ns[last])) / NS_PER_S
    return (f"; carried on for {seconds:.0f} s it may have come to {abs(near):.0f} m {'outside' if near >= 0.0 else 'inside'} "
            "(97.5 %)")
