"""Channels: ways by which a warning reaches people. Each is one class and one line of the table.

A channel owns its settings and hands over one CAP document at a time. Sending the same document twice does no harm: the
identifier names the delivery.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from lapwing.model.errors import ConfigError, StorageError
from lapwing.model.ports import Channel

_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_NAME_MAX = 120


class CapFiles:
    """Writes each document into a folder, whole or not at all: a reader never sees half an alert."""

    name = "cap-files"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, identifier: str, document: bytes) -> str:
        """Write the document; return the file's name. Raises StorageError where the disk does not take it."""
        name = file_name(identifier)
        target = self.folder / name
        partial = self.folder / f".{name}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if target.is_file() and target.read_bytes() == document:
                return name
            with partial.open("wb") as file:
                file.write(document)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(target)
            _sync_folder(self.folder)
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
            raise StorageError(f"the alert {identifier} could not be written: {error.strerror or error}",
                               where=str(target),
                               remedy="free space or name another folder; it will be sent again") from error
        return name


def file_name(identifier: str) -> str:
    """Return a file name that any file system takes: the identifier's last part, with .xml.

    >>> file_name("urn:uuid:6f0c3f0e-5f0a-5c38-9d6a-1a9b1c6a7f10")
    '6f0c3f0e-5f0a-5c38-9d6a-1a9b1c6a7f10.xml'
    """
    plain = _NAME.sub("_", identifier.removeprefix("urn:uuid:")).strip("._")
    if plain != identifier.removeprefix("urn:uuid:") or not plain or len(plain) > _NAME_MAX:
        plain = f"{plain[:_NAME_MAX - 20]}-{hashlib.sha256(identifier.encode()).hexdigest()[:16]}".lstrip("-")
    return f"{plain}.xml"


def _sync_folder(folder: Path) -> None:
    """Make the new name durable, where the system lets a folder be synced."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _cap_files(settings: Mapping[str, str], base: Path) -> Channel:
    known = {"folder"}
    for key in settings:
        if key not in known:
            raise ConfigError(f"no setting {key!r}", where="channel cap-files", remedy="it has: folder")
    return CapFiles(base / settings.get("folder", "alerts"))


# Kind -> maker of a channel from its settings and the folder of the run. A new channel is one file and one line here.
CHANNELS: dict[str, Callable[[Mapping[str, str], Path], Channel]] = {
    "cap-files": _cap_files,
}


def make_channel(kind: str, settings: Mapping[str, str], base: Path) -> Channel:
    """Return a channel by its kind. Raises ConfigError for an unknown kind or setting."""
    if kind not in CHANNELS:
        raise ConfigError(f"no channel kind {kind!r}", where="[channel]",
                          remedy=f"one of {', '.join(sorted(CHANNELS))}")
    return CHANNELS[kind](settings, base)
