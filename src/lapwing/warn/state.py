"""The memory of the warner between steps, and its settings. Frozen values only: the state is checkpointed as it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lapwing.model.alerts import Proposal
from lapwing.model.plots import Floats, Ints
from lapwing.model.reports import OFFICER_ROLES
from lapwing.warn.policy import HORIZONS_S

STATUSES = ("Actual", "Exercise", "Test")


def no_zones() -> Ints:
    """Return an empty array of zone rows."""
    return np.zeros(0, np.int64)


def no_reach() -> Reach:
    """Return the reach of an object that comes near nowhere."""
    return Reach(no_zones(), np.zeros((0, len(HORIZONS_S))))


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run fixes. Numbers that an authority may set stand in the pack's policy, not here."""

    status: str = "Exercise"         # CAP status of every message of the run; never mixed within a run
    sender: str = ""                 # empty: the policy's sender
    people: tuple[tuple[str, str], ...] = ()   # (name, role) of the site's table; empty: anyone with a name may decide

    def __post_init__(self) -> None:
        assert self.status in STATUSES, f"status {self.status!r}: one of {STATUSES}"
        assert all(role in OFFICER_ROLES for _, role in self.people), f"roles are {OFFICER_ROLES}"


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """Which zones an object may come near to, from the moment of its last evaluation on."""

    zone_index: Ints                 # (m,) rows of Pack.zones, ascending
    prob: Floats                     # (m, horizons) P(within Policy.alert_zone_m of a place of the zone) by HORIZONS_S


@dataclass(frozen=True, slots=True)
class Candidate:
    """How an object has been seen: one that may be a threat is watched until it is known well enough."""

    track_id: str
    first_ns: int                        # first step in which it could have been one
    plots: int                           # steps with a plot since
    border_m: float = 0.0                # signed distance to the border then
    slow_plots: int = 0                  # steps with a plot at which it was slower than drones fly


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
    course_mps: tuple[float, float]      # likewise, made good over the last minutes
    speed_mps: float                 # worst case
    position_m_sigma: float          # along the worst axis
    position_cov_m2: tuple[tuple[float, float], tuple[float, float]]   # east, north; registration included
    velocity_cov: tuple[tuple[float, float], tuple[float, float]]
    turn_rate_radps: float
    border_m: float
    border_time_s: float             # worst-case time to `alert_border_m` of the border; inf: flying away
    sensor_count: int                # different sensors that ever saw it
    reach: Reach
    looks: int = 0                   # evaluations so far
    likely: tuple[tuple[int, ...], ...] = ()   # zones likely soon at the last evaluations, newest last
    asked: tuple[int, ...] = ()      # zones that must be warned: likely at two of the last three evaluations, or urgent
    urgent: tuple[int, ...] = ()     # those that cannot wait for a second look
    held: tuple[int, ...] = ()       # zones that it kept warned when last seen: a lost object holds them
    registration_m_sigma: float = 0.0    # doubt about the alignment of its sensors, along the worst axis
    first: tuple[int, ...] = ()      # where it would be first, when it may soon be at the border
    home: int = -1                   # zone nearest to it; -1 none
    seen: Candidate | None = None    # how it was seen, from the first time on
    harmless_prob: float = 0.0       # that a slow one is a bird, a balloon, a cloud; 0 of one that is not slow


# A threat that lasts for days must not make messages longer and longer: each message names those before it, so a later one
# need only name the newest, which lead back to the others; an officer decides on one of the newest.
SENT_MAX = 64
IDENTIFIERS_MAX = 256
THREATS_MAX = 256


@dataclass(frozen=True, slots=True)
class Part:
    """Zones that one message warns, and the messages about them so far: it is renewed, shrinks and ends by itself.

    A widening is a part of its own, so that nobody is told twice of what has not changed for them.
    """

    level: str                           # alert | pre_alert
    zones: tuple[int, ...]               # rows of Pack.zones in force, ascending
    wanted_ns: tuple[int, ...]           # when each was last wanted
    sent: tuple[str, ...]                # references "sender,identifier,sent" of its messages, the newest SENT_MAX
    onset_ns: int
    sent_ns: int                         # of the newest message
    expires_ns: int
    shrunk_ns: int = 0                   # when its people last heard of zones that come down; 0: never


@dataclass(frozen=True, slots=True)
class Chain:
    """One incident: its messages from the first warning to the last all clear, and what waits for a decision."""

    id: str
    phase: str                           # a state of `lifecycle`
    latitude_rad: float                  # where it began: which new threats belong to it
    longitude_rad: float
    threats: tuple[str, ...] = ()        # track ids that caused it, in order of appearance
    parts: tuple[Part, ...] = ()         # in force, oldest first
    envelope: tuple[int, ...] = ()       # zones approved in advance, beside those in force
    identifiers: tuple[str, ...] = ()    # of its messages, the newest IDENTIFIERS_MAX
    message_count: int = 0               # of all its messages
    began_ns: int = 0
    alerted: bool = False                # an alert was ever in force
    widened_ns: int = 0                  # last message that added zones
    last_plot_ns: int = 0                # newest plot of any of its threats
    real: bool = False                   # a threat of it was lost or flew away; else all were identified
    by_hand_until_ns: int = 0            # raised by a person, until then; 0: not
    by_hand_level: str = ""
    approved_by: tuple[str, ...] = ()    # of the newest approval
    approved_ns: int = 0
    pending: tuple[Pending, ...] = ()
    cleared_by: tuple[str, int, str] = ("", 0, "")   # approved end: proposal id, proposed_ns, clear | cancel
    quiet_until_ns: int = 0              # a person refused: not asked again before, unless it grows worse

    def zones(self, level: str = "") -> tuple[int, ...]:
        """Return the zones in force, of one level or of all, ascending."""
        return tuple(sorted({i for part in self.parts if not level or part.level == level for i in part.zones}))

    @property
    def references(self) -> tuple[str, ...]:
        """References of all messages in force, parts in order."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.sent))


@dataclass(frozen=True, slots=True)
class Pending:
    """A proposal that waits for a person, with what it would do."""

    proposal: Proposal
    kind: str                            # raise | clear | cancel | hand
    level: str                           # of its zones
    zones: tuple[int, ...]               # to be warned
    envelope: tuple[int, ...] = ()       # widening inside it will need no further approval
    approvals: tuple[str, ...] = ()      # names so far
    text: str = ""                       # reason given by the person, for a warning by hand


@dataclass(frozen=True, slots=True)
class State:
    """Memory of the warner. `State()` is the empty one."""

    threats: tuple[Threat, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    chains: tuple[Chain, ...] = ()
    count: int = 0                       # chains ever begun
    numbers: int = 0                     # proposals ever made
    dismissed: tuple[tuple[str, int], ...] = ()   # (track id, until_ns): a person called its warning false
    cleared: tuple[tuple[int, int], ...] = ()     # (zone, when): told lately that it is over

    @property
    def busy(self) -> bool:
        """Whether a threat lives or a message still needs its end: the clock must run on."""
        return bool(self.threats or self.chains)
