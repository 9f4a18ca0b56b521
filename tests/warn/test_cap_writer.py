"""Whatever the writer writes is valid by both engines and all rules, for any message that it can be given."""

import math
import string

import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from lapwing.warn import cap
from lapwing.warn.cap_check import check
from lapwing.warn.cap_read import read

T = 1_754_423_522 * 10**9
SCHEMA = xmlschema.XMLSchema(cap.schema_bytes())
text = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60).map(lambda t: "x" + t)
# Names of identifiers: anything printable but what CAP forbids.
name = st.text("".join(c for c in string.printable if c not in " ,<&\t\n\r\x0b\x0c"), min_size=1, max_size=40)
times = st.integers(T, T + 10**6 * 10**9)


@st.composite
def rings(draw):
    """A triangle to a hexagon that does not cross itself, with four decimals."""
    lat, lon = draw(st.floats(-80, 80)), draw(st.floats(-170, 170))
    size, corners = draw(st.floats(0.01, 2.0)), draw(st.integers(3, 6))
    points = [(round(lat + size * math.sin(2 * math.pi * i / corners), 4), round(lon + size * math.cos(2 * math.pi * i / corners), 4))
              for i in range(corners)]
    return (*points, points[0])


areas = st.builds(
    cap.Area, text, st.lists(rings(), max_size=3).map(tuple), st.lists(st.tuples(text, text), max_size=3).map(tuple),
    st.lists(st.tuples(st.floats(-89, 89), st.floats(-179, 179), st.floats(0, 500)), max_size=2).map(tuple),
    st.just(100.0), st.one_of(st.none(), st.floats(200, 40_000)))


@st.composite
def infos(draw):
    begins = draw(times)
    onset = begins + draw(st.integers(0, 3_600)) * 10**9
    return cap.Info(
        draw(st.sampled_from(["ro", "en-GB", "uk", "sr-Latn"])), draw(text),
        draw(st.sampled_from([("Shelter",), ("Prepare", "Monitor"), ("AllClear",)])),
        draw(st.sampled_from(["Immediate", "Expected", "Past"])), draw(st.sampled_from(["Severe", "Minor"])),
        draw(st.sampled_from(["Observed", "Likely"])), draw(text), draw(text)[:160], draw(text), draw(text),
        tuple(draw(st.lists(areas, min_size=1, max_size=3))), draw(st.sampled_from([("Safety",), ("Safety", "Security")])),
        begins, onset, onset + draw(st.integers(60, 86_400)) * 10**9, draw(text), tuple(draw(st.lists(st.tuples(text, text), max_size=3))),
        draw(text), tuple(draw(st.lists(st.tuples(text, text), max_size=2))), "https://a.example/x",
        (cap.Resource("map", "image/png", "https://a.example/m.png", 12, "a" * 40),))


@st.composite
def messages(draw):
    scope = draw(st.sampled_from(["Public", "Restricted", "Private"]))
    kind = draw(st.sampled_from(["Alert", "Update", "Cancel"]))
    references = tuple(cap.reference(draw(name), f"{draw(name)}-{n}", T - n * 10**9) for n in range(draw(st.integers(1, 4)))) \
        if kind != "Alert" else ()
    return cap.Message(
        draw(name) + "own", draw(name), T, draw(st.sampled_from(["Actual", "Exercise", "Test"])), kind,
        tuple(draw(st.lists(infos(), min_size=1, max_size=3))), references, "one incident", draw(text), scope, draw(text), "those on duty",
        ("a b", "c") if scope == "Private" else (), ("profile:1", "profile:2"))


def told(document):
    """Return the errors and warnings; what is repeated in random lists is not the writer's."""
    return [f for f in check(document).findings if f.severity != "info"]


@settings(max_examples=50, deadline=None)
@given(messages())
def test_every_document_is_valid_by_all_rules_and_by_another_engine(message):
    document = cap.write(message)
    assert not told(document), told(document)
    assert SCHEMA.is_valid(etree.ElementTree(etree.fromstring(document)))
    assert cap.write(message) == document


@settings(max_examples=20, deadline=None)
@given(messages())
def test_every_document_read_back_says_the_same(message):
    root, back = etree.fromstring(cap.write(message)), etree.fromstring(read(cap.write(message)).octets)
    assert [(e.tag, (e.text or "").strip()) for e in root.iter()] == [(e.tag, (e.text or "").strip()) for e in back.iter()]
