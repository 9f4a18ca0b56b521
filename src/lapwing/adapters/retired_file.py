"""Which segments of a journal have left its folder: one signed line of JSON each, so that the chain goes on over the hole.

=============== =====================================================================================================
key             meaning
=============== =====================================================================================================
``number``      of the line, from 0; ``time``: when
``segment``     its file name
``head``        digest of its last batch: what the next segment names as ``previous_head``
``previous``    segment and head that it followed itself, "" for none; ``first``, ``last``: reception of its entries
``batches``     how many; likewise ``entries``, ``outputs``, ``octets``; ``sha256`` of the file
``kept_as``     file of the packed copy, and its ``kept_sha256``; "" where it was dropped
``why``         the policy
``line_before`` SHA-256 of the line before; ``signature``: Ed25519, by the key of the site's audit, over the line without it
=============== =====================================================================================================
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from lapwing.model.errors import StorageError

NAME = "retired.jsonl"
_GENESIS = "0" * 64
Line = dict[str, Any]


def _octets(line: Line) -> bytes:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode()


def read_retired(folder: Path) -> list[Line]:
    """Return the lines of a journal's folder, none where nothing was retired. Raises StorageError."""
    path = folder / NAME
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError(f"cannot be read: {error.strerror}", where=str(path), remedy="check its owner and mode") from error
    lines: list[Line] = []
    for octets in text.split(b"\n")[:-1]:       # what a crash tore has no end of line, and was promised to nobody
        try:
            line = json.loads(octets)
            lines.append({**line, "segment": str(line["segment"]), "head": str(line["head"])})
        except (ValueError, KeyError, TypeError) as error:
            raise StorageError(f"line {len(lines) + 1} is not one of ours", where=str(path),
                               remedy="bring the file back from a copy") from error
    return lines


def retired_count(folder: Path) -> int:
    """Return how many segments were retired, without reading what stands of them."""
    try:
        return (folder / NAME).read_bytes().count(b"\n")
    except OSError:
        return 0


def add_retired(folder: Path, key: Ed25519PrivateKey, values: Line) -> None:
    """Append one signed line, durable before it returns. Raises StorageError."""
    path, lines = folder / NAME, read_retired(folder)
    before = hashlib.sha256(_octets(lines[-1])).hexdigest() if lines else _GENESIS
    line = {"number": len(lines), **values, "line_before": before}
    line["signature"] = key.sign(_octets(line)).hex()
    try:
        with path.open("r+b" if path.exists() else "wb") as file:
            whole = sum(len(_octets(known)) + 1 for known in lines)
            file.truncate(whole)
            file.seek(whole)
            file.write(_octets(line) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageError(f"cannot be written: {error.strerror or error}", where=str(path),
                           remedy="free space, or change owner or mode") from error


def retired_faults(folder: Path, public_key: str) -> list[tuple[str, str]]:
    """Return (where, what) for each line that is changed, moved, taken out, or not signed with the key (hexadecimal)."""
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
    faults: list[tuple[str, str]] = []
    before = _GENESIS
    for due, line in enumerate(read_retired(folder)):
        where = f"{NAME}, line {due + 1} ({line['segment']})"
        if line.get("number") != due or line.get("line_before") != before:
            faults.append((where, "was moved, or the line before it was changed or taken out"))
        try:
            key.verify(bytes.fromhex(str(line.get("signature", ""))), _octets({k: v for k, v in line.items() if k != "signature"}))
        except (InvalidSignature, ValueError):
            faults.append((where, "changed, or not signed with this site's key"))
        before = hashlib.sha256(_octets(line)).hexdigest()
    return faults
