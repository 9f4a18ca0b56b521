"""``lapwing verify``: is a journal as it was written, and does its input still give its outputs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

NAME = "verify"
HELP = ("Check a journal: every octet that came in and went out against the hash chain, then the replay of its input "
        "against its outputs. Exit status 1 where a fault is found.")

SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("journal", help="journal.sqlite of a run, or the journal folder of a live site")
    parser.add_argument("--head", metavar="HEX", help="digest written down elsewhere: the journal must hold it")
    parser.add_argument("--no-replay", action="store_true", help="check the hash chain alone")
    parser.add_argument("--public-key", metavar="HEX", default="", help="of the site, kept elsewhere: checks the lines of retired segments")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Check; 0 sound, 1 faults, 2 no journal."""
    from lapwing.model.times import to_iso
    from lapwing.runtime.environment import prepare

    prepare()
    from lapwing.runtime.journals import check_journal

    path = Path(arguments.journal)
    if path.is_dir():
        return _folder(path, arguments)
    found = check_journal(path, expected_head=_digest(arguments.head))
    audit = found.audit
    faults = [{"where": fault.where, "what": fault.what} for fault in found.faults]
    replay: dict[str, Any] = {"done": False, "why": "not asked for" if arguments.no_replay else "the chain is broken"}
    if not faults and not arguments.no_replay:
        replay, more = _replay(path)
        faults += more
    summary = {"journal": str(path), "sound": not faults, "batches": audit.batch_count, "entries": audit.entry_count,
               "outputs": audit.output_count, "head": audit.head.hex(), "replay": replay, "faults": faults}
    if arguments.json:
        import json

        print(json.dumps(summary, indent=2))
        return 1 if faults else 0
    period = f", {to_iso(audit.first_ns, digits=0)} to {to_iso(audit.last_ns, digits=0)}" if audit.first_ns else ""
    print(f"{path}: {audit.batch_count:,} batches, {audit.entry_count:,} entries, "
          f"{audit.output_count:,} outputs{period}")
    for fault in faults[:SHOWN]:
        print(f"FAULT  {fault['where']}: {fault['what']}")
    if len(faults) > SHOWN:
        print(f"... and {len(faults) - SHOWN:,} more (--json lists them)")
    if faults:
        print("The journal is not as it was written. Keep it, and compare it with a copy.")
        return 1
    print("chain   whole: every entry and output is as it was sealed")
    print("replay  " + ("equal: the input gives every output again, octet for octet" if replay["done"]
                        else f"not checked: {replay['why']}"))
    print(f"head    {audit.head.hex()}")
    return 0


def _folder(path: Path, arguments: argparse.Namespace) -> int:
    """Check every segment of a live site's journal, and that each follows the one before; 0 sound, 1 faults, 2 no journal."""
    import json

    from lapwing.model.errors import InputError
    from lapwing.runtime.segments import chain_faults, retired_lines_faults, segments

    found = segments(path)
    if not found:
        raise InputError("holds no segment of a journal", where=str(path), remedy="name data/journal of a site, or one journal file")
    if arguments.head:
        raise InputError("is a folder", where=str(path), remedy="name the segment that --head belongs to")
    # The segment that a running service writes is checked as far as it was written when the check began.
    status = 0
    for segment in found:
        words = argparse.Namespace(**(vars(arguments) | {"journal": str(segment.path)}))
        status = max(status, run(words))
    retired, key, faults = retired_lines_faults(path, _key(arguments.public_key))
    faults = [*faults, *chain_faults(path)]
    if arguments.json:
        print(json.dumps({"journal": str(path), "segments": len(found), "retired": retired, "public_key": key,
                          "faults": [{"where": where, "what": what} for where, what in faults]}))
    else:
        for where, what in faults:
            print(f"FAULT  {where}: {what}")
        if not faults:
            print(f"{path}: {len(found)} segments, each follows the one before it"
                  + (f"; {retired} were retired, and the signed lines that they left hold (public key {key})" if retired else ""))
    return 1 if faults else status


def _key(text: str) -> str:
    from lapwing.model.errors import ConfigError

    try:
        if text and len(bytes.fromhex(text)) != 32:
            raise ValueError
    except ValueError as error:
        raise ConfigError("not an Ed25519 key in hexadecimal", where="--public-key", remedy="give its 64 digits") from error
    return text


def _digest(text: str | None) -> bytes | None:
    from lapwing.model.errors import ConfigError

    if text is None:
        return None
    try:
        digest = bytes.fromhex(text.strip())
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise ConfigError("not a SHA-256 in hexadecimal", where=f"--head {text}", remedy="give its 64 digits")
    return digest


def _replay(path: Any) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Replay the journal's input; return what to say of it, and the differences as faults."""
    import importlib

    try:
        replay = importlib.import_module("lapwing.runtime.replay")
    except ImportError as error:
        return {"done": False, "why": f"this installation cannot replay ({error})"}, []
    equality = replay.verify_replay(path)
    return ({"done": True, "batches": equality.batches, "outputs": equality.outputs},
            [{"where": where, "what": "replaying the input gives another output"} for where in equality.differences])
