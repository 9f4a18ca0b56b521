"""Makes a signing key and its certificate. An authority with keys of its own uses those; this is for the others."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from lapwing.model.errors import InputError

# RSA of 3,072 bits: 128 bits of strength (NIST SP 800-57), signs in about 3 ms, and gives the same octets each time.
KEY_BITS = 3_072


def make_key(name: str, days: int, key_file: Path, certificate_file: Path, *, begins: datetime | None = None,
             bits: int = KEY_BITS) -> None:
    """Write a private key and a certificate that it signed itself. Raises InputError where a file exists already."""
    for path in (key_file, certificate_file):
        if path.exists():
            raise InputError("exists already", where=str(path), remedy="name another file: a key is never written over")
    if not 1 <= days <= 7_300 or not 1 <= len(name) <= 64:
        raise InputError(f"{days} days, name of {len(name)} characters", where="key", remedy="1 to 7,300 days, a name of 1 to 64")
    key = rsa.generate_private_key(65_537, bits)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = begins or datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    certificate = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(start + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(True, True, False, False, False, False, False, False, False), critical=True)
        .sign(key, SHA256()))
    with os.fdopen(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
