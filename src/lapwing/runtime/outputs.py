"""Turns an outcome into the outputs that are journaled with its batch: canonical rows, nothing recomputed."""

from __future__ import annotations

import numpy as np

from lapwing.model.alarms import Alarm
from lapwing.model.claims import Owned
from lapwing.model.ports import Output
from lapwing.model.times import NS_PER_S
from lapwing.pipeline import Outcome
from lapwing.record import rows, track_rows
from lapwing.record.canonical import Row, to_json
from lapwing.sense.asterix.encode import encode_block
from lapwing.share.asterix_out import CATEGORY, EDITION, alarm_items

# A coasting track is written every so often: readers take a track as live for 15 s after its last row.
COAST_ROW_NS = 4 * NS_PER_S


def outputs_of(outcome: Outcome) -> list[Output]:
    """Return the outputs of one batch, in the fixed order of the stages."""
    made: list[Output] = []

    def add(kind: str, row: Row) -> None:
        made.append(Output(kind, to_json(row)))

    if outcome.sensed.refusals:
        add("refusals", rows.refusals_row(outcome.sensed.refusals, outcome.now_ns))
    packed = _track_output(outcome)
    if packed is not None:
        made.append(packed)
    owned = outcome.owned or Owned()
    for claim in owned.claims:
        add("claim", rows.claim_row(claim))
    if outcome.judgement is not None:
        # Of a track that another region answers for, the record of the country is theirs.
        for verdict in outcome.judgement.verdicts:
            if whole(verdict.track_id) not in owned.never:
                add("verdict", rows.verdict_row(verdict))
        for verdict in outcome.judgement.neighbours:
            if whole(verdict.track_id) not in owned.never:
                add("neighbour", rows.verdict_row(verdict))
        for traffic in outcome.judgement.traffic:
            if whole(traffic.track_id) not in owned.never:
                add("traffic", rows.traffic_row(traffic))
        for alarm in outcome.judgement.alarms:
            if alarm.track_id not in owned.foreign:
                add("alarm", rows.alarm_row(alarm) | {"cat004": alarm_octets(alarm).hex()})
    if outcome.warned is not None:
        for proposal in outcome.warned.proposals:
            add("proposal", rows.proposal_row(proposal))
        for decision in outcome.warned.decisions:
            add("decision", rows.decision_row(decision))
        for alert in outcome.warned.alerts:
            add("alert", rows.alert_row(alert))
    if outcome.responded is not None:
        for patrol in outcome.responded.patrol:
            add("patrol", rows.patrol_row(patrol))
        for sighting in outcome.responded.sightings:
            add("sighting", rows.sighting_row(sighting))
        for impact in outcome.responded.impacts:
            add("impact", rows.impact_row(impact))
    if outcome.shared is not None:
        for notice in (*outcome.shared.notices, *outcome.shared.changed):
            add("notice", rows.notice_row(notice))
    for event in outcome.events:
        add("event", rows.event_row(event))
    return made


def whole(track_id: str) -> str:
    """Return the number of an object that was judged in parts (`judge.torn`)."""
    return track_id.partition("+")[0]


def _track_output(outcome: Outcome) -> Output | None:
    """Return the rows of confirmed tracks that got a plot, and of coasting ones now and then; None without any."""
    tracks = outcome.update.tracks
    due = outcome.now_ns // COAST_ROW_NS != outcome.before_ns // COAST_ROW_NS      # whatever the length of the batches
    written = tracks.confirmed & (tracks.updated | due)
    if outcome.owned is not None:
        written &= np.array([number not in outcome.owned.foreign for number in tracks.track_id], np.bool_)
    chosen = np.nonzero(written)[0]
    if len(chosen) == 0:
        return None
    states = outcome.judgement.states if outcome.judgement is not None else None
    packed = track_rows.pack(
        tracks.take(chosen), states.border_m[chosen] if states is not None else None, outcome.now_ns,
        border_m_sigma=states.border_m_sigma[chosen] if states is not None else None,
        judged=states.judged[chosen] if states is not None else None)
    return Output("tracks", packed)


def alarm_octets(alarm: Alarm, sac: int = 0, sic: int = 0) -> bytes:
    """Return one word on an alarm as a data block of ASTERIX CAT004."""
    return encode_block(CATEGORY, [alarm_items(alarm, sac, sic)], EDITION)
