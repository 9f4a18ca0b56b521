"""A certificate authority of a test's own, and servers' certificates by it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Paper:
    certificate: Path
    key: Path


class Authority:
    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._own = self._signed(name, self._key.public_key(), None)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self._own.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, *, address: str = "127.0.0.1") -> Paper:
        """Return a certificate for an address."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._signed(name, key.public_key(), address)
        paper = Paper(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        paper.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        paper.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                serialization.NoEncryption()))
        return paper

    def _signed(self, name, public, address):
        now = datetime.now(UTC)
        who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        ours = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self._name)])
        draft = (x509.CertificateBuilder().subject_name(who).issuer_name(ours).public_key(public)
                 .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(hours=1))
                 .not_valid_after(now + timedelta(hours=2))
                 .add_extension(x509.BasicConstraints(ca=address is None, path_length=None), critical=True)
                 .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
                 .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
                 .add_extension(x509.KeyUsage(True, False, False, False, False, address is None, False, False, False), critical=True))
        if address is not None:
            draft = draft.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        return draft.sign(self._key, hashes.SHA256())
