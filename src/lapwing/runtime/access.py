"""Who may do what: four roles, one table of routes, and the way from a request's secret to an account.

A route that is not in the table is refused to everybody: a new one must be put here before it answers. The rule of two
persons is not here: the core counts names, and a signed-in person's name is the account's, not what the page sends.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable
from pathlib import Path

from lapwing.adapters.accounts import KEY_PREFIX, SESSION_NS, Account, Accounts
from lapwing.adapters.audit_file import AuditFile
from lapwing.adapters.oidc import Provider, ProviderSettings
from lapwing.model.errors import InputError
from lapwing.model.times import NS_PER_S
from lapwing.runtime.provider_access import ProviderAccess

__all__ = ["OPEN", "ROLES", "ROUTES", "SESSION_S", "Access", "Account", "least_role", "may", "open_access"]

ROLES = ("viewer", "operator", "supervisor", "admin")     # each may do what those before it may
SESSION_S = SESSION_NS // NS_PER_S
OPEN = ""                                                  # no account needed

# (methods, path, least role). A websocket counts as the method "WS".
ROUTES: tuple[tuple[str, str, str], ...] = (
    ("GET HEAD", r"/login", OPEN), ("POST", r"/api/login", OPEN), ("POST", r"/api/logout", OPEN),
    ("GET", r"/api/oidc/(begin|return)", OPEN), ("GET HEAD", r"/livez|/readyz", OPEN),
    ("GET HEAD", r"/favicon\.ico|/static/.*|/lib/.*|/glyphs/.*", OPEN),
    ("GET", r"/api/me", "viewer"),
    ("GET HEAD", r"/|/log", "viewer"), ("GET", r"/api/site|/api/picture|/api/history|/api/alerts", "viewer"),
    ("GET", r"/metrics", "viewer"), ("WS", r"/api/live", "viewer"),
    ("POST", r"/api/log/[a-z]+", "operator"), ("POST", r"/api/command", "operator"),
)
# What a command takes beyond that. Cancelling a false alarm takes one operator, and under a minute.
COMMAND_ROLES = {"raise": "supervisor", "all-clear": "supervisor"}
# What an account's role is to the core, which decides who may approve what.
OFFICER_ROLE = {"operator": "officer", "supervisor": "supervisor", "admin": "supervisor"}

FAILURES_FREE = 5
WAIT_S_MAX = 900.0


def least_role(method: str, path: str) -> str | None:
    """Return the least role for a request, OPEN for none; None where nobody may."""
    for methods, pattern, role in ROUTES:
        if method in methods.split() and re.fullmatch(pattern, path):
            return role
    return None


def may(role: str, least: str) -> bool:
    """Whether a role reaches another."""
    return least == OPEN or (role in ROLES and ROLES.index(role) >= ROLES.index(least))


class Throttle:
    """Makes guessing slow: after `FAILURES_FREE` failures of a name or an address each try waits, twice as long each time."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._failures: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    def wait_s(self, *whom: str) -> float:
        """Return how long these must still wait."""
        with self._lock:
            now_s = self._monotonic()
            waits = [0.0]
            for each in whom:
                count, at_s = self._failures.get(each, (0, 0.0))
                if count >= FAILURES_FREE:
                    waits.append(at_s + min(2.0 ** (count - FAILURES_FREE), WAIT_S_MAX) - now_s)
            return max(waits)

    def failed(self, *whom: str) -> None:
        """Count a failure."""
        with self._lock:
            now_s = self._monotonic()
            if len(self._failures) > 10_000:    # a flood of names: forget those whose wait is over
                self._failures = {k: v for k, v in self._failures.items() if now_s - v[1] < WAIT_S_MAX}
            for each in whom:
                count, at_s = self._failures.get(each, (0, 0.0))
                self._failures[each] = (1 if now_s - at_s > 4 * WAIT_S_MAX else count + 1, now_s)

    def passed(self, *whom: str) -> None:
        """Forget the failures."""
        with self._lock:
            for each in whom:
                self._failures.pop(each, None)


class Access:
    """Accounts and audit of a site, as the console asks them.

    Parameters
    ----------
    accounts, audit : of the site
    clock : nanoseconds UTC of now
    monotonic : seconds, for the throttle
    provider : of identities, where people may sign in at one
    """

    def __init__(self, accounts: Accounts, audit: AuditFile, clock: Callable[[], int], monotonic: Callable[[], float],
                 provider: ProviderAccess | None = None) -> None:
        self._accounts, self._audit, self._clock, self.provider = accounts, audit, clock, provider
        self._throttle = Throttle(monotonic)

    @property
    def needed(self) -> bool:
        """Whether there are accounts; without any, this machine alone is served, and may do everything."""
        return self.provider is not None or self._accounts.any()

    def who(self, session: str, bearer: str) -> Account | None:
        """Return the account of a session's secret or an API key; None where it is nobody's."""
        if bearer.startswith(KEY_PREFIX):
            return self._accounts.key(bearer, self._clock())
        return self._accounts.session(session, self._clock()) if session else None

    def sign_in(self, name: str, password: str, address: str) -> str:
        """Return the secret of a new session. Raises InputError; the reason does not tell whether the name exists."""
        # By name and by address: one name cannot be guessed from many machines, nor many names from one.
        wait_s = self._throttle.wait_s(f"name {name}", f"address {address}")
        if wait_s > 0.0:
            raise InputError(f"too many failures: wait {math.ceil(wait_s)} s", remedy="ask an admin for a new password")
        account = self._accounts.check(name, password)
        if account is None:
            self._throttle.failed(f"name {name}", f"address {address}")
            self.note(name, "sign-in refused", address=address)
            raise InputError("name or password is wrong", remedy="try again")
        self._throttle.passed(f"name {name}", f"address {address}")
        self.note(account.name, "sign-in", address=address, role=account.role)
        return self._accounts.begin_session(account, self._clock())

    def begin_at_provider(self) -> tuple[str, str]:
        """Return the address to send a browser to, and the secret that it must bring back. Raises LapwingError."""
        assert self.provider is not None, "the route is there only then"
        return self.provider.begin(self._clock())

    def finish_at_provider(self, code: str, state: str, issuer: str, browser: str, address: str) -> str:
        """Return the secret of a new session for who came back from the provider. Raises LapwingError."""
        assert self.provider is not None, "the route is there only then"
        wait_s = self._throttle.wait_s(f"address {address}")
        if wait_s > 0.0:
            raise InputError(f"too many failures: wait {math.ceil(wait_s)} s", remedy="ask an admin")
        person = None
        try:
            person = self.provider.finish(code, state, issuer, browser, self._clock())
            account = self._accounts.take_person(person.subject, person.name, person.role, self._clock())
        except InputError as error:
            self._throttle.failed(f"address {address}")
            self.note(person.name if person else "?", "sign-in refused", address=address, why=error.what, subject=person.subject if person
                      else "")
            raise
        self.note(account.name, "sign-in", address=address, role=account.role, subject=person.subject)
        return self._accounts.begin_session(account, self._clock())

    def sign_out(self, session: str) -> None:
        """End a session."""
        account = self.who(session, "")
        if account is not None:
            self._accounts.end_session(session)
            self.note(account.name, "sign-out")

    def note(self, who: str, what: str, **detail: str | int | float) -> None:
        """Append to the audit."""
        self._audit.add(self._clock(), who, what, **detail)


def open_access(folder: Path, clock: Callable[[], int], monotonic: Callable[[], float], provider: ProviderSettings | None = None) -> Access:
    """Return the access of a site's data folder. Raises StorageError."""
    return Access(Accounts(folder / "accounts.sqlite"), AuditFile(folder / "audit.sqlite"), clock, monotonic,
                  ProviderAccess(Provider(provider)) if provider is not None else None)
