"""What the region stage remembers."""

from __future__ import annotations

from dataclasses import dataclass, field

from lapwing.model.claims import Claim


@dataclass(frozen=True, slots=True)
class Held:
    """One confirmed track of ours, and what we know of who answers for it."""

    number: str                  # under which it goes on from here
    since_ns: int                # when it was confirmed here
    rival: str = ""              # number of a claim that seems to be the same object ...
    rival_hits: int = 0          # ... in so many of its claims in a row ...
    rival_sequence: int = 0      # ... the newest of them
    inside_ns: int = 0           # since when it has been deep inside our own area; 0: it is not
    wished_ns: int = 0           # newest wish
    was_ours: bool = False       # we answer for it, or did
    last: Claim | None = None    # our newest wish: says the end


@dataclass(frozen=True, slots=True)
class State:
    """The memory of the stage: claims of all regions by number, and our own tracks by the tracker's id."""

    claims: dict[str, Claim] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)
