"""Feeds and envelopes of every kind are listed, and alerts inside them are found."""

from html import escape

import pytest
from cap_faults import FULL

from lapwing.warn.cap_feed import NotAFeed, entries
from lapwing.warn.cap_rules import text_of
from lapwing.warn.cap_xml import Hostile

BODY = FULL.split("?>\n", 1)[1]
ATOM = f"""<feed xmlns="http://www.w3.org/2005/Atom" xmlns:cap="urn:oasis:names:tc:emergency:cap:1.2"><id>f</id><title>t</title>
<updated>2025-08-05T19:52:02Z</updated>
<entry><id>one</id><title>One</title><updated>2025-08-05T22:52:02+03:00</updated><link href="a.html"/>
<link href="a.xml" type="application/cap+xml"/><cap:event>Wind</cap:event><cap:urgency>Future</cap:urgency></entry>
<entry><id>two</id><title>Two</title><updated>x</updated><content type="application/cap+xml">{BODY}</content></entry>
<entry><id>three</id><title>Three</title><content type="text">{escape(FULL)}</content></entry></feed>"""
RSS = f"""<rss version="2.0"><channel><title>t</title>
<item><guid>one</guid><title>One</title><pubDate>Tue, 05 Aug 2025 22:52:02 +0300</pubDate><link>https://a.example/1.xml</link></item>
<item><title>Two</title><link>https://a.example/2.html</link>
<enclosure url="https://a.example/2.xml" type="application/cap+xml" length="1"/>
<description><![CDATA[{FULL}]]></description></item></channel></rss>"""
DE1 = "urn:oasis:names:tc:emergency:EDXL:DE:1.0"
EDXL = f"""<EDXLDistribution xmlns="{DE1}"><distributionID>d1</distributionID><senderID>us</senderID>
<dateTimeSent>2025-08-05T19:52:02-00:00</dateTimeSent>
<contentObject><contentDescription>an alert</contentDescription>
<xmlContent><embeddedXMLContent>{BODY}</embeddedXMLContent></xmlContent></contentObject>
<contentObject><nonXMLContent><mimeType>image/png</mimeType><uri>https://a.example/map.png</uri></nonXMLContent></contentObject>
</EDXLDistribution>"""


def test_atom_entries_with_links_quotes_and_alerts_inside():
    one, two, three = entries(ATOM.encode())
    assert (one.id, one.link, one.updated) == ("one", "a.xml", "2025-08-05T19:52:02Z")
    assert dict(one.summary) == {"event": "Wind", "urgency": "Future"}
    assert text_of(two.alert, "identifier") == text_of(three.alert, "identifier") == "urn:uuid:1f3a"


def test_rss_items_with_dates_and_enclosures():
    one, two = entries(RSS.encode())
    assert (one.id, one.link, one.updated, one.alert) == ("one", "https://a.example/1.xml", "2025-08-05T19:52:02Z", None)
    assert (two.link, text_of(two.alert, "identifier")) == ("https://a.example/2.xml", "urn:uuid:1f3a")


@pytest.mark.parametrize("version", [DE1, "urn:oasis:names:tc:emergency:EDXL:DE:2.0"])
def test_envelopes_with_an_alert_and_a_picture(version):
    alert, picture = entries(EDXL.replace(DE1, version).encode())
    assert (text_of(alert.alert, "identifier"), alert.updated, alert.title) == ("urn:uuid:1f3a", "2025-08-05T19:52:02Z", "an alert")
    assert (picture.alert, picture.link, picture.id) == (None, "https://a.example/map.png", "d1#2")


def test_the_public_sample_names_its_alert(shared):
    entry, = entries((shared / "data/cap/samples/us-atom-index.atom").read_bytes())
    assert entry.link.endswith("/cap/us2010apcd")


def test_what_is_no_feed_or_hostile_is_refused():
    with pytest.raises(NotAFeed):
        list(entries(FULL.encode()))
    with pytest.raises(Hostile):
        list(entries(b"<!DOCTYPE rss><rss/>"))
