"""Signatures: ours hold, changed ones do not, and only pinned certificates are trusted, at the time of sending."""

from copy import deepcopy
from datetime import UTC, datetime

import pytest
from cap_faults import FULL
from lxml import etree

from lapwing.model.errors import InputError
from lapwing.runtime.keys import make_key
from lapwing.warn.cap_check import check
from lapwing.warn.cap_elements import CAP, DSIG, SIGNATURE
from lapwing.warn.cap_signature import Signer, read_certificates, verify
from lapwing.warn.cap_xml import Hostile


class Pair:
    """A key and its certificate, valid for 2025 unless told."""

    def __init__(self, folder, name="Examplia", begins=datetime(2025, 1, 1, tzinfo=UTC), days=365):
        make_key(name, days, folder / f"{name}.key", folder / f"{name}.pem", begins=begins, bits=2048)
        self.key, self.certificate = (folder / f"{name}.key").read_bytes(), (folder / f"{name}.pem").read_bytes()
        self.signer, self.pinned = Signer(self.key, self.certificate), read_certificates(self.certificate)


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    return Pair(tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    return Pair(tmp_path_factory.mktemp("other"), "Other")


@pytest.fixture(scope="module")
def signed(ours):
    return ours.signer.sign(FULL.encode())


def test_a_signed_document_is_valid_good_and_trusted(ours, signed):
    assert check(signed).findings == ()
    found = verify(signed, ours.pinned)
    assert (found.signature, found.trusted) == ("good", True)
    assert etree.fromstring(signed)[-1].tag == SIGNATURE


def test_the_same_document_gives_the_same_octets(ours, signed):
    assert ours.signer.sign(FULL.encode()) == signed


def test_only_a_pinned_certificate_is_trusted(ours, other, signed):
    assert (verify(signed, other.pinned).signature, verify(signed, other.pinned).trusted) == ("good", False)
    assert not verify(signed, []).trusted
    assert verify(signed, other.pinned + ours.pinned).trusted
    assert verify(FULL.encode(), ours.pinned).signature == "none"


def test_every_changed_letter_of_the_message_is_noticed(ours, signed):
    text = signed.decode()
    for old, new in (("Drone", "Drome"), ("45.1,28.1", "45.2,28.1"), ("Actual", "Test"), (">Update<", ">Cancel<"),
                     ("<note>a note</note>", ""), ("</info>", "<!-- --></info> "), ("DigestValue>", "DigestValue>A")):
        assert old in text
        found = verify(text.replace(old, new, 1).encode(), ours.pinned)
        assert (found.signature, found.trusted) == ("bad", False), (old, found)


def test_a_certificate_is_judged_when_the_message_was_sent(tmp_path):
    past = Pair(tmp_path, "Past", datetime(2020, 1, 1, tzinfo=UTC), 365)
    late = verify(past.signer.sign(FULL.encode()), past.pinned)
    assert (late.signature, late.trusted) == ("good", False) and "not valid" in late.reason
    older = FULL.replace("2025-08-05T19:52:02-00:00</sent>", "2020-08-05T19:52:02-00:00</sent>")
    assert verify(past.signer.sign(older.encode()), past.pinned).trusted


def test_wrapping_and_partial_signatures_are_bad(ours, signed):
    evil = etree.fromstring(FULL.replace("Go in.", "Go out.").encode())
    inner = etree.fromstring(signed)
    moved = deepcopy(inner.find(SIGNATURE))
    attacks = {}
    wrapped = deepcopy(evil)
    holder = deepcopy(moved)
    etree.SubElement(holder, DSIG + "Object").append(deepcopy(inner))
    wrapped.append(holder)
    attacks["the signed alert in an Object"] = wrapped
    for uri in ("#a", "#xpointer(/)", "http://evil.example/a.xml"):
        changed = deepcopy(inner)
        next(changed.iter(DSIG + "Reference")).set("URI", uri)
        attacks[f"URI {uri}"] = changed
    changed = deepcopy(inner)
    del next(changed.iter(DSIG + "Reference")).attrib["URI"]
    attacks["no URI"] = changed
    two = deepcopy(inner)
    two.append(deepcopy(moved))
    attacks["two signatures"] = two
    nested = deepcopy(evil)
    nested.find(CAP + "info").append(deepcopy(inner))
    attacks["the signed alert inside info"] = nested
    for algorithm in ("http://www.w3.org/TR/1999/REC-xpath-19991116", "http://www.w3.org/TR/1999/REC-xslt-19991116",
                      "http://www.w3.org/2000/09/xmldsig#base64"):
        changed = deepcopy(inner)
        transforms = next(changed.iter(DSIG + "Transforms"))
        etree.SubElement(transforms, DSIG + "Transform").set("Algorithm", algorithm)
        attacks[algorithm] = changed
    bare = deepcopy(evil)
    bare.append(deepcopy(moved))
    attacks["another alert with the signature"] = bare
    empty = deepcopy(inner)
    next(empty.iter(DSIG + "SignatureValue")).text = ""
    attacks["no value"] = empty
    hollow = deepcopy(evil)
    etree.SubElement(hollow, SIGNATURE)
    attacks["an empty signature"] = hollow
    weak = etree.fromstring(signed.replace(b"xmlenc#sha256", b"xmldsig#sha1").replace(b"2001/04/xmldsig#sha1", b"2000/09/xmldsig#sha1"))
    attacks["a weak digest"] = weak
    hmac = etree.fromstring(signed.replace(b"xmldsig-more#rsa-sha256", b"xmldsig-more#hmac-sha256"))
    attacks["HMAC in place of a signature"] = hmac
    for name, root in attacks.items():
        found = verify(etree.tostring(root), ours.pinned)
        assert (found.signature, found.trusted) == ("bad", False), (name, found)


def test_the_public_signed_sample_verifies_with_its_own_certificate_pinned(shared):
    document = (shared / "data/cap/samples/us-ipaws-cancel-signed.xml").read_bytes()
    inside = next(etree.fromstring(document).iter(DSIG + "X509Certificate")).text
    pem = f"-----BEGIN CERTIFICATE-----\n{inside}\n-----END CERTIFICATE-----\n".encode()
    assert verify(document, []).signature == "good" and not verify(document, []).trusted
    assert verify(document, read_certificates(pem)).trusted


def test_feeds_are_signed_too_and_signing_twice_is_refused(ours, shared, signed):
    feed = b'<feed xmlns="http://www.w3.org/2005/Atom"><updated>2025-08-05T19:52:02Z</updated></feed>'
    assert verify(ours.signer.sign(feed), ours.pinned).trusted
    with pytest.raises(InputError, match="signed already"):
        ours.signer.sign(signed)


def test_keys_that_do_not_belong_together_are_refused(ours, other):
    with pytest.raises(InputError, match="belong"):
        Signer(ours.key, other.certificate)
    with pytest.raises(InputError, match="private key"):
        Signer(b"nothing", ours.certificate)
    with pytest.raises(InputError, match="certificate"):
        read_certificates(b"nothing")


def test_hostile_documents_are_refused_before_their_signature_is_looked_at(ours):
    with pytest.raises(Hostile):
        verify(b"<!DOCTYPE a><a/>", ours.pinned)
