"""Finds the map library: the static files of the installed ``maplibre`` package, without importing it."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from lapwing.model.errors import ConfigError

# Name under /lib -> path in the distribution. MapLibre GL JS is 3-clause BSD; we ship no copy of it.
FILES = {
    "maplibre-gl.js": ("maplibre/srcjs/maplibre-gl.js", "text/javascript"),
    "maplibre-gl.css": ("maplibre/srcjs/maplibre-gl.css", "text/css"),
}
REMEDY = "install it: pip install maplibre==0.3.6"


def library_file(name: str) -> tuple[Path, str]:
    """Return path and media type of a library file.

    Raises ConfigError where the package is missing or does not carry the file, KeyError for a name not in `FILES`.
    """
    inside, media_type = FILES[name]
    try:
        path = Path(str(metadata.distribution("maplibre").locate_file(inside)))
    except metadata.PackageNotFoundError as error:
        raise ConfigError("the Python package maplibre is missing: no map", remedy=REMEDY) from error
    if not path.is_file():
        raise ConfigError("the installed maplibre package does not carry this file", where=inside, remedy=REMEDY)
    return path, media_type
