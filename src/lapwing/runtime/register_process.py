"""The process beside a live service that feeds its register, and the service's end of it.

The service hands the settings over on standard input, for a command line is for all to see, and keeps it open: when it closes the
process ends, also where the service was killed. Each line back is the state of things. While the database is down nothing is lost:
the journal has everything, and the feeding goes on from the database's own place.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from lapwing.adapters.accounts import Accounts
from lapwing.adapters.database.address import Address
from lapwing.model.errors import LapwingError
from lapwing.runtime.register import feed, feed_audit, open_database, share_accounts
from lapwing.runtime.site_database import DatabaseSettings

ROUND_S = 1.0
BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
ACCOUNTS_EVERY_S = 5.0
SILENT_S = 90.0             # longer than any back-off and the time a database has to answer
DOWN = "database down"
Sample = tuple[str, dict[str, str], float]


class RegisterProcess:
    """The service's end. `say` is called with (level, text)."""

    def __init__(self, settings: DatabaseSettings, data: Path, *, has_journal: bool, say: Callable[[str, str], None]) -> None:
        address = settings.address
        self._say = say
        self._words = "" if address is None else json.dumps({
            "address": asdict(address) | {"path": str(address.path)}, "site": settings.site, "accounts": settings.accounts,
            "data": str(data), "has_journal": has_journal})
        self._shown = "" if address is None else address.shown
        self._thread = threading.Thread(target=self._watch, name="register", daemon=True)
        self._stopping = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._heard_s = self._well_s = time.monotonic()
        self._problem = ""
        self._rows = self._refused = 0

    def start(self) -> None:
        """Begin to feed, where there is a database."""
        if self._words and not self._thread.is_alive():
            self._heard_s = self._well_s = time.monotonic()
            self._thread.start()

    def problems(self) -> dict[str, str]:
        """Return the degraded mode, where there is one."""
        if not self._words:
            return {}
        silent_s = time.monotonic() - self._heard_s
        problem = self._problem or (f"{self._shown}: the process that feeds it has not spoken for {silent_s:.0f} s" if silent_s > SILENT_S
                                    else "")
        return {DOWN: f"{problem}; warning goes on, the journal keeps everything, and it catches up by itself"} if problem else {}

    def samples(self) -> list[Sample]:
        """Return its numbers for Prometheus."""
        return [("lapwing_database_rows_total", {}, self._rows), ("lapwing_database_refused_total", {}, self._refused),
                ("lapwing_database_behind_seconds", {}, time.monotonic() - self._well_s)] if self._words else []

    def _watch(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            last = ""
            try:
                self._process = subprocess.Popen([sys.executable, "-m", "lapwing.runtime.register_process"], text=True,
                                                 stdin=subprocess.PIPE,
                                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                assert self._process.stdin is not None and self._process.stdout is not None, "they were asked for"
                with contextlib.suppress(OSError):
                    self._process.stdin.write(self._words + "\n")
                    self._process.stdin.flush()
                for line in self._process.stdout:
                    last = line.strip() or last
                    if self._hear(line):
                        failures = 0
                why = f"the process that feeds it ended with {self._process.wait()}: {last[:200]}"
            except OSError as error:
                why = f"the process that feeds it does not start: {error}"
            if not self._stopping.is_set():
                self._problem = f"{self._shown}: {why}"
                self._stopping.wait(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])
                failures += 1

    def _hear(self, line: str) -> bool:
        """Take a line; whether it was one of ours."""
        try:
            heard: dict[str, Any] = json.loads(line)
            problem, rows, refused, said = str(heard["problem"]), int(heard["rows"]), list(heard["refused"]), list(heard["said"])
        except (ValueError, KeyError, TypeError):
            return False
        self._heard_s = time.monotonic()
        if not problem:
            self._well_s = self._heard_s
        self._problem = problem
        self._rows += rows
        self._refused += len(refused)
        for text in refused:
            self._say("warning", f"not in the register: {text}")
        for text in said:
            self._say("notice", f"shared accounts: {text}")
        return True

    def close(self) -> None:
        """End the process; what is under way is fed again at the next start."""
        self._stopping.set()
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5.0)
        if self._thread.is_alive():
            self._thread.join(5.0)
        if process is not None and process.stdin is not None and process.stdout is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
            process.stdout.close()


class _Work:
    """What the process does, round by round."""

    def __init__(self, settings: DatabaseSettings, data: Path, has_journal: bool) -> None:
        self._settings, self._data, self._has_journal = settings, data, has_journal
        self._accounts = Accounts(data / "accounts.sqlite") if settings.accounts else None
        self._accounts_due_s = 0.0
        self._database: Any = None

    def round(self) -> dict[str, Any]:
        """Do what is to do; return the line to say. Never raises for what a database or a disk does."""
        told: dict[str, Any] = {"problem": "", "rows": 0, "refused": [], "said": []}
        try:
            if self._database is None:
                self._database = open_database(self._settings)
            if self._accounts is not None and time.monotonic() >= self._accounts_due_s:
                told["said"] = share_accounts(self._database, self._accounts)
                self._accounts_due_s = time.monotonic() + ACCOUNTS_EVERY_S
            told["rows"] = feed_audit(self._database, self._data, self._settings.site)
            if self._has_journal:
                fed = feed(self._database, self._data / "journal", self._settings.site, time.time_ns())
                told["rows"], told["refused"] = told["rows"] + fed.rows, list(fed.refused)
        except LapwingError as error:
            told["problem"] = str(error)
            if self._database is not None:
                self._database.close()
                self._database = None
        return told


def main() -> int:
    """Feed until standard input is closed."""
    os.nice(10)          # the loop goes first
    signal.signal(signal.SIGINT, signal.SIG_IGN)      # Ctrl-C is the service's to answer
    given = json.loads(sys.stdin.readline())
    address = Address(**given["address"] | {"path": Path(given["address"]["path"])})
    work = _Work(replace(DatabaseSettings(), address=address, site=given["site"], accounts=given["accounts"]), Path(given["data"]),
                 given["has_journal"])
    failures = 0
    while True:
        told = work.round()
        print(json.dumps(told), flush=True)
        failures = failures + 1 if told["problem"] else 0
        wait_s = BACKOFF_S[min(failures - 1, len(BACKOFF_S) - 1)] if failures else ROUND_S
        if select.select([sys.stdin], [], [], wait_s)[0]:
            return 0


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())
