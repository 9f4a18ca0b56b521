"""One step of the warner: threats, their zones, the officer's commands, the chains of messages. Pure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lapwing.country.pack import Pack
from lapwing.geo.wgs84 import geodesic_inverse
from lapwing.model.alerts import Warned
from lapwing.model.ids import make_id
from lapwing.model.reports import Command
from lapwing.model.times import from_seconds
from lapwing.model.tracks import Tracks
from lapwing.model.verdicts import Judgement
from lapwing.warn import chains as life
from lapwing.warn import officer, threat, zones
from lapwing.warn import policy as rule
from lapwing.warn.approve import ZONE_KINDS
from lapwing.warn.desk import Desk, ended
from lapwing.warn.lifecycle import PROPOSED
from lapwing.warn.state import THREATS_MAX, Chain, Settings, State, Threat


def step(state: State, tracks: Tracks, judgement: Judgement, commands: tuple[Command, ...], pack: Pack, now_ns: int,
         settings: Settings) -> tuple[State, Warned]:
    """Take one step.

    Parameters
    ----------
    state : what the step before left
    tracks, judgement : live tracks and where each stands to the border, row by row
    commands : of officers, in order of arrival
    pack : the country
    now_ns : event time, never before that of the step before
    settings : fixed for the run
    """
    desk = Desk(pack, settings, now_ns, state.numbers,
                dismissed={name: until for name, until in state.dismissed if until > now_ns},
                cleared={zone: when for zone, when in state.cleared if now_ns - when < from_seconds(rule.CLEARED_S)})
    found = threat.update(state.threats, state.candidates, tracks, judgement.states, pack.policy, now_ns)
    due = set(found.due_for_reach)
    threats = tuple(zones.evaluate(pack, t, found.now, now_ns) if t.track_id in due else t for t in found.now)

    chains, count = _assigned(desk, state.chains, threats, found.ended, state.count)
    by_id = desk.threats = {t.track_id: t for t in threats}

    def demand_of(chain: Chain, among: tuple[Chain, ...]) -> tuple[life.Demand, frozenset[int]]:
        mine = tuple(by_id[name] for name in chain.threats if name in by_id and name not in desk.dismissed)
        taken = _taken(chain, among)
        return life.demand_of(desk, chain, mine, taken), taken

    def soon(chain: Chain) -> tuple[int, ...]:
        demand, taken = demand_of(chain, chains)
        likely = demand.prob[:, zones.ALERT_COLUMN] >= pack.policy.alert_prob
        wanted = {int(i) for i in np.flatnonzero(likely)} | set(demand.asked)
        return tuple(sorted(wanted - taken))

    for command in commands:
        before = len(chains)
        chains = officer.apply(desk, chains, command, soon, count)
        count += len(chains) - before
    for at, chain in enumerate(chains):
        if not ended(chain):
            demand, taken = demand_of(chain, chains)
            chains = (*chains[:at], life.advance(desk, chain, demand, taken), *chains[at + 1 :])
    chains = tuple(chain for chain in chains if not ended(chain))
    after = State(threats=threats, candidates=found.candidates, chains=chains, count=count, numbers=desk.numbers,
                  dismissed=tuple(sorted(desk.dismissed.items())), cleared=tuple(sorted(desk.cleared.items())))
    return after, Warned(
        proposals=tuple(desk.proposals), alerts=tuple(desk.alerts), decisions=tuple(desk.decisions),
        zone_levels=_levels(pack, chains, threats), threats=tuple(t.track_id for t in threats), notes=tuple(desk.notes))


def _assigned(desk: Desk, chains: tuple[Chain, ...], threats: tuple[Threat, ...], gone: tuple[tuple[str, str], ...],
              count: int) -> tuple[tuple[Chain, ...], int]:
    """Return the chains with each threat given to one of each level; new ones where a threat asks and none is near."""
    lost = {name for name, why in gone if why == threat.GONE}
    alive = {each.track_id for each in threats}
    working = [replace(chain, real=True) if lost & set(chain.threats) else chain for chain in chains]
    for each in threats:
        if each.track_id in desk.dismissed:
            continue
        at = _home(working, each)
        if at >= 0:
            if each.track_id not in working[at].threats:
                working[at] = replace(working[at], threats=_joined(working[at].threats, each.track_id, alive))
        elif _asks(desk.pack, each):
            count += 1
            working.append(Chain(id=make_id("chain", desk.pack.code, each.track_id, count, desk.now_ns), phase=PROPOSED,
                                 latitude_rad=each.latitude_rad, longitude_rad=each.longitude_rad,
                                 threats=(each.track_id,)))
    return tuple(working), count


def _joined(names: tuple[str, ...], name: str, alive: set[str]) -> tuple[str, ...]:
    """Return the threats of a chain with another one; of too many the oldest that is over is forgotten."""
    if len(names) >= THREATS_MAX:
        over = next((each for each in names if each not in alive), names[0])
        names = tuple(each for each in names if each != over)
    return (*names, name)


def _home(chains: list[Chain], each: Threat) -> int:
    """Return the place of the chain that a threat belongs to: its own, else the nearest within JOIN_M, else -1."""
    own = [at for at, chain in enumerate(chains) if each.track_id in chain.threats]
    if own:
        return own[0]
    best, best_m = -1, rule.JOIN_M
    for at, chain in enumerate(chains):
        apart, _ = geodesic_inverse(each.latitude_rad, each.longitude_rad, chain.latitude_rad, chain.longitude_rad)
        if float(apart) < best_m:
            best, best_m = at, float(apart)
    return best


def _asks(pack: Pack, each: Threat) -> bool:
    """Whether an object asks for a warning of any level."""
    ready = each.looks >= 2 and bool((each.reach.prob[:, zones.ALL_COLUMN] >= pack.policy.pre_alert_prob).any())
    return ready or bool(each.first) or bool(each.asked)


def _taken(chain: Chain, among: tuple[Chain, ...]) -> frozenset[int]:
    """Return the zones that a chain leaves to others: those under their warnings, or proposed by them."""
    held: set[int] = set()
    for other in among:
        if other.id != chain.id:
            held |= set(other.zones())
            for pending in other.pending:
                if pending.kind in ZONE_KINDS:
                    held |= set(pending.zones)
    return frozenset(held)


def _levels(pack: Pack, chains: tuple[Chain, ...], threats: tuple[Threat, ...]) -> tuple[tuple[str, str], ...]:
    """Return (zone code, level) of everything in force; counties near a threat with nothing in force are watched."""
    levels: dict[str, str] = {}
    for level in ("pre_alert", "alert"):
        for chain in chains:
            for index in chain.zones(level):
                levels[pack.zones[index].code] = level
    warned = {pack.zones[i].county for chain in chains for i in chain.zones()}
    for each in threats:
        if each.home >= 0:
            county = pack.zones[each.home].county
            if county not in warned:
                levels.setdefault(county, "watch")
    return tuple(sorted(levels.items()))
