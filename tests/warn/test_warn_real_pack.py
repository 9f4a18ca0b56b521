"""The warner on the country packs that are shipped: real cells, real outlines, every language."""

import numpy as np
import pytest
from shapely import Polygon, unary_union
from warn_fakes import START_NS, S, make_object, moved, tracks_of

from lapwing.adapters.packs import load_country
from lapwing.geo.areas import outline_deg
from lapwing.geo.border import signed_distance
from lapwing.model.reports import Command
from lapwing.model.verdicts import Judgement
from lapwing.warn import Settings, State, step
from lapwing.warn.cap_check import check


def fly(pack, lat_deg, lon_deg, east_mps, north_mps, seconds):
    """Fly one object straight past the real border; the officers approve after 20 and 35 s. Return what came out."""
    row, state, alerts, proposals, queue = make_object(lat_deg=lat_deg, lon_deg=lon_deg, east_mps=east_mps,
                                                       north_mps=north_mps), State(), [], [], []
    for second in range(seconds + 800):
        now_ns = START_NS + second * S
        rows = []
        if second < seconds:
            row = moved(row, 1.0)
            rows = [{**row, "now_ns": now_ns, "updated": second % 5 == 0, "last_plot_ns": now_ns - second % 5 * S}]
        tracks, judgement = tracks_of(rows)
        if rows:
            border = signed_distance(pack.territory, tracks.latitude_rad, tracks.longitude_rad)
            values = {name: getattr(judgement.states, name) for name in type(judgement.states).__slots__}
            judgement = Judgement(type(judgement.states)(**values | {
                "border_m": border.signed_distance_m, "nearest_latitude_rad": border.nearest_latitude_rad,
                "nearest_longitude_rad": border.nearest_longitude_rad}), {})
        due = tuple(c for c in queue if c.time_ns <= now_ns)
        queue = [c for c in queue if c.time_ns > now_ns]
        state, warned = step(state, tracks, judgement, due, pack, now_ns, Settings(status="Exercise"))
        alerts += warned.alerts
        proposals += warned.proposals
        for proposal in warned.proposals:
            queue += [Command(now_ns + (20 + 15 * n) * S, "approve", alert_id=proposal.id, by=f"P{n}")
                      for n in range(proposal.approvals_needed)]
    assert not state.busy
    return alerts, proposals


# Country, start, velocity: along the Danube at Izmail; from Belarus towards the south-east of Vilnius; over the Bug.
@pytest.mark.parametrize(("country", "lat_deg", "lon_deg", "east_mps", "north_mps"), [
    ("ro", 45.55, 29.0, -30.0, -40.0),
    ("lt", 54.45, 26.1, -45.0, 20.0),
    ("pl", 51.2, 24.3, -50.0, 5.0),
])
def test_an_object_over_a_real_border_is_warned_of_narrowly_and_validly(country, lat_deg, lon_deg, east_mps, north_mps):
    pack = load_country(country)
    alerts, _ = fly(pack, lat_deg, lon_deg, east_mps, north_mps, 700)
    red = [a for a in alerts if a.level == "alert"]
    assert red
    assert [a for a in alerts if a.level == "all_clear"]
    for alert in alerts:
        judged = check(alert.cap_xml)
        assert judged.valid and not judged.findings, judged.findings
        assert alert.languages == pack.languages
        for language in pack.languages:
            assert f"<language>{language}</language>".encode() in alert.cap_xml
    counties = {z.county for a in red for z in a.zones}
    addressable = [z for z in pack.zones if z.addressable and z.county in counties]
    assert max(len(a.zones) for a in red) < 0.8 * len(addressable), "a whole county where smaller zones exist"


def test_the_outline_holds_real_cells():
    pack = load_country("ro")
    alerts, _ = fly(pack, 45.55, 29.0, -30.0, -40.0, 500)
    rows = {zone.code: zone.area_index for zone in pack.zones}
    for alert in alerts[:6]:
        whole = unary_union([Polygon(ring) for ring in alert.polygons])
        for zone in alert.zones:
            for ring in outline_deg(pack.areas, rows[zone.code]):
                assert whole.covers(Polygon(np.asarray(ring)).buffer(0.0)), zone.code


def test_nothing_is_said_of_an_object_that_stays_deep_in_the_neighbour():
    assert fly(load_country("ro"), 46.6, 31.5, 10.0, 40.0, 120) == ([], [])
