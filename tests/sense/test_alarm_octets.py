"""ASTERIX CAT004 of the safety net, read by another program."""

from __future__ import annotations

import math
from dataclasses import replace

import asterix.generated as generated
import pytest
from second_opinion import read

from lapwing.model.alarms import ENDED, RAISED, RED, Alarm
from lapwing.model.times import NS_PER_S, from_iso
from lapwing.runtime.outputs import alarm_octets

NOW = from_iso("2025-08-05T20:00:00Z")
ALARM = Alarm(
    alarm_id="20250805-0052/RO/1", number=7, track_id="20250805-0052", volume="RO", volume_name="Romania", level=RED,
    state=RAISED, cause="straight", immediate=False, time_ns=NOW, raised_ns=NOW, border_m=5_600.0, border_m_sigma=60.0,
    violation_earliest_ns=NOW, violation_nominal_ns=NOW + 112 * NS_PER_S, violation_latest_ns=0, due_earliest_ns=1, due_nominal_ns=1,
    due_latest_ns=0, latitude_rad=math.radians(45.3), longitude_rad=math.radians(28.8), height_m=304.8, velocity_mps=(1.0, -50.0),
    mode3a=0o1234, callsign="ABC12")


def items_of(octets):
    spec = next(s for s in generated.manifest["CATS"][4] if s.cv_edition == (1, 13))
    items, end = read(spec.cv_uap, octets[3:], "")[:2]
    assert octets[0] == 4 and int.from_bytes(octets[1:3], "big") == len(octets) == end + 3
    return items


def test_cat004_says_the_same_to_another_decoder():
    items = items_of(alarm_octets(ALARM, 25, 7))
    assert items["010"] == {"SAC": 25, "SIC": 7} and items["000"] == 5 and items["040"] == 7 and items["030"] == 52
    assert items["020"] == 72_000.0 and items["060"]["APW"] == 1
    assert items["045"]["STAT"] == 2 and items["070"] == {"TC": 112.0, "CHS": 5_600.0}
    own = items["170"]
    assert own["CPW"] == {"LAT": pytest.approx(45.3, abs=1e-5), "LON": pytest.approx(28.8, abs=1e-5), "ALT": 1_000.0}
    assert own["AI1"] == "ABC12  " and own["M31"]["MODE3A"] == "1234"


def test_ended_alarm_is_an_end_of_conflict_and_an_unknown_height_no_height():
    items = items_of(alarm_octets(replace(ALARM, state=ENDED, height_m=math.nan, callsign="", mode3a=-1)))
    assert items["000"] == 17 and items["045"]["STAT"] == 0 and "TC" not in items["070"]
    assert items["170"].keys() == {"CPW"} and items["170"]["CPW"]["ALT"] == 800_000.0


@pytest.mark.parametrize("change", [{"border_m": 9e6, "volume": "ăâ-12345678", "volume_name": "Zonă restricționată"},
                                    {"violation_nominal_ns": NOW + 400_000 * NS_PER_S}, {"track_id": "odd"}, {"number": 65_535},
                                    {"border_m": -30_000.0, "height_m": 2e6, "callsign": "ȚȚ"}])
def test_values_that_do_not_fit_are_bounded_and_never_crash(change):
    assert items_of(alarm_octets(replace(ALARM, **change)))["000"] == 5
