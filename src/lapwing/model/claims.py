"""Claims: which region of a country answers for a track, and under which number. Regions tell each other by these."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claim:
    """One region's word on one track that another region can see too.

    The regions' common store keeps the newest claim of each number, and takes a new one only from who knows that newest one
    (`expected`): of two regions that claim a number at once, one is refused.
    """

    number: str                  # the track's number in the country: it stays when the track changes hands
    region: str                  # who answers for it
    sequence: int                # its place in the common store; 0 of a wish that was not stored yet
    expected: int                # place of the claim that it replaces; 0: there is none
    time_ns: int                 # of the position
    born_ns: int                 # first plot that this region had of it
    latitude_rad: float
    longitude_rad: float
    east_mps: float
    north_mps: float
    position_m_sigma: float      # 1 sigma of one axis, registration included
    icao_address: int = -1
    entered: bool = False        # partners were told that it entered ...
    left: bool = False           # ... and that it left again: nobody tells them twice
    ended: bool = False          # this region no longer follows it; who does may take it
    into: str = ""               # of an ended one: the number under which the same object goes on


@dataclass(frozen=True, slots=True)
class Owned:
    """Who answers for the tracks of a step, where a country has several regions."""

    foreign: frozenset[str] = frozenset()        # numbers that another region answers for: shown and warned of, not told on
    never: frozenset[str] = frozenset()          # ... of them those that this one never answered for: their verdict is the others'
    owner: tuple[tuple[str, str], ...] = ()      # (number, region) of every confirmed track
    claims: tuple[Claim, ...] = ()               # to be stored where the store still is as it was
