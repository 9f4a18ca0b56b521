"""The one family of errors. Each says what, where and what to do, and carries its values as attributes.

Input never crashes the process: a stage turns bad input into a counted `Refusal`; these errors are for what stops a
command (a file that cannot be read at all, a setting out of range, a port in use).
"""

from __future__ import annotations

from dataclasses import dataclass


class LapwingError(Exception):
    """Base of all errors that a person may read.

    Parameters
    ----------
    what : what is wrong, with the value
    where : file, key, octet, sensor: the place; may be empty
    remedy : what to do next; may be empty
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what, self.where, self.remedy = what, where, remedy
        super().__init__(": ".join(part for part in (where, what) if part) + (f"; {remedy}" if remedy else ""))


class InputError(LapwingError):
    """A file, stream or argument from outside that cannot be used at all (exit status 2)."""


class ConfigError(InputError):
    """A setting, country pack, sensor table or story that is wrong (exit status 2)."""


class StorageError(LapwingError):
    """The journal or an output cannot be written or read (exit status 2)."""


class Fenced(StorageError):
    """Another writer has taken the journal over: nothing of the refused batch was stored, and nothing more may go out."""


class Held(StorageError):
    """Another writer that lives holds the journal's lease."""


class Unreachable(StorageError):
    """The journal's server does not answer. Whether the newest write was stored is not known until it answers again."""


class NotTaken(LapwingError):
    """A channel did not take a message. `again`: trying later may help."""

    def __init__(self, what: str, *, where: str = "", remedy: str = "", again: bool = True) -> None:
        self.again = again
        super().__init__(what, where=where, remedy=remedy)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing of the input that was not used, and why. Counted, never dropped in silence.

    Attributes
    ----------
    reason : stable short code, e.g. ``item_too_short``, ``no_position``, ``from_the_future``
    where : people's words for the place: sensor, category, record, item, octet
    detail : what was found, and what was expected
    source : ``SAC/SIC`` or sensor id or link, for the counters; may be empty
    entry_sequence : journal entry it came in, -1 unknown
    octet : offset in that entry's payload, -1 unknown
    count : how many of the same it stands for
    """

    reason: str
    where: str
    detail: str
    source: str = ""
    entry_sequence: int = -1
    octet: int = -1
    count: int = 1
