"""Writes files whole or not at all: a reader never sees half an alert, and a power cut loses nothing that was written."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from pathlib import Path

from lapwing.model.errors import NotTaken

_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_NAME_MAX = 120


def write_whole(target: Path, octets: bytes) -> None:
    """Write a file. Raises NotTaken where the disk does not take it."""
    partial = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_file() and target.read_bytes() == octets:
            return
        with partial.open("wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise NotTaken(f"could not be written: {error.strerror or error}", where=str(target),
                       remedy="free space or name another folder; it will be sent again") from error


def file_name(identifier: str, ending: str = "xml") -> str:
    """Return a file name that any file system takes: the identifier's last part, with an ending.

    >>> file_name("urn:uuid:6f0c3f0e-5f0a-5c38-9d6a-1a9b1c6a7f10")
    '6f0c3f0e-5f0a-5c38-9d6a-1a9b1c6a7f10.xml'
    """
    bare = identifier.removeprefix("urn:uuid:")
    plain = _NAME.sub("_", bare).strip("._")
    if plain != bare or not plain or len(plain) > _NAME_MAX:
        plain = f"{plain[: _NAME_MAX - 20]}-{hashlib.sha256(identifier.encode()).hexdigest()[:16]}".lstrip("-")
    return f"{plain}.{ending}"


def _sync_folder(folder: Path) -> None:
    """Make the new name durable, where the system lets a folder be synced."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
