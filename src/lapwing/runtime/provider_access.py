"""The way through an identity provider to an account: what was begun, by which browser, and what came back."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass

from lapwing.adapters.oidc import Person, Provider
from lapwing.model.errors import InputError
from lapwing.model.times import NS_PER_S

BEGUN_MAX = 1_000
BEGUN_NS = 600 * NS_PER_S      # a person types a password and a second factor


@dataclass(frozen=True, slots=True)
class _Begun:
    browser: str
    nonce: str
    verifier: str
    begun_ns: int


class ProviderAccess:
    """Sign-ins that are under way. Kept in memory: a restart has them begun anew."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._begun: OrderedDict[str, _Begun] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The provider's name, for the page."""
        return self.provider.settings.name

    def begin(self, now_ns: int) -> tuple[str, str]:
        """Return the address to send a browser to, and the secret that it must bring back. Raises LapwingError."""
        state, browser = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        begun = _Begun(browser, secrets.token_urlsafe(32), secrets.token_urlsafe(48), now_ns)
        address = self.provider.begin(state, begun.nonce, begun.verifier, now_ns)
        with self._lock:
            self._begun[state] = begun
            while len(self._begun) > BEGUN_MAX:
                self._begun.popitem(last=False)
        return address, browser

    def finish(self, code: str, state: str, issuer: str, browser: str, now_ns: int) -> Person:
        """Return who came back. Raises InputError where it was not begun here, by this browser, lately; and LapwingError.

        A state is used up by the first try, whatever comes of it.
        """
        with self._lock:
            begun = self._begun.pop(state, None)
        if begun is None or now_ns - begun.begun_ns > BEGUN_NS:
            raise InputError("this sign-in was not begun here, or too long ago", remedy="sign in anew")
        if not hmac.compare_digest(begun.browser.encode(), browser.encode("utf-8", "replace")):
            raise InputError("this sign-in was begun in another browser", remedy="sign in anew")
        if issuer and issuer != self.provider.settings.issuer:
            raise InputError("another provider answered", remedy="sign in anew; if it happens again, tell who runs this site")
        if not code:
            raise InputError("the provider sent no code: it was refused there", remedy="sign in anew")
        return self.provider.finish(code, begun.nonce, begun.verifier, now_ns)
