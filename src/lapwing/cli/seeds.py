"""A span of seeds on the command line, for the scores of many nights."""

from __future__ import annotations


def seeds_of(text: str) -> range:
    """Return the seeds of `A-B`, or of one. Raises InputError."""
    from lapwing.model.errors import InputError

    first, _, last = text.partition("-")
    if not first.isdigit() or not (last or first).isdigit() or int(last or first) < int(first):
        raise InputError(f"{text!r} is no span of seeds", where="--seeds", remedy="give first and last: 1-20")
    return range(int(first), int(last or first) + 1)
