"""The live zone set held against its signed hash: at the start, and each night. A drill's zones must not be left in it.

Whom a warning reaches follows from the zones. An authority checks a set once and seals it: a small file with its hash,
signed. From then on a set that is another one, by a pack that was replaced or zones that a drill left behind, is an alarm.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from lapwing.adapters import packs
from lapwing.country import pack_sha256
from lapwing.country.pack import Pack, Zone
from lapwing.model.errors import ConfigError, LapwingError
from lapwing.model.times import DAY_NS, to_iso

DRILL_WORDS = ("DRILL", "EXERCISE", "TEST")


@dataclass(frozen=True, slots=True)
class ZoneSettings:
    """Where a site keeps the seal of its zones and the certificate that it is pinned to; empty: none."""

    seal: str = ""
    certificate: str = ""


def zone_set(pack: Pack) -> dict[str, Any]:
    """Return what a seal says of a pack's zones: country, how many, people, and the hash of all that decides whom they reach."""
    digest = hashlib.sha256()
    for zone in sorted(pack.zones, key=lambda each: each.code):
        rings = range(int(pack.areas.ring_start[zone.area_index]), int(pack.areas.ring_start[zone.area_index + 1]))
        digest.update(_signed({"code": zone.code, "name": zone.name, "level": zone.level, "parent": zone.parent, "county": zone.county,
                               "population": zone.population, "geocodes": dict(zone.geocodes), "addressable": zone.addressable}))
        for ring in rings:
            first, last = int(pack.areas.vertex_start[ring]), int(pack.areas.vertex_start[ring + 1])
            digest.update(pack.areas.vertex_deg[first:last].astype("<f8").tobytes())
        digest.update(b"\n")
    return {"country": pack.code, "zones": len(pack.zones), "people": sum(z.population for z in pack.zones if z.addressable),
            "sha256": digest.hexdigest()}


def _signed(said: dict[str, Any]) -> bytes:
    """Return the octets that are hashed or signed: they must not depend on the order in which a file gives the keys."""
    return json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def drill_zones(pack: Pack) -> tuple[str, ...]:
    """Return the codes of zones that are a drill's: DRILL, EXERCISE or TEST is a word of the code."""
    def drills(zone: Zone) -> bool:
        return any(word in DRILL_WORDS for word in zone.code.upper().replace("_", "-").split("-"))

    return tuple(zone.code for zone in pack.zones if drills(zone))


def make_seal(pack: Pack, key_file: Path, sealed_ns: int) -> bytes:
    """Return the signed seal of a pack's zones. Raises ConfigError where the key cannot be used, or a drill's zones are in it."""
    left = drill_zones(pack)
    if left:
        raise ConfigError(f"holds zones of a drill: {', '.join(left[:5])}", where=f"country {pack.code}",
                          remedy="take them out: a drill has a pack and an instance of its own")
    try:
        key = load_pem_private_key(key_file.read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"no key: {error}", where=str(key_file), remedy="`lapwing cap key` makes one") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ConfigError("not an RSA key", where=str(key_file), remedy="`lapwing cap key` makes one")
    said = {**zone_set(pack), "sealed": to_iso(sealed_ns, digits=0)}
    signature = key.sign(_signed(said), padding.PKCS1v15(), SHA256())
    return json.dumps({**said, "signature": signature.hex()}, indent=1, sort_keys=True).encode() + b"\n"


def check_seal(pack: Pack, seal_file: Path, certificate_file: Path) -> str:
    """Return why the zones are not those that were sealed; empty where they are. Never raises for what the files hold."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        said = json.loads(seal_file.read_bytes())
        signature = bytes.fromhex(said.pop("signature"))
        key = certificate.public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            return f"the certificate {certificate_file} is not RSA"
        key.verify(signature, _signed(said), padding.PKCS1v15(), SHA256())
    except InvalidSignature:
        return f"the seal {seal_file} was not signed by the pinned certificate, or was changed"
    except OSError as error:
        return f"the seal cannot be checked: {error.filename}: {error.strerror}"
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return f"the seal cannot be read: {error}"
    now = zone_set(pack)
    for key_name, was in now.items():
        if said.get(key_name) != was:
            return (f"{key_name} is {str(was)[:16]}, sealed {said.get('sealed', '?')} as {str(said.get(key_name))[:16]}: "
                    f"these are not the zones that were sealed")
    return ""


class ZoneWatch:
    """Looks at the start and whenever a day of UTC begins (night in Europe): the zones in use, and those on the disk.

    In a thread of its own: to hash a country's zones takes longer than the loop may stand still.
    """

    def __init__(self, settings: ZoneSettings, pack: Pack | None, country: str, clock: Callable[[], int] = time.time_ns) -> None:
        self._settings, self._pack, self._country, self._clock = settings, pack, country, clock
        self._looked_day = -1
        self._found = ""

    def problem(self) -> str:
        """Return what was wrong when it looked last; empty: nothing was, or nothing was sealed. Looks again where it is due."""
        day = self._clock() // DAY_NS
        if self._pack is not None and self._settings.seal and day != self._looked_day:
            self._looked_day = day
            threading.Thread(target=self.look, name="zones", daemon=True).start()
        return self._found

    def look(self) -> None:
        """Look now."""
        assert self._pack is not None
        try:
            self._found = self._look(self._pack)
        except Exception as error:  # a fault of this check must show as one, not end a thread unseen
            self._found = f"cannot be checked: {type(error).__name__}: {error}"

    def _look(self, pack: Pack) -> str:
        left = drill_zones(pack)
        if left:
            return f"zones of a drill are in use: {', '.join(left[:5])}"
        problem = check_seal(pack, Path(self._settings.seal), Path(self._settings.certificate))
        if problem:
            return problem
        try:
            disk_sha256 = pack_sha256(packs.find_pack(self._country))
        except LapwingError as error:
            return f"the pack on the disk is not the one in use: {error}"
        return "" if disk_sha256 == pack.sha256 else "the pack on the disk is another one than that in use: it counts after a restart"
