"""The memory of the warner between steps, and its settings. Frozen values only: the state is checkpointed as it is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from lapwing.model.alerts import Proposal
from lapwing.model.plots import Floats, Ints

STATUSES = ("Actual", "Exercise", "Test")


def no_zones() -> Ints:
    """Return an empty array of zone rows."""
    return np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run fixes. Numbers that an authority may set stand in the pack's policy, not here."""

    status: str = "Exercise"         # CAP status of every message of the run; never mixed within a run
    sender: str = ""                 # empty: the policy's sender

    def __post_init__(self) -> None:
        assert self.status in STATUSES, f"status {self.status!r}: one of {STATUSES}"


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """Which zones an object could come near to, and how soon, reckoned from the moment of its last evaluation."""

    zone_index: Ints                 # (m,) rows of Pack.zones, ascending
    arrival_s: Floats                # (m,) earliest time to within Policy.alert_zone_m of a place of the zone
    turn_rad: Floats                 # (m,) change of course that this would take


@dataclass(frozen=True, slots=True, eq=False)
class Threat:
    """An object that is a threat by the rule: live, coasting, or lost within the hold."""

    track_id: str
    born_ns: int
    last_plot_ns: int
    live: bool                       # still a row of the tracks
    seen_ns: int                     # last step in which it was
    evaluated_ns: int                # time of `reach`
    latitude_rad: float
    longitude_rad: float
    velocity_mps: tuple[float, float]    # east, north
    speed_mps: float                 # worst case used for arrival times
    position_m_sigma: float
    border_m: float
    border_time_s: float             # worst-case time to `alert_border_m` of the border; inf: flying away
    reach: Reach
    due: tuple[Ints, ...] = ()       # zones asked for at the last evaluations, newest last
    urgent: Ints = field(default_factory=no_zones)          # of the newest, those that cannot wait for a second look
    first: Ints = field(default_factory=no_zones)           # zones where it would cross


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain of messages: an alert, its updates, its end. One chain per incident and level."""

    id: str
    level: str                           # alert | pre_alert
    phase: str                           # a state of `lifecycle`
    latitude_rad: float                  # where it began: which new threats belong to it
    longitude_rad: float
    threats: tuple[str, ...] = ()        # track ids that caused it, in order of appearance
    zones: tuple[int, ...] = ()          # rows of Pack.zones in force, ascending
    wanted_ns: tuple[int, ...] = ()      # when each was last wanted
    envelope: tuple[int, ...] = ()       # zones approved in advance, beside those in force
    sent: tuple[str, ...] = ()           # references "sender,identifier,sent" of all its messages
    identifiers: tuple[str, ...] = ()    # their identifiers
    onset_ns: int = 0
    sent_ns: int = 0                     # of the newest message
    expires_ns: int = 0
    changed_ns: int = 0                  # last change of the zones
    shrunk_ns: int = 0                   # last time zones came down
    last_plot_ns: int = 0                # newest plot of any of its threats
    real: bool = False                   # a threat of it was lost or flew away; else all were identified
    by_hand_until_ns: int = 0            # raised by a person, until then; 0: not
    approved_by: tuple[str, ...] = ()    # of the newest approval
    approved_ns: int = 0
    pending: tuple[Pending, ...] = ()
    cleared_by: tuple[str, int, str] = ("", 0, "")   # approved end: proposal id, proposed_ns, clear | cancel
    quiet_until_ns: int = 0              # a person refused: not asked again before, unless it grows worse


@dataclass(frozen=True, slots=True)
class Pending:
    """A proposal that waits for a person, with what it would do."""

    proposal: Proposal
    kind: str                            # raise | widen | clear | cancel | hand
    zones: tuple[int, ...]               # in force after it is approved, at least
    envelope: tuple[int, ...] = ()       # widening inside it will need no further approval
    approvals: tuple[str, ...] = ()      # names so far
    text: str = ""                       # reason given by the person, for a warning by hand


@dataclass(frozen=True, slots=True)
class Candidate:
    """An object that would be a threat, but is not known well enough yet."""

    track_id: str
    first_ns: int                        # first step in which it would have been one
    plots: int                           # steps with a plot since


@dataclass(frozen=True, slots=True)
class State:
    """Memory of the warner. `State()` is the empty one."""

    threats: tuple[Threat, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    chains: tuple[Chain, ...] = ()
    count: int = 0                       # chains ever begun
    numbers: int = 0                     # proposals ever made
    dismissed: tuple[tuple[str, int], ...] = ()   # (track id, until_ns): a person called its warning false

    @property
    def busy(self) -> bool:
        """Whether a threat lives or a message still needs its end: the clock must run on."""
        return bool(self.threats or self.chains)
