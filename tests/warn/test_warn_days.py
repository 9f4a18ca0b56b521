"""A threat that lasts for days: messages and memory stay as long as on its first evening."""

from datetime import UTC, datetime

import pytest
from lxml import etree
from warn_fakes import Run, S, make_object, moved

from lapwing.record import codec
from lapwing.warn import desk, parts, stage
from lapwing.warn.cap_state import fact_of, picture

SENT_MAX, IDENTIFIERS_MAX, THREATS_MAX = 8, 16, 12


def fly_for(run, hours, first):
    """Let an object fly up and down near the line; every ten minutes it is another one."""
    row, born = None, first
    for minute in range(hours * 60):
        if row is None or minute % 10 == 0:
            born += 1
            row = make_object(f"T-{born}", lat_deg=45.03, lon_deg=28.0, north_mps=-5.0)
        for _ in range(3):
            row = moved(row, 20.0)
            if abs(row["lat_deg"] - 45.03) > 0.02:
                row = {**row, "north_mps": -row["north_mps"]}
            run.step([row], seconds=20.0)
    return born


@pytest.mark.slow
def test_messages_name_the_newest_before_them_and_nothing_grows(monkeypatch):
    # The bounds are made small: twelve hours do for weeks.
    monkeypatch.setattr(parts, "SENT_MAX", SENT_MAX)
    monkeypatch.setattr(desk, "IDENTIFIERS_MAX", IDENTIFIERS_MAX)
    monkeypatch.setattr(stage, "THREATS_MAX", THREATS_MAX)
    run = Run(officer_s=5.0)
    born = fly_for(run, 12, 0)
    early = len(codec.encode(run.state))
    longest = max(len(alert.references) for alert in run.alerts)
    count = len(run.alerts)
    born = fly_for(run, 12, born)
    assert count > 2 * SENT_MAX and len(run.alerts) > 1.8 * count and born > THREATS_MAX
    assert longest <= max(len(alert.references) for alert in run.alerts) <= 2 * SENT_MAX
    assert len(codec.encode(run.state)) < 1.2 * early
    for chain in run.state.chains:
        assert len(chain.identifiers) <= IDENTIFIERS_MAX and len(chain.threats) <= THREATS_MAX
        assert all(len(part.sent) <= SENT_MAX for part in chain.parts)
    assert len({alert.identifier for alert in run.alerts}) == len(run.alerts)
    # And the public picture is right all the same: whoever reads all of it sees what is in force, and in the end nothing.
    facts = [fact_of(etree.fromstring(alert.cap_xml.replace(b"Exercise</status>", b"Actual</status>"))) for alert in run.alerts]
    shown = picture(facts, datetime.fromtimestamp(run.now_ns / S, UTC))
    assert set(shown.in_force) == {alert.identifier for alert in run.in_force()} and not shown.unknown
    run.wait(3_000, 10.0)
    assert not run.in_force() and not run.state.chains
