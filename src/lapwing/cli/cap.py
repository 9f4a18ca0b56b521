"""``lapwing cap``: check, read, list, sign and verify alerts (CAP 1.2), and tell which are in force."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

NAME = "cap"
HELP = "check CAP 1.2 messages by every rule, not the XSD alone; read, list, sign and verify them; tell what is in force"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    commands = parser.add_subparsers(dest="what", metavar="WHAT", required=True)

    def add(name: str, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("files", metavar="FILE", nargs="+", type=Path)
        return command

    add("check", "One line of JSON a file: parsed, valid, findings. Exit status 1 where one has an error. The manual lists the rules.")
    read = add("read", "Read an alert leniently (CAP 1.0, 1.1, common slips) and write it as strict CAP 1.2 of the same meaning.")
    read.add_argument("--write", metavar="OUT", type=Path, help="file for the strict document; a folder where several are read")
    add("feed", "One line of JSON an entry of an Atom or RSS feed or an EDXL-DE envelope. Nothing is fetched.")
    sign = add("sign", "Sign an alert or a feed (XML-DSig, enveloped) with a key and its certificate.")
    sign.add_argument("--key", metavar="KEY", type=Path, required=True, help="private key, PEM (RSA, or elliptic)")
    sign.add_argument("--cert", metavar="CERT", type=Path, required=True, help="its certificate, PEM")
    sign.add_argument("--write", metavar="OUT", type=Path, help="file for the signed document; else standard output")
    verify = add("verify",
                 "One line of JSON a file: signature good, bad or none; trusted where a pinned certificate made it, valid when sent.")
    verify.add_argument("--pinned", metavar="CERT", nargs="+", type=Path, default=[],
                        help="certificates that are trusted, PEM or DER; no others are")
    state = add("state", "One line of JSON: which warnings are in force at a time, from messages in any order. Feeds that hold alerts "
                "are read too.")
    state.add_argument("--at", metavar="TIME", help="ISO 8601 with Z or an offset; now where it is not given")
    state.add_argument("--unlimited-h", metavar="H", type=float, default=24.0,
                       help="a message without expiry is unknown after so many hours (default 24)")
    key = commands.add_parser("key", help="Make a signing key and its certificate.", description="Make a signing key and its certificate.")
    key.add_argument("--name", metavar="NAME", required=True, help="who signs: the common name of the certificate")
    key.add_argument("--days", metavar="N", type=int, default=730, help="how long the certificate is valid (default 730)")
    key.add_argument("--key", metavar="KEY", type=Path, required=True, help="file for the private key; readable by its owner alone")
    key.add_argument("--cert", metavar="CERT", type=Path, required=True, help="file for the certificate: what others pin")


def run(arguments: argparse.Namespace) -> int:
    """Run one subcommand; 0 done, 1 faults found, 2 a file could not be read."""
    commands: dict[str, Callable[[argparse.Namespace], int]] = {
        "check": _check, "read": _read, "feed": _feed, "sign": _sign, "verify": _verify, "state": _state, "key": _key}
    return commands[arguments.what](arguments)


def _say(row: dict[str, Any]) -> None:
    print(json.dumps(row, ensure_ascii=False), flush=True)


class _Reader:
    """Reads files one by one; one that cannot be opened does not hide the others."""

    def __init__(self, files: list[Path]) -> None:
        self.files, self.unread = files, 0

    def documents(self, row: Callable[[dict[str, str]], dict[str, Any]]) -> Iterator[tuple[Path, bytes]]:
        """Yield the files that can be read; print `row` of the finding for one that cannot."""
        from lapwing.warn.cap_xml import OCTETS_MAX

        for path in self.files:
            try:
                yield path, read_bounded(path, OCTETS_MAX)
            except OSError as error:
                self.unread += 1
                finding = {"rule": "file-unreadable", "severity": "error", "path": "", "message": error.strerror or str(error)}
                _say({"file": str(path)} | row(finding))

    def status(self, faults: int) -> int:
        return 2 if self.unread else 1 if faults else 0


def read_bounded(path: Path, octets_max: int) -> bytes:
    """Return a file's octets, one more than allowed at most: enough to see that it is too large."""
    with path.open("rb") as file:
        return file.read(octets_max + 1)


def _check(arguments: argparse.Namespace) -> int:
    from lapwing.warn.cap_check import check

    reader, faults = _Reader(arguments.files), 0
    for path, document in reader.documents(lambda f: {"parsed": False, "valid": False, "findings": [f]}):
        judged = check(document)
        faults += not judged.valid
        _say({"file": str(path), "parsed": judged.parsed, "valid": judged.valid, "findings": [asdict(f) for f in judged.findings]})
    return reader.status(faults)


def _read(arguments: argparse.Namespace) -> int:
    from lapwing.model.errors import InputError
    from lapwing.warn.cap_read import read

    out: Path | None = arguments.write
    if out is not None and len(arguments.files) > 1 and not out.is_dir():
        raise InputError("several files go into a folder", where=f"--write {out}", remedy="name a folder that exists")
    reader, faults = _Reader(arguments.files), 0
    for path, document in reader.documents(lambda f: {"version": "", "written": None, "valid": False, "fixed": [], "findings": [f]}):
        made = read(document)
        written = None
        if made.root is not None and out is not None:
            written = out / path.name if out.is_dir() else out
            written.write_bytes(made.octets)
        valid = made.judged is not None and made.judged.valid
        faults += not valid
        left = made.judged.findings if made.judged is not None else made.fixed[-1:]
        _say({"file": str(path), "version": made.version, "written": None if written is None else str(written), "valid": valid,
              "fixed": [asdict(f) for f in made.fixed if f.severity != "error"], "findings": [asdict(f) for f in left]})
    return reader.status(faults)


def _feed(arguments: argparse.Namespace) -> int:
    from lapwing.warn.cap_feed import NotAFeed, entries
    from lapwing.warn.cap_rules import text_of
    from lapwing.warn.cap_xml import Hostile

    reader, faults = _Reader(arguments.files), 0
    for path, document in reader.documents(lambda f: {"findings": [f]}):
        try:
            for entry in entries(document):
                row: dict[str, Any] = {"file": str(path), "format": entry.format, "id": entry.id, "title": entry.title,
                                       "updated": entry.updated, "link": entry.link}
                if entry.summary:
                    row["summary"] = dict(entry.summary)
                alert = entry.alert
                if alert is not None:
                    row["alert"] = {name: text_of(alert, name) for name in ("identifier", "sender", "sent", "status", "msgType")}
                _say(row)
        except (Hostile, NotAFeed) as error:
            faults += 1
            finding = asdict(error.finding) if isinstance(error, Hostile) else {
                "rule": "not-a-feed", "severity": "error", "path": "", "message": str(error)}
            _say({"file": str(path), "findings": [finding]})
    return reader.status(faults)


def _sign(arguments: argparse.Namespace) -> int:
    from lapwing.model.errors import InputError
    from lapwing.warn.cap_signature import Hostile, Signer

    if len(arguments.files) > 1:
        raise InputError("one file at a time", where="cap sign", remedy="call it once a file")
    signer = Signer(arguments.key.read_bytes(), arguments.cert.read_bytes())
    path: Path = arguments.files[0]
    try:
        signed = signer.sign(path.read_bytes())
    except Hostile as refused:
        raise InputError(str(refused), where=str(path), remedy="`lapwing cap check` says what is wrong with it") from refused
    if arguments.write is None:
        sys.stdout.buffer.write(signed)
    else:
        arguments.write.write_bytes(signed)
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from lapwing.warn.cap_signature import Hostile, read_certificates, verify

    pinned = [certificate for path in arguments.pinned for certificate in read_certificates(path.read_bytes())]
    reader, faults = _Reader(arguments.files), 0
    for path, document in reader.documents(lambda f: {"signature": "none", "trusted": False, "reason": f["message"]}):
        try:
            verified = verify(document, pinned)
        except Hostile as refused:
            _say({"file": str(path), "signature": "bad", "trusted": False, "reason": str(refused)})
            faults += 1
            continue
        faults += not verified.trusted
        _say({"file": str(path), "signature": verified.signature, "trusted": verified.trusted, "reason": verified.reason})
    return reader.status(faults)


def _state(arguments: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    from lapwing.model.errors import InputError
    from lapwing.warn.cap_state import fact_of, picture

    try:
        at = datetime.fromisoformat(arguments.at) if arguments.at else datetime.now(UTC)
    except ValueError as error:
        raise InputError(str(error), where="--at", remedy="such as 2026-08-05T19:52:00Z") from error
    if at.tzinfo is None:
        raise InputError("has no zone", where=f"--at {arguments.at}", remedy="end it with Z or an offset")
    unreadable: list[str] = []
    facts = []
    for path in arguments.files:
        try:
            found = [fact for root in _alerts(path) if (fact := fact_of(root)) is not None]
        except (OSError, ValueError) as error:
            found = []
            print(f"lapwing cap state: {path}: {getattr(error, 'strerror', None) or error}", file=sys.stderr)
        if not found:
            unreadable.append(str(path))
        facts += found
    seen = picture(facts, at, unlimited_h=arguments.unlimited_h)
    row: dict[str, Any] = {"in_force": list(seen.in_force), "ended": list(seen.ended), "unknown": [*seen.unknown, *unreadable]}
    if seen.coming:
        row["coming"] = list(seen.coming)
    _say(row)
    return 1 if unreadable else 0


def _alerts(path: Path) -> list[Any]:
    """Return the alerts of a file: itself, or those that a feed holds. Raises OSError, ValueError."""
    from lapwing.warn.cap_feed import NotAFeed, entries
    from lapwing.warn.cap_read import read
    from lapwing.warn.cap_xml import OCTETS_MAX

    document = read_bounded(path, OCTETS_MAX)
    try:
        return [entry.alert for entry in entries(document) if entry.alert is not None]
    except NotAFeed:
        made = read(document)
        if made.root is None:
            raise ValueError(made.fixed[-1].message) from None
        return [made.root]


def _key(arguments: argparse.Namespace) -> int:
    from lapwing.runtime.keys import make_key

    make_key(arguments.name, arguments.days, arguments.key, arguments.cert)
    print(f"{arguments.key}: keep it secret; {arguments.cert}: give it to those who verify")
    return 0
