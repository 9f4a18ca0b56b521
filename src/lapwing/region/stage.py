"""One step: the neighbours' claims, our tracks, who answers for which under what number, what we claim. Pure.

Regions overlap in a halo where both follow an object, each with its own tracker. The first to claim it gives it its number.
A region takes a track over when it has followed it 2 km behind its own line for ten seconds, or when its owner has fallen
silent: the store takes the claim only if the owner's newest claim is still the one we know, so nobody owns a track twice.
Warnings never wait for any of this: each region warns the people of its counties of everything that it sees.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lapwing.geo.wgs84 import curvature_radii_m
from lapwing.model.claims import Claim, Owned
from lapwing.model.plots import Bools, Plots
from lapwing.model.times import NS_PER_S
from lapwing.model.tracks import Tracks, TrackUpdate
from lapwing.model.verdicts import BorderStates, Judgement
from lapwing.region.area import Area
from lapwing.region.state import Held, State

DEEP_M = 2_000.0             # behind our line, for ...
DEEP_S = 10.0                # ... so long: a track along the line does not change hands with each turn
SILENT_S = 20.0              # an owner renews a claim every 2 s
CLAIM_EVERY_S = 2.0
KEEP_EVERY_S = 60.0          # of a claim that nobody else can see: it must not lapse in the store
UNCLAIMED_S = 10.0           # in the neighbour's area: theirs, unless they do not see it
MATCHES = 3                  # claims in a row that must fit before two tracks are one object
GATE_SIGMA, GATE_M_MAX, GATE_M_MIN = 3.0, 3_000.0, 300.0
GATE_MPS = 20.0
CLAIMS_MAX = 8_192           # of ended or silent ones the oldest are forgotten


@dataclass(frozen=True, slots=True)
class Named:
    """A step's tracks under the numbers of the country.

    `renamed`: (old, new) of tracks that go on under a neighbour's number: whoever remembers one by name must follow.
    """

    update: TrackUpdate
    owned: Owned
    rows: npt.NDArray[np.intp]                        # of the tracks that this region answers for
    local: tuple[tuple[str, str], ...] = ()           # (number, the tracker's id)
    renamed: tuple[tuple[str, str], ...] = ()
    entered: tuple[str, ...] = ()                     # numbers whose entry another region has told
    left: tuple[str, ...] = ()

    def ours(self, judgement: Judgement) -> Judgement:
        """Return the judgement on what this region answers for, row by row."""
        states = judgement.states
        values: dict[str, Any] = {f.name: getattr(states, f.name)[self.rows] for f in fields(states) if f.name != "traffic_reason"}
        kept = BorderStates(**values, traffic_reason=tuple(states.traffic_reason[row] for row in self.rows.tolist()))
        return replace(judgement, states=kept, others={code: each[self.rows] for code, each in judgement.others.items()},
                       verdicts=tuple(v for v in judgement.verdicts if v.track_id not in self.owned.foreign),
                       neighbours=tuple(v for v in judgement.neighbours if v.track_id not in self.owned.foreign),
                       nearby=tuple(each for each in judgement.nearby if each.track_id not in self.owned.foreign))


def plots_near(plots: Plots, area: Area) -> Plots:
    """Return the plots of the region and its halo."""
    if not len(plots):
        return plots
    near: Bools = area.depth_at(plots.latitude_rad, plots.longitude_rad) >= -area.halo_m
    return plots if near.all() else plots.take(near)


def number_of(local: str, area: Area) -> str:
    """Return the number that a track of this region gets: day, region, count."""
    day, _, count = local.partition("-")
    return f"{day}-{area.name}-{count}"


def step(state: State, update: TrackUpdate, claims: Iterable[Claim], area: Area, told: tuple[tuple[str, ...], tuple[str, ...]],
         now_ns: int) -> tuple[State, Named]:
    """Take one step.

    Parameters
    ----------
    state : what the step before left
    update : of the tracker, under its own ids
    claims : out of the common store, in its order; our own come back that way too
    area : this region
    told : numbers said to partners to have entered, and to have left again
    now_ns : event time
    """
    claims = tuple(claims)
    known = _taken(state.claims, claims)
    # Only what came in this step can fit better than before; and of many claims few are near.
    fresh = [claim for claim in claims if claim.region != area.name and known[claim.number] is claim and _lives(claim, now_ns)]
    tracks = update.tracks
    depth = area.depth_at(tracks.latitude_rad, tracks.longitude_rad)
    held = dict(state.held)
    taken = {each.number: local for local, each in held.items()}
    renamed: list[tuple[str, str]] = []
    wishes: list[Claim] = []
    for row in np.flatnonzero(tracks.confirmed).tolist():
        local = tracks.track_id[row]
        mine = held.get(local) or Held(number_of(local, area), now_ns)
        adopted, wish = _matched(mine, tracks, row, known, fresh, taken, area.name, now_ns)
        if wish is not None:
            wishes.append(wish)
        if adopted.number != mine.number:
            renamed.append((mine.number, adopted.number))
            taken[adopted.number] = local
        mine, wish = _answered(adopted, tracks, row, float(depth[row]), known, area, told, now_ns)
        if wish is not None:
            wishes.append(wish)
        held[local] = mine
        taken[mine.number] = local
    living = set(tracks.track_id)
    for local in [local for local in held if local not in living]:
        gone = held[local]
        claim = known.get(gone.number)
        if claim is not None and claim.region == area.name and not claim.ended:
            last = gone.last if gone.last is not None else claim
            wishes.append(replace(last, sequence=0, expected=claim.sequence, ended=True))
    named = _named(update, held, known, area, tuple(renamed), tuple(wishes), now_ns)
    after = {local: each for local, each in held.items() if local in living}
    return State(_kept(known, {each.number for each in after.values()}), after), named


def _taken(before: dict[str, Claim], claims: Iterable[Claim]) -> dict[str, Claim]:
    """Return the newest claim of each number."""
    known = before
    for claim in claims:
        old = known.get(claim.number)
        if old is None or claim.sequence > old.sequence:
            known = known if known is not before else dict(before)
            known[claim.number] = claim
    return known


def _kept(known: dict[str, Claim], numbers: set[str]) -> dict[str, Claim]:
    """Return the claims to remember: bounded, never without those of our own tracks."""
    if len(known) <= CLAIMS_MAX:
        return known
    spare = sorted((claim for claim in known.values() if claim.number not in numbers), key=lambda claim: claim.time_ns)
    gone = {claim.number for claim in spare[: len(known) - CLAIMS_MAX]}
    return {number: claim for number, claim in known.items() if number not in gone}


def _lives(claim: Claim, now_ns: int) -> bool:
    return not claim.ended and now_ns - claim.time_ns < SILENT_S * NS_PER_S


def _matched(mine: Held, tracks: Tracks, row: int, known: dict[str, Claim], fresh: list[Claim], taken: dict[str, str], me: str,
             now_ns: int) -> tuple[Held, Claim | None]:
    """Return a track under the number of a neighbour's claim where that is the same object and has the older right to it."""
    own = known.get(mine.number)
    if own is not None and own.ended and own.into in known and own.into not in taken:
        return replace(mine, number=own.into, rival="", rival_hits=0, inside_ns=0), None
    if not fresh or (own is not None and own.region != me):
        return mine, None                 # it goes on under their number already, or they took it over
    best, best_d = "", 1.0
    for claim in fresh:
        if claim.number not in taken:
            d = _apart(tracks, row, claim)
            if d < best_d or (d == best_d and claim.number < best):
                best, best_d = claim.number, d
    if not best:
        lost = any(claim.number == mine.rival for claim in fresh)
        return (replace(mine, rival="", rival_hits=0) if lost else mine), None
    claim = known[best]
    if best != mine.rival:
        mine = replace(mine, rival=best, rival_hits=1, rival_sequence=claim.sequence)
    elif claim.sequence > mine.rival_sequence:
        mine = replace(mine, rival_hits=mine.rival_hits + 1, rival_sequence=claim.sequence)
    if mine.rival_hits < MATCHES and best_d > 0.0:
        return mine, None
    if own is not None and not own.ended and (own.born_ns, own.number) < (claim.born_ns, claim.number):
        return mine, None                 # ours is the older: they will follow by the same rule
    wish = None
    if own is not None and not own.ended:
        wish = replace(own, sequence=0, expected=own.sequence, time_ns=now_ns, ended=True, into=best)
    return replace(mine, number=best, rival="", rival_hits=0, inside_ns=0), wish


def _apart(tracks: Tracks, row: int, claim: Claim) -> float:
    """Return how far a track is from a claimed one, in gates: 0 the same address, 1 or more another object."""
    address = int(tracks.icao_address[row])
    if address >= 0 and claim.icao_address >= 0:
        return 0.0 if address == claim.icao_address else math.inf
    since_s = (int(tracks.time_ns[row]) - claim.time_ns) / NS_PER_S
    meridian, parallel = curvature_radii_m(claim.latitude_rad)
    north = (float(tracks.latitude_rad[row]) - claim.latitude_rad) * float(meridian) - claim.north_mps * since_s
    east = (float(tracks.longitude_rad[row]) - claim.longitude_rad) * float(parallel) * math.cos(claim.latitude_rad) \
        - claim.east_mps * since_s
    if max(abs(north), abs(east)) > GATE_M_MAX:
        return math.inf
    cov, bias = tracks.state_cov[row], tracks.bias_cov_m2[row]
    sigma = math.sqrt(max(cov[0, 0] + bias[0, 0], cov[1, 1] + bias[1, 1], 0.0) + claim.position_m_sigma**2)
    gate_m = min(max(GATE_SIGMA * sigma, GATE_M_MIN), GATE_M_MAX)
    change = math.hypot(float(tracks.velocity_mps[row, 0]) - claim.east_mps, float(tracks.velocity_mps[row, 1]) - claim.north_mps)
    gate_mps = GATE_MPS + GATE_SIGMA * math.sqrt(max(cov[2, 2], cov[3, 3], 0.0))
    return max(math.hypot(north, east) / gate_m, 1e-9) if change < gate_mps else math.inf


def _answered(mine: Held, tracks: Tracks, row: int, depth_m: float, known: dict[str, Claim], area: Area,
              told: tuple[tuple[str, ...], tuple[str, ...]], now_ns: int) -> tuple[Held, Claim | None]:
    """Return a track with its claim, where one is due."""
    claim = known.get(mine.number)
    deep = depth_m >= DEEP_M
    inside_ns = (mine.inside_ns or now_ns) if deep else 0
    mine = replace(mine, inside_ns=inside_ns) if inside_ns != mine.inside_ns else mine
    if claim is not None and claim.region != area.name:
        long_inside = inside_ns > 0 and now_ns - inside_ns >= DEEP_S * NS_PER_S
        ours = long_inside or not _lives(claim, now_ns)
        wanted, every_s = ours, CLAIM_EVERY_S
    else:
        ours = claim is not None or mine.was_ours or depth_m >= 0.0 or now_ns - mine.since_ns >= UNCLAIMED_S * NS_PER_S
        near = depth_m < area.halo_m + DEEP_M
        wanted, every_s = ours and (near or claim is not None), CLAIM_EVERY_S if near else KEEP_EVERY_S
        if ours and not mine.was_ours:
            mine = replace(mine, was_ours=True)
    if not wanted or now_ns - mine.wished_ns < every_s * NS_PER_S:
        return mine, None
    cov, bias = tracks.state_cov[row], tracks.bias_cov_m2[row]
    wish = Claim(
        number=mine.number, region=area.name, sequence=0, expected=claim.sequence if claim is not None else 0,
        time_ns=int(tracks.time_ns[row]), born_ns=claim.born_ns if claim is not None else int(tracks.born_ns[row]),
        latitude_rad=float(tracks.latitude_rad[row]), longitude_rad=float(tracks.longitude_rad[row]),
        east_mps=float(tracks.velocity_mps[row, 0]), north_mps=float(tracks.velocity_mps[row, 1]),
        position_m_sigma=math.sqrt(max(cov[0, 0] + bias[0, 0], cov[1, 1] + bias[1, 1], 0.0)),
        icao_address=int(tracks.icao_address[row]),
        entered=mine.number in told[0] or (claim is not None and claim.entered),
        left=mine.number in told[1] or (claim is not None and claim.left))
    return replace(mine, wished_ns=now_ns, last=wish), wish


def _is_ours(mine: Held, known: dict[str, Claim], me: str) -> bool:
    claim = known.get(mine.number)
    return mine.was_ours if claim is None else claim.region == me


def _named(update: TrackUpdate, held: dict[str, Held], known: dict[str, Claim], area: Area, renamed: tuple[tuple[str, str], ...],
           wishes: tuple[Claim, ...], now_ns: int) -> Named:
    def name(local: str) -> str:
        mine = held.get(local)
        return mine.number if mine is not None else number_of(local, area)

    tracks = update.tracks
    numbers = tuple(name(local) for local in tracks.track_id)
    ended = tuple(replace(each, track_id=name(each.track_id)) for each in update.ended)
    last = update.ended_rows
    if last is not None:
        last = replace(last, track_id=tuple(name(local) for local in last.track_id))
    foreign, never, owner = set(), set(), []
    for mine in held.values():
        ours = _is_ours(mine, known, area.name)
        claim = known.get(mine.number)
        owner.append((mine.number, claim.region if claim is not None else area.name if ours else ""))
        if not ours:
            foreign.add(mine.number)
            if not mine.was_ours:
                never.add(mine.number)
    rows = np.array([row for row, number in enumerate(numbers) if number not in foreign], np.intp)
    told = [known[mine.number] for mine in held.values() if mine.number in known and known[mine.number].region != area.name]
    return Named(
        update=TrackUpdate(tracks=replace(tracks, track_id=numbers), ended=ended, ended_rows=last, notes=update.notes),
        owned=Owned(frozenset(foreign), frozenset(never), tuple(owner), wishes), rows=rows,
        local=tuple((mine.number, local) for local, mine in held.items()), renamed=renamed,
        entered=tuple(claim.number for claim in told if claim.entered), left=tuple(claim.number for claim in told if claim.left))
