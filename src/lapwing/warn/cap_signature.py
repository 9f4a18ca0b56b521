"""Signs CAP documents and feeds, and verifies them against pinned certificates (XML-DSig, enveloped, by signxml).

Trust comes from pinned certificates alone, never from the one inside the message: anybody can put one there. A
certificate is judged at the time that the message says it was sent, so that an old message can still be verified.
Refused as bad, whatever the arithmetic says: a signature that covers a part of the document only, one that is not a
child of the root, more than one, transforms other than enveloped and canonicalization, SHA-1, HMAC.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from lapwing.model.errors import InputError
from lapwing.warn.cap_elements import CAP, DSIG, SIGNATURE
from lapwing.warn.cap_xml import Hostile, parse

ATOM = "{http://www.w3.org/2005/Atom}"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
EXCLUSIVE = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
# Canonicalizations that may stand in a signature -> (exclusive, with comments).
CANONICAL = {
    CanonicalizationMethod.CANONICAL_XML_1_0.value: (False, False),
    CanonicalizationMethod.CANONICAL_XML_1_0_WITH_COMMENTS.value: (False, True),
    CanonicalizationMethod.CANONICAL_XML_1_1.value: (False, False),
    CanonicalizationMethod.CANONICAL_XML_1_1_WITH_COMMENTS.value: (False, True),
    EXCLUSIVE.value: (True, False),
    CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0_WITH_COMMENTS.value: (True, True),
}
DIGESTS = {
    DigestAlgorithm.SHA224.value: "sha224",
    DigestAlgorithm.SHA256.value: "sha256",
    DigestAlgorithm.SHA384.value: "sha384",
    DigestAlgorithm.SHA512.value: "sha512",
    "http://www.w3.org/2000/09/xmldsig#sha1": "sha1",
}
_METHODS = frozenset(m for m in SignatureMethod if "SHA1" not in m.name and "HMAC" not in m.name)
_DIGESTS = frozenset(d for d in DigestAlgorithm if "SHA1" not in d.name)
_WRONG = (SignXMLException, ValueError, TypeError, AttributeError, IndexError, UnsupportedAlgorithm, etree.LxmlError)


@dataclass(frozen=True, slots=True)
class Verified:
    """What a signature is worth: `signature` good | bad | none; `trusted`: a pinned certificate made it, valid when sent."""

    signature: str
    trusted: bool
    reason: str
    subject: str = ""                # of the pinned certificate that verified it


class Signer:
    """Holds a key and its certificate, and signs documents with them.

    With an RSA key the same document always gives the same octets.
    """

    def __init__(self, key_pem: bytes, certificate_pem: bytes, passphrase: bytes | None = None) -> None:
        """Raises InputError where the key or certificate cannot be used, or they do not belong together."""
        try:
            key = load_pem_private_key(key_pem, passphrase)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise InputError(f"not a private key in PEM: {error}", where="key", remedy="see docs/messages.md, Keys") from error
        self.certificates = read_certificates(certificate_pem)
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise InputError("neither an RSA nor an elliptic key", where="key", remedy="make one of RSA, 2,048 bits or more")
        if key.public_key() != self.certificates[0].public_key():
            raise InputError("does not belong to the certificate", where="key", remedy="name the pair that was made together")
        self._key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = key
        method = SignatureMethod.RSA_SHA256 if isinstance(key, rsa.RSAPrivateKey) else SignatureMethod.ECDSA_SHA256
        self._signer = XMLSigner(method=SignatureConstructionMethod.enveloped, signature_algorithm=method,
                                 digest_algorithm=DigestAlgorithm.SHA256, c14n_algorithm=EXCLUSIVE)

    def sign(self, document: bytes, *, ours: bool = False) -> bytes:
        """Return the document with an enveloped signature as its last element. Raises Hostile, InputError.

        `ours`: it was made here a moment ago, and need not be looked at for hostile content.
        """
        root = parse(document, keep_all=True, ours=ours)
        if next(root.iter(SIGNATURE), None) is not None:
            raise InputError("is signed already", where="document", remedy="sign the document as it was written")
        signed = self._signer.sign(root, key=self._key, cert=self.certificates)
        return bytes(etree.tostring(signed, xml_declaration=True, encoding="UTF-8")) + b"\n"

    def valid_at(self, time: datetime) -> bool:
        """Whether the certificate may be used at a time."""
        return _valid_at(self.certificates[0], time)


def read_certificates(octets: bytes) -> list[x509.Certificate]:
    """Return the certificates of a file, PEM (one or more) or DER. Raises InputError."""
    try:
        if b"-----BEGIN CERTIFICATE" in octets:
            return x509.load_pem_x509_certificates(octets)
        return [x509.load_der_x509_certificate(octets)]
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError(f"not a certificate in PEM or DER: {error}", where="certificate") from error


def verify(document: bytes, pinned: Sequence[x509.Certificate]) -> Verified:
    """Return what the signature of a document is worth. Raises Hostile where it cannot be parsed."""
    root = parse(document, keep_all=True)
    signatures = list(root.iter(SIGNATURE))
    if not signatures:
        return Verified("none", False, "there is no signature")
    wrong = _wrong_shape(root, signatures)
    if wrong:
        return Verified("bad", False, wrong)
    sent = _sent(root)
    for certificate in pinned:
        if _holds(document, certificate, certificate.not_valid_before_utc) == "":
            subject = certificate.subject.rfc4514_string()
            if sent is None:
                return Verified("good", False, "the document does not say when it was sent", subject)
            if not _valid_at(certificate, sent):
                return Verified("good", False, f"the pinned certificate was not valid at {sent.isoformat()}", subject)
            return Verified("good", True, "signed with a pinned certificate", subject)
    return _by_its_own(document, signatures[0], bool(pinned))


def _by_its_own(document: bytes, signature: etree._Element, some_pinned: bool) -> Verified:
    """Return whether the document is as its unknown signer signed it: good, but never trusted."""
    whose = "no pinned certificate made it" if some_pinned else "no certificate was pinned"
    try:
        inside = [x509.load_der_x509_certificate(base64.b64decode("".join((c.text or "").split())))
                  for c in signature.iter(DSIG + "X509Certificate")]
    except (ValueError, binascii.Error, UnsupportedAlgorithm) as error:
        return Verified("bad", False, f"{whose}; the certificate inside cannot be read: {error}")
    reasons = [_holds(document, certificate, certificate.not_valid_before_utc) for certificate in inside]
    if not inside:
        reasons = [_holds(document, None, datetime(2000, 1, 1, tzinfo=UTC))]
    if "" in reasons:
        return Verified("good", False, f"{whose}: anybody may have signed it")
    return Verified("bad", False, reasons[0])


def _holds(document: bytes, certificate: x509.Certificate | None, at: datetime) -> str:
    """Return "" where the signature is that of the certificate (None: of the key inside), else the reason."""
    config = SignatureConfiguration(require_x509=certificate is not None, location="./", expect_references=1,
                                    signature_methods=_METHODS, digest_algorithms=_DIGESTS,
                                    ignore_ambiguous_key_info=True, verification_time=at)
    try:
        # A tree of its own for each: verification takes the signature out of it.
        XMLVerifier().verify(parse(document, keep_all=True), x509_cert=certificate, expect_config=config)
    except _WRONG as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _wrong_shape(root: etree._Element, signatures: list[etree._Element]) -> str:
    """Return why a signature cannot stand for the whole document, or ""."""
    if len(signatures) > 1:
        return f"{len(signatures)} signatures: one is expected"
    signature = signatures[0]
    if signature.getparent() is not root:
        return "the signature is not a child of the root: it may have been moved"
    references = list(signature.iter(DSIG + "Reference"))
    if len(references) != 1 or references[0].getparent() is not signature.find(DSIG + "SignedInfo"):
        return f"{len(references)} references: the whole document, once, is expected"
    if references[0].get("URI") != "":
        return f"it covers {references[0].get('URI')!r}, not the whole document"
    if next(signature.iter(DSIG + "Object", DSIG + "Manifest"), None) is not None:
        return "it carries an object of its own"
    algorithms = [t.get("Algorithm") for t in references[0].iter(DSIG + "Transform")]
    if algorithms[:1] != [ENVELOPED] or len(algorithms) > 2 or any(a not in CANONICAL for a in algorithms[1:]):
        return f"transforms {algorithms}: enveloped, then a canonicalization, are expected"
    return ""


def _sent(root: etree._Element) -> datetime | None:
    """Return when an alert was sent, or a feed updated."""
    text = root.findtext(CAP + "sent") or root.findtext(ATOM + "updated") or ""
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return time if time.tzinfo is not None else None


def _valid_at(certificate: x509.Certificate, time: datetime) -> bool:
    return certificate.not_valid_before_utc <= time <= certificate.not_valid_after_utc


def digest_differs(root: etree._Element) -> bool:
    """Whether the document is provably not the one that was signed. Needs no key; False where that cannot be told."""
    signatures = list(root.iter(SIGNATURE))
    if _wrong_shape(root, signatures):
        return False
    reference = next(signatures[0].iter(DSIG + "Reference"))
    method = reference.find(DSIG + "DigestMethod")
    name = DIGESTS.get("" if method is None else str(method.get("Algorithm")))
    algorithms = [str(t.get("Algorithm")) for t in reference.iter(DSIG + "Transform")][1:] or [EXCLUSIVE.value]
    exclusive, comments = CANONICAL[algorithms[0]]
    try:
        said = base64.b64decode("".join((reference.findtext(DSIG + "DigestValue") or "").split()), validate=True)
    except (ValueError, binascii.Error):
        return True
    if name is None or comments or next(reference.iter("{*}InclusiveNamespaces"), None) is not None:
        return False
    bare = without_signature(root)
    ways = {exclusive} if len(reference.findall(f"{DSIG}Transforms/{DSIG}Transform")) > 1 else {True, False}
    return all(hashlib.new(name, etree.tostring(bare, method="c14n", exclusive=way, with_comments=False)).digest() != said
               for way in sorted(ways))


def without_signature(root: etree._Element) -> etree._Element:
    """Return a copy of a document without its signature; the text after it stays where it was."""
    bare = deepcopy(root)
    for signature in bare.findall(SIGNATURE):
        before = signature.getprevious()
        if signature.tail and before is not None:
            before.tail = (before.tail or "") + signature.tail
        elif signature.tail:
            bare.text = (bare.text or "") + signature.tail
        bare.remove(signature)
    return bare


def pem_of(certificate: x509.Certificate) -> bytes:
    """Return a certificate in PEM."""
    return certificate.public_bytes(Encoding.PEM)


__all__ = ["Hostile", "Signer", "Verified", "digest_differs", "pem_of", "read_certificates", "verify", "without_signature"]
