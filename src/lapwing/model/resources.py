"""Data that is part of the package itself (tables, grids, schemas, templates), read as bytes.

This is the one place where the core reads from disk: what it reads is shipped with the code and as constant as it.
Everything a user may change (packs, configuration, recordings) is handed in by an adapter.
"""

from __future__ import annotations

from importlib import resources


def read_resource(package: str, name: str) -> bytes:
    """Return the octets of a file shipped inside a package, e.g. ``read_resource("lapwing.geo", "data/geoid.csv")``."""
    return resources.files(package).joinpath(name).read_bytes()
