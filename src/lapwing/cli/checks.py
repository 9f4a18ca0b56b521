"""What ``lapwing sapient check`` and ``lapwing cot check`` share: one line of JSON a file, and the exit status."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from lapwing.sense.findings import ERROR, Finding, is_valid


def check_files(paths: Sequence[Path], check: Callable[[bytes], list[Finding]], octets_max: int) -> int:
    """Print ``{"file", "valid", "findings"}`` for each file; 0 all valid, 1 an error was found, 2 one was not readable."""
    faults = unread = 0
    for path in paths:
        try:
            with path.open("rb") as file:
                document = file.read(octets_max + 1)   # one more than is taken: enough to see that it is too large
        except OSError as error:
            # The other files are still judged; the exit status says that one could not be.
            unread += 1
            _line(path, [Finding("file-unreadable", ERROR, "", error.strerror or str(error))])
            continue
        found = check(document)
        faults += not is_valid(found)
        _line(path, found)
    return 2 if unread else 1 if faults else 0


def _line(path: Path, found: Sequence[Finding]) -> None:
    print(json.dumps({
        "file": str(path), "valid": is_valid(found),
        "findings": [{"rule": f.rule, "severity": f.severity, "path": f.path, "message": f.message} for f in found],
    }, ensure_ascii=False), flush=True)
