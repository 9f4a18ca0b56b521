"""The order of the stages, and the only place that knows it: sense, track, (region,) judge, warn, respond / share, record.

Pure: the same state and entries give the same state and outcome, byte for byte. Time is that of the newest entry. A
setup without a country pack stops after the tracks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lapwing import judge, region, respond, sense, share, track, warn
from lapwing.country.pack import Pack
from lapwing.geo.border import Territory
from lapwing.model.alerts import Warned
from lapwing.model.claims import Claim, Owned
from lapwing.model.entries import TICK, Entry
from lapwing.model.notices import Responded, Shared
from lapwing.model.renaming import renamed
from lapwing.model.reports import Acknowledgement, Command, Identification
from lapwing.model.sensed import Sensed
from lapwing.model.tracks import TrackUpdate
from lapwing.model.verdicts import Judgement
from lapwing.record import incident

END_OF_RUN = b"end"  # payload of the TICK entry that ends a run: every track is concluded, every verdict final


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything that is fixed for a run: sensors as configured, country, settings of each stage."""

    sense: sense.SenseSetup
    pack: Pack | None = None
    neighbours: Mapping[str, Territory] = field(default_factory=dict)
    track: track.Settings = field(default_factory=track.Settings)
    judge: judge.Settings = field(default_factory=judge.Settings)
    warn: warn.Settings = field(default_factory=warn.Settings)
    region: region.Area | None = None       # of a country watched in parts; None: this site watches all of it


@dataclass(frozen=True, slots=True)
class State:
    """The memory of all stages after a batch: one value, checkpointed as such."""

    sense: sense.State = field(default_factory=sense.State)
    track: track.State = field(default_factory=track.State)
    judge: judge.State = field(default_factory=judge.State)
    warn: warn.State = field(default_factory=warn.State)
    respond: respond.State = field(default_factory=respond.State)
    share: share.State = field(default_factory=share.State)
    incident: incident.State = field(default_factory=incident.State)
    region: region.State = field(default_factory=region.State)
    now_ns: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one batch led to, stage by stage. Judgement and all after it are None without a country."""

    now_ns: int
    sensed: Sensed
    update: TrackUpdate
    judgement: Judgement | None = None
    warned: Warned | None = None
    responded: Responded | None = None
    shared: Shared | None = None
    events: tuple[incident.Event, ...] = ()
    before_ns: int = 0              # time of the batch before
    owned: Owned | None = None      # who answers for the tracks; None where one site watches the whole country


def step(state: State, entries: tuple[Entry, ...], setup: Setup) -> tuple[State, Outcome]:
    """Take one batch of entries through all stages.

    Parameters
    ----------
    state : what the batch before left
    entries : in order of reception, at least one; its newest reception time is the batch's time and never goes back
    setup : fixed for the run
    """
    assert entries, "a batch holds at least one entry: the loop adds a tick where nothing came in"
    before_ns, now_ns = state.now_ns, max(state.now_ns, entries[-1].received_ns)
    ending = entries[-1].format == TICK and entries[-1].payload == END_OF_RUN

    sense_state, sensed = sense.step(state.sense, entries, setup.sense, now_ns)
    reports = sensed.reports
    identifications = tuple(r for r in reports if isinstance(r, Identification))
    plots = sensed.plots
    if setup.region is not None:
        plots = region.plots_near(plots, setup.region)
        identifications = _local(identifications, state.region)
    track_state, update = track.step(state.track, plots, sensed.bearings, sensed.looks, sensed.sensors,
                                     identifications, now_ns, setup.track)
    if update.notes:
        sensed = replace(sensed, refusals=(*sensed.refusals, *update.notes))
    if ending:
        track_state, update = _merged(update, *track.finish(track_state, now_ns, setup.track))
    state = replace(state, sense=sense_state, track=track_state, now_ns=now_ns)
    named: region.Named | None = None
    if setup.region is not None:
        claims = tuple(r for r in reports if isinstance(r, Claim))
        region_state, named = region.step(state.region, update, claims, setup.region, (state.share.entered, state.share.left), now_ns)
        state, update = _followed(replace(state, region=region_state), named), named.update
    if setup.pack is None:
        return state, Outcome(now_ns, sensed, update, before_ns=before_ns)

    conclude = judge.finish if ending else judge.step
    judge_state, judgement = conclude(state.judge, update, setup.pack, setup.neighbours, now_ns, setup.judge, sensed.sensors)
    judgement = judge.named(judgement, tuple(sensor.id for sensor in sensed.sensors.rows))
    judgement = judge.with_blind(judgement, sensed.sensors, setup.pack)
    commands = tuple(r for r in reports if isinstance(r, Command))
    warn_state, warned = warn.step(state.warn, update.tracks, judgement, commands, setup.pack, now_ns, setup.warn)
    respond_state, responded = respond.step(state.respond, reports, warned, now_ns)
    acknowledged = tuple(r for r in reports if isinstance(r, Acknowledgement))
    # Partners are told of an object once, by the region that answers for it.
    told, on = (update.tracks, judgement) if named is None else (update.tracks.take(named.rows), named.ours(judgement))
    share_state, shared = share.step(state.share, told, on, warned, acknowledged, setup.pack, now_ns)
    incident_state, events = incident.step(state.incident, sensed, update, judgement, warned, responded, shared, now_ns)

    state = replace(state, judge=judge_state, warn=warn_state, respond=respond_state, share=share_state,
                    incident=incident_state)
    return state, Outcome(now_ns, sensed, update, judgement, warned, responded, shared, events, before_ns,
                          named.owned if named is not None else None)


def fits(state: State) -> bool:
    """Return whether a state out of a checkpoint is one that this version can go on with."""
    return track.fits(state.track)


def _local(identifications: tuple[Identification, ...], state: region.State) -> tuple[Identification, ...]:
    """Return what people said of tracks with the tracker's own ids in place of the numbers that they know."""
    local = {held.number: name for name, held in state.held.items()}
    return tuple(replace(each, track_id=local.get(each.track_id, each.track_id)) for each in identifications)


def _followed(state: State, named: region.Named) -> State:
    """Return the state after tracks went on under a neighbour's number, and with what their owners have told of them."""
    if named.renamed:
        names = dict(named.renamed)
        state = replace(state, judge=renamed(state.judge, names), warn=renamed(state.warn, names), respond=renamed(state.respond, names),
                        share=renamed(state.share, names), incident=renamed(state.incident, names))
    entered = tuple(number for number in named.entered if number not in state.share.entered)
    left = tuple(number for number in named.left if number not in state.share.left)
    if entered or left:
        state = replace(state, share=replace(state.share, entered=(*state.share.entered, *entered), left=(*state.share.left, *left)))
    return state


def _merged(last: TrackUpdate, state: track.State, final: TrackUpdate) -> tuple[track.State, TrackUpdate]:
    """Return the final update with the tracks that the last ordinary step ended put in front."""
    ended_rows = final.ended_rows if last.ended_rows is None else last.ended_rows
    if last.ended_rows is not None and final.ended_rows is not None:
        ended_rows = track.concatenate(last.ended_rows, final.ended_rows)
    return state, TrackUpdate(tracks=final.tracks, ended=last.ended + final.ended, ended_rows=ended_rows, notes=last.notes)
