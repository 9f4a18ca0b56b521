"""Signing in at an identity provider: OpenID Connect, authorisation code with PKCE; ID tokens by Authlib and joserfc.

Asked of the provider are its description, its keys, and for each sign-in the exchange of the code; nothing is kept of it but who
somebody is. No redirect is followed, no answer above `OCTETS_MAX` read, and a token counts only with a signature of the provider's keys.
"""

from __future__ import annotations

import base64
import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

from lapwing.model.errors import InputError, LapwingError
from lapwing.model.times import NS_PER_S

ALGORITHMS = ("RS256", "ES256")
OCTETS_MAX = 1 << 20
TIMEOUT_S = 10.0
LEEWAY_S = 60                         # between the provider's clock and ours
DESCRIPTION_NS = 3_600 * NS_PER_S     # how long the provider's description and keys are believed
KEYS_AGAIN_NS = 30 * NS_PER_S         # a key that is not known has them asked for again, but not more often
NAME_LETTERS_MAX = 80


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """An identity provider, and what its claims mean here."""

    issuer: str
    client_id: str
    redirect: str                            # the address of /api/oidc/return as the provider knows it
    name: str = "the identity provider"      # on the page, and after the name of everybody who comes from there
    secret: str = field(default="", repr=False)
    scopes: tuple[str, ...] = ("openid", "profile")
    name_claim: str = "preferred_username"
    role_claim: str = "groups"               # dots lead into objects: realm_access.roles
    roles: tuple[tuple[str, str], ...] = ()  # (value of the claim, role), the least role first


@dataclass(frozen=True, slots=True)
class Person:
    """Who came back from the provider. `role` is empty where none of its claims is mapped."""

    subject: str          # issuer and sub: the same person for ever, whatever the name
    name: str
    role: str


class ProviderDown(LapwingError):
    """The provider does not answer, or not in its own words."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Provider:
    """Asks a provider. Safe to use from several threads."""

    def __init__(self, settings: ProviderSettings) -> None:
        self.settings = settings
        self._opener = urllib.request.build_opener(_NoRedirect)
        self._lock = threading.Lock()
        self._description: dict[str, Any] = {}
        self._described_ns = self._keyed_ns = 0
        self._keys: dict[str, Any] = {}

    def begin(self, state: str, nonce: str, verifier: str, now_ns: int) -> str:
        """Return the address to send a browser to. Raises ProviderDown."""
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        settings = self.settings
        asked = {"response_type": "code", "client_id": settings.client_id, "redirect_uri": settings.redirect,
                 "scope": " ".join(settings.scopes),
                 "state": state, "nonce": nonce, "code_challenge": create_s256_code_challenge(verifier), "code_challenge_method": "S256"}
        address = str(self._describe(now_ns)["authorization_endpoint"])
        return f"{address}{'&' if '?' in address else '?'}{urllib.parse.urlencode(asked)}"

    def finish(self, code: str, nonce: str, verifier: str, now_ns: int) -> Person:
        """Return who a code stands for. Raises ProviderDown, and InputError where the token is not to be believed."""
        settings = self.settings
        values = {"grant_type": "authorization_code", "code": code, "redirect_uri": settings.redirect, "client_id": settings.client_id,
                  "code_verifier": verifier}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if settings.secret:
            pair = ":".join(urllib.parse.quote(text, safe="") for text in (settings.client_id, settings.secret))
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        answer = self._ask(str(self._describe(now_ns)["token_endpoint"]), urllib.parse.urlencode(values).encode(), headers)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise InputError("the provider gave no ID token", where=settings.issuer, remedy="its scopes must hold openid")
        claims = self._claims(token, nonce, str(answer.get("access_token") or ""), now_ns)
        subject, name = str(claims["sub"]), claims.get(settings.name_claim)
        if not isinstance(name, str) or not name.strip() or len(name) > NAME_LETTERS_MAX or not name.isprintable():
            raise InputError(f"the token has no {settings.name_claim} that is a name", where=settings.issuer,
                             remedy="have the provider send it, or name another claim in [oidc] name_claim")
        return Person(f"{settings.issuer} {subject}", f"{name.strip()} ({settings.name})", self._role(claims))

    def _role(self, claims: Mapping[str, Any]) -> str:
        value: Any = claims
        for part in self.settings.role_claim.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        values = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        held = {each for each in values if isinstance(each, str)}
        return next((role for claim, role in reversed(self.settings.roles) if claim in held), "")

    def _claims(self, token: str, nonce: str, access_token: str, now_ns: int) -> Mapping[str, Any]:
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        settings = self.settings
        last: Exception | None = None
        for again in (False, True):
            try:
                decoded = jwt.decode(token, KeySet.import_key_set(self._key_set(now_ns, again=again)), algorithms=list(ALGORITHMS))
                break
            except (JoseError, ValueError, KeyError, TypeError) as error:
                last = error              # signed with a key of today, perhaps
        else:
            raise InputError(f"the ID token is not signed with a key of the provider: {_of(last)}", where=settings.issuer,
                             remedy="if it happens again, somebody is between the provider and us, or its keys are not what it publishes")
        claims = CodeIDToken(decoded.claims, decoded.header, options={
            "iss": {"essential": True, "value": settings.issuer}, "aud": {"essential": True, "value": settings.client_id}},
            params={"nonce": nonce, "client_id": settings.client_id, "access_token": access_token})
        try:
            if "nonce" not in claims or not isinstance(claims.get("sub"), str) or not claims["sub"]:
                raise InputError("the ID token has no nonce, or no subject", where=settings.issuer, remedy="sign in anew")
            claims.validate(now=now_ns // NS_PER_S, leeway=LEEWAY_S)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"the ID token is not for this sign-in: {_of(error)}", where=settings.issuer,
                             remedy="sign in anew; if it happens again, compare [oidc] issuer and client_id, and both clocks") from error
        return dict(claims)

    # What the provider publishes

    def _describe(self, now_ns: int) -> dict[str, Any]:
        with self._lock:
            if self._description and now_ns - self._described_ns < DESCRIPTION_NS:
                return self._description
        found = self._ask(self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != self.settings.issuer:
            raise ProviderDown(f"describes itself as {found.get('issuer')!r}", where=self.settings.issuer,
                               remedy="write [oidc] issuer as it does")
        for key in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not is_safe(str(found.get(key, ""))):
                raise ProviderDown(f"its {key} is no https address", where=self.settings.issuer, remedy="ask who runs it")
        with self._lock:
            self._description, self._described_ns = found, now_ns
        return found

    def _key_set(self, now_ns: int, *, again: bool) -> Any:
        with self._lock:
            age_ns = now_ns - self._keyed_ns
            if self._keys and age_ns < (KEYS_AGAIN_NS if again else DESCRIPTION_NS):
                return self._keys
        found = self._ask(str(self._describe(now_ns)["jwks_uri"]))
        # Keys for signing alone: none that is secret, none for encryption.
        keys = [key for key in found.get("keys", []) if isinstance(key, dict) and key.get("kty") in ("RSA", "EC")
                and key.get("use") in (None, "sig")]
        with self._lock:
            self._keys, self._keyed_ns = {"keys": keys}, now_ns
        return self._keys

    def _ask(self, address: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(address, body, {"Accept": "application/json", **(headers or {})})     # noqa: S310  is_safe said so
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                text = answer.read(OCTETS_MAX + 1)
        except urllib.error.HTTPError as error:
            with error:
                if body is not None and error.code in (400, 401):
                    raise InputError(f"the provider does not take the code: {_reason(error.read(OCTETS_MAX))}", where=self.settings.issuer,
                                     remedy="sign in anew; if it happens again, compare client_id, secret and redirect") from error
                raise ProviderDown(f"answers {error.code}", where=address, remedy="sign in with a local account meanwhile") from error
        except (OSError, HTTPException, ValueError) as error:
            raise ProviderDown(f"does not answer: {getattr(error, 'reason', error)}", where=address,
                               remedy="sign in with a local account meanwhile") from error
        try:
            found = json.loads(text) if len(text) <= OCTETS_MAX else None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise ProviderDown("answers with something that is no JSON object", where=address, remedy="is the issuer right?")
        return found


def is_safe(address: str) -> bool:
    """Whether an address is https, or http on this machine."""
    try:
        parts = urllib.parse.urlsplit(address)
    except ValueError:
        return False
    near = parts.hostname in ("127.0.0.1", "::1", "localhost")
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and near))


def _of(error: Exception | None) -> str:
    """Return an error of the libraries in words; it holds names of claims, never the token."""
    return f"{type(error).__name__.removesuffix('Error')} {getattr(error, 'claim', '') or ''}".strip()


def _reason(text: bytes) -> str:
    try:
        return str(json.loads(text)["error"])[:60]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "no reason given"
