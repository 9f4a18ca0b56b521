"""The dead man's handle: reads the signed feed back, as anybody outside would, and rings when it is not renewed.

It runs as a process of its own, best on another machine, and shares no code with what writes the feed: it parses,
verifies and reckons by itself, on lxml and cryptography alone. What it trusts is one pinned certificate.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from lxml import etree

FEED_OCTETS_MAX = 20_000_000
FETCH_S = 10.0
FUTURE_S = 30.0                      # a feed dated so far ahead of our clock: one of the two clocks is wrong
RING_AGAIN_S = 60.0
_DS = "{http://www.w3.org/2000/09/xmldsig#}"
_ATOM = "{http://www.w3.org/2005/Atom}"
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"


@dataclass(frozen=True, slots=True)
class Pulse:
    """What one look at the feed gave. `alive` is False for whatever is not a fresh feed of the pinned signer."""

    alive: bool
    reason: str
    age_s: float | None = None
    entries: int = 0


class NoPulse(Exception):
    """The feed is not what it should be."""


def look(octets: bytes, certificate: x509.Certificate, now: datetime, late_s: float) -> Pulse:
    """Return whether a feed is alive: signed by the pinned certificate over the whole of it, and renewed in time."""
    try:
        feed = _verified(octets, certificate)
        updated = datetime.fromisoformat((feed.findtext(_ATOM + "updated") or "").strip())
        age_s = (now - updated).total_seconds()
    except (NoPulse, ValueError, TypeError) as error:
        return Pulse(False, str(error) or type(error).__name__)
    entries = len(feed.findall(_ATOM + "entry"))
    if age_s > late_s:
        return Pulse(False, f"not renewed for {age_s:.0f} s (at most {late_s:.0f})", age_s, entries)
    if age_s < -FUTURE_S:
        return Pulse(False, f"dated {-age_s:.0f} s ahead of this clock: one of the two is wrong", age_s, entries)
    return Pulse(True, "renewed in time", age_s, entries)


def _verified(octets: bytes, certificate: x509.Certificate) -> etree._Element:
    """Return the feed, without its signature, as the signature covers it. Raises NoPulse."""
    if len(octets) > FEED_OCTETS_MAX or b"<!DOCTYPE" in octets:
        raise NoPulse("too large, or with a document type")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        feed: etree._Element = etree.fromstring(octets, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NoPulse(f"not XML: {error}") from error
    signatures = list(feed.iter(_DS + "Signature"))
    if feed.tag != _ATOM + "feed" or len(signatures) != 1 or signatures[0].getparent() is not feed:
        raise NoPulse("not a feed with one signature")
    signature = signatures[0]
    info = signature.find(_DS + "SignedInfo")
    reference = None if info is None else info.find(_DS + "Reference")
    if info is None or reference is None or len(info.findall(_DS + "Reference")) != 1:
        raise NoPulse("the signature refers to something else")
    said = [reference.get("URI"), *(t.get("Algorithm") for t in reference.iter(_DS + "Transform")),
            *(m.get("Algorithm") for m in reference.iter(_DS + "DigestMethod")),
            *(m.get("Algorithm") for m in info.iter(_DS + "CanonicalizationMethod")),
            *(m.get("Algorithm") for m in info.iter(_DS + "SignatureMethod"))]
    if said != ["", _ENVELOPED, _EXCLUSIVE, _SHA256, _EXCLUSIVE, _RSA_SHA256]:
        raise NoPulse(f"signed in another way than ours: {said}")
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise NoPulse("the pinned certificate is not RSA")
    signed_octets = etree.tostring(info, method="c14n", exclusive=True)
    try:
        key.verify(base64.b64decode(signature.findtext(_DS + "SignatureValue") or ""), signed_octets, padding.PKCS1v15(), SHA256())
    except InvalidSignature as error:
        raise NoPulse("not signed by the pinned certificate") from error
    before = signature.getprevious()
    if signature.tail and before is not None:
        before.tail = (before.tail or "") + signature.tail
    feed.remove(signature)
    digest = base64.b64decode(reference.findtext(_DS + "DigestValue") or "")
    if hashlib.sha256(etree.tostring(feed, method="c14n", exclusive=True)).digest() != digest:
        raise NoPulse("changed after it was signed")
    return feed


def fetch(where: str) -> bytes:
    """Return the feed of a file or an address. Raises NoPulse."""
    try:
        if where.startswith(("http://", "https://")):
            with urllib.request.urlopen(where, timeout=FETCH_S) as answer:  # noqa: S310  looked at
                return bytes(answer.read(FEED_OCTETS_MAX + 1))
        with Path(where).open("rb") as file:
            return file.read(FEED_OCTETS_MAX + 1)
    except (OSError, HTTPException, ValueError) as error:      # half an answer is none: it rings, and looks again
        raise NoPulse(f"cannot be fetched: {getattr(error, 'reason', None) or getattr(error, 'strerror', None) or error}") from error


def watch(where: str, certificate: x509.Certificate, *, late_s: float, every_s: float, ring: Sequence[str], once: bool,
          clock: Callable[[], float] = time.time, sleep: Callable[[float], None] = time.sleep,
          say: Callable[[dict[str, Any]], None] | None = None) -> int:
    """Look again and again; ring while the feed is dead. Returns 0 alive or 1 dead after one look where `once`."""
    tell = say or (lambda row: print(json.dumps(row), flush=True))
    was: bool | None = None
    rang_at = 0.0
    while True:
        now_s = clock()
        try:
            pulse = look(fetch(where), certificate, datetime.fromtimestamp(now_s, UTC), late_s)
        except NoPulse as error:
            pulse = Pulse(False, str(error))
        due = not pulse.alive and (was is not False or now_s - rang_at >= RING_AGAIN_S)
        if pulse.alive is not was or once or due:
            tell({"time": datetime.fromtimestamp(now_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "feed": where, "alive": pulse.alive,
                  "reason": pulse.reason, "age_s": None if pulse.age_s is None else round(pulse.age_s, 1), "entries": pulse.entries})
        if due:
            rang_at = now_s
            _ring(ring)
        was = pulse.alive
        if once:
            return 0 if pulse.alive else 1
        sleep(every_s)


def _ring(command: Sequence[str]) -> None:
    """Ring the terminal's bell, and whatever command was given."""
    sys.stderr.write("\a")
    sys.stderr.flush()
    if command:
        try:
            subprocess.run(list(command), timeout=30.0, check=True, stdin=subprocess.DEVNULL)
        except (OSError, subprocess.SubprocessError) as error:
            print(f"THE BELL DOES NOT RING: {error}", file=sys.stderr, flush=True)


def pinned(path: Path) -> x509.Certificate:
    """Return the certificate of a file, PEM or DER. Raises ValueError."""
    octets = path.read_bytes()
    return x509.load_pem_x509_certificate(octets) if b"-----BEGIN" in octets else x509.load_der_x509_certificate(octets)
