"""Notices to partners: who is told what and when, renewed while it lasts, expiring, acknowledged.

One notice stands per partner and reason. It is replaced at once when a new object joins, and renewed before it
expires while its reason lasts; otherwise it lapses. Entries and exits are told once an object; so is at once to a neighbour
that an object entered its airspace, with the verdict on that airspace.
"""

from __future__ import annotations

import math
from dataclasses import replace

from lapwing.country.pack import Pack, Partner
from lapwing.model.alerts import Warned
from lapwing.model.ids import make_id
from lapwing.model.notices import Notice, NoticeObject, Shared
from lapwing.model.reports import Acknowledgement
from lapwing.model.times import NS_PER_S, to_iso
from lapwing.model.tracks import Tracks
from lapwing.model.verdicts import ENTERED, Judgement
from lapwing.share import reasons, theirs
from lapwing.share.release import from_track, from_verdict, released
from lapwing.share.state import Standing, State
from lapwing.share.texts import Said, notice_text

RECENT_MAX = 256           # notices kept for their acknowledgement; the oldest are forgotten
_TOLD_MAX = 4_096          # track ids remembered as entered or left
_RENEW_SHARE = 0.8         # a notice is renewed when so much of its life is over
_AGAIN_S = 60.0            # new objects join a notice at most so often: a swarm is one matter
_OVER_S = 600.0            # a reason that has not held for so long is over; a later one is a new matter


def step(state: State, tracks: Tracks, judgement: Judgement, warned: Warned,
         acknowledgements: tuple[Acknowledgement, ...], pack: Pack, now_ns: int) -> tuple[State, Shared]:
    """Return the notices due now, and the notices that were acknowledged or lapsed."""
    state, changed = _acknowledged(state, acknowledgements)
    state = replace(state, ranges=reasons.ranges_now(state.ranges, tracks, judgement))
    came, went = _crossings(state, judgement)
    standing, notices = dict(state.standing), []
    for partner in pack.partners:
        notice = _due(partner, standing, state, tracks, judgement, warned, came, went, pack, now_ns)
        notices += [notice] if notice else []
    gone = [key for key, each in standing.items() if now_ns >= each.notice.expires_ns and
            now_ns - each.lasts_ns >= _OVER_S * NS_PER_S]
    for key in gone:
        del standing[key]
    # An acknowledged one has had its last word; only what nobody answered lapses.
    lapsed = tuple(notice for notice in state.recent if notice.expires_ns <= now_ns and not notice.acknowledged_by)
    recent = tuple(notice for notice in state.recent if notice.expires_ns > now_ns)
    abroad = dict.fromkeys((*state.abroad, *(f"{each.country} {each.track_id}" for each in judgement.neighbours
                                             if each.verdict == ENTERED)))
    state = State(
        standing=standing, ranges=state.ranges, recent=(*recent, *notices)[-RECENT_MAX:], abroad=tuple(abroad)[-_TOLD_MAX:],
        entered=(*state.entered, *(k for k in came))[-_TOLD_MAX:], left=(*state.left, *(k for k in went))[-_TOLD_MAX:])
    return state, Shared(tuple(notices), (*changed, *lapsed))


def _acknowledged(state: State, acknowledgements: tuple[Acknowledgement, ...]) -> tuple[State, tuple[Notice, ...]]:
    """Return the state with acknowledgements noted, and the notices changed. A second one changes nothing."""
    recent, changed = list(state.recent), []
    for each in acknowledgements:
        for index, notice in enumerate(recent):
            if notice.id == each.notice_id and not notice.acknowledged_by:
                recent[index] = replace(notice, acknowledged_by=each.by, acknowledged_ns=each.time_ns)
                changed.append(recent[index])
    return replace(state, recent=tuple(recent)), tuple(changed)


def _crossings(state: State, judgement: Judgement) -> tuple[dict[str, NoticeObject], dict[str, NoticeObject]]:
    """Return objects newly said to have entered, and newly said to have left again."""
    came: dict[str, NoticeObject] = {}
    went: dict[str, NoticeObject] = {}
    for verdict in judgement.verdicts:
        if verdict.verdict != ENTERED:
            continue
        if verdict.track_id not in state.entered:
            came[verdict.track_id] = from_verdict(verdict)
        if verdict.track_id not in state.left and verdict.entries and verdict.entries[-1].exit_ns:
            went[verdict.track_id] = from_verdict(verdict)
    return came, went


def _due(partner: Partner, standing: dict[str, Standing], state: State, tracks: Tracks, judgement: Judgement,
         warned: Warned, came: dict[str, NoticeObject], went: dict[str, NoticeObject], pack: Pack,
         now_ns: int) -> Notice | None:
    """Return the notice due to one partner, and note it in `standing`."""
    time = to_iso(now_ns, digits=0)
    if partner.when in ("entered", "exit"):
        crossed = came if partner.when == "entered" else went
        if not crossed:
            return None
        live = {track_id: row for row, track_id in enumerate(tracks.track_id)}
        items = tuple(from_track(tracks, live[k]) if k in live else item for k, item in sorted(crossed.items()))
        words = "entered" if partner.when == "entered" else "left again"
        text = notice_text(pack, partner, (f"share.{partner.when}", {"count": len(items), "time": time}))
        return _notice(partner, items, text, f"{', '.join(sorted(crossed))}: {words}", now_ns)

    if partner.when == "threat":
        cause = reasons.threat(partner, tracks, judgement, warned)
    else:
        cause = reasons.near_border(partner, tracks, judgement, state.ranges, pack.policy)
    key = f"{partner.id} {partner.when}"
    last = standing.get(key)
    abroad = theirs.entered(judgement, partner.country, state.abroad) if partner.when == "near_border" else {}
    if cause is None and not abroad:
        return None
    cause = cause or reasons.Cause((), math.inf, "")
    names = {tracks.track_id[row] for row in cause.rows} | set(abroad)
    told = set(last.told) if last else set()
    entered_since = bool(names & set(came))
    if last is not None:
        age = (now_ns - last.notice.time_ns) / max(last.notice.expires_ns - last.notice.time_ns, 1)
        fresh = (names - told or entered_since) and now_ns - last.notice.time_ns >= _AGAIN_S * NS_PER_S
        if not fresh and not abroad and age < _RENEW_SHARE:
            standing[key] = replace(last, lasts_ns=now_ns)
            return None
    count, nearest_km = len(cause.rows), f"{cause.nearest_m / 1000.0:.1f}"
    said: list[Said] = []
    if partner.when == "threat":
        said.append(("share.threat", {"count": count, "border_km": nearest_km, "time": time}))
    elif count:
        said.append(("share.near_border", {"count": count, "partner": partner.name, "distance_km": nearest_km,
                                           "minutes": f"{pack.policy.notice_time_s / 60.0:.0f}", "time": time}))
    if abroad:
        said.append(("share.entered", {"count": len(abroad), "of": partner.country, "time": time}))
    items = tuple(theirs.judged(from_track(tracks, row), judgement, partner.country) for row in cause.rows)
    there = {item.track_id for item in items}
    items += tuple(theirs.as_object(verdict) for name, verdict in sorted(abroad.items()) if name not in there)
    words = "; ".join(part for part in (cause.words, f"{', '.join(sorted(abroad))}: entered {partner.country}" if abroad else "") if part)
    notice = _notice(partner, items, notice_text(pack, partner, *said), words, now_ns)
    standing[key] = Standing(notice, tuple(sorted(told | names)), now_ns)
    return notice


def _notice(partner: Partner, items: tuple[NoticeObject, ...], text: dict[str, str], reason: str,
            now_ns: int) -> Notice:
    return Notice(
        id=make_id("notice", partner.id, partner.when, now_ns), partner=partner.id, release=partner.release,
        time_ns=now_ns, expires_ns=now_ns + round(partner.expires_s * NS_PER_S),
        objects=tuple(released(item, partner.fields) for item in items), text=text, reason=reason)
