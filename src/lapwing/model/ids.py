"""Identifiers. Every id is a UUIDv5 of what it names, so a replay gives the same ids as the live run."""

from __future__ import annotations

import uuid

NAMESPACE = uuid.UUID("6f0c3f0e-5f0a-5c38-9d6a-1a9b1c6a7f10")  # fixed once for Lapwing; changing it changes every id


def make_id(*parts: str | int) -> str:
    """Return the UUIDv5 of the parts joined by a unit separator (which no part may contain)."""
    return str(uuid.uuid5(NAMESPACE, "\x1f".join(str(part) for part in parts)))
