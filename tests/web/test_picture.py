"""The picture as JSON: strict, whole, and never saying more than is known."""

import json
import math
from dataclasses import fields, replace

import numpy as np
from fake_feed import START_NS, judgement_of, made_up_pack, made_up_sensors, tracks_at, warned_at
from hypothesis import given, settings
from hypothesis import strategies as st

from lapwing.model.alerts import Warned
from lapwing.model.claims import Owned
from lapwing.model.sensors import ADSB, OBSERVER, Sensor, SensorTable
from lapwing.model.times import NS_PER_S
from lapwing.model.verdicts import NeighbourState
from lapwing.web.board import Board, fold, in_force
from lapwing.web.hub import to_json
from lapwing.web.picture import coverage, ellipses_95, live_picture, sensor_status

NOW_NS = START_NS + 100 * NS_PER_S


def picture(t_s: float = 100.0, **changes):
    tracks = tracks_at(t_s)
    if changes:
        tracks = replace(tracks, **changes)
    return live_picture(NOW_NS, tracks, judgement_of(tracks_at(t_s), made_up_pack()), Board(), made_up_sensors(), mode="REPLAY")


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["latitude_rad", "longitude_rad", "height_m", "velocity_mps", "state_cov", "bias_cov_m2"]),
    st.sampled_from([math.nan, math.inf, -math.inf]),
    st.integers(0, 8),
)
def test_any_unknown_number_becomes_null_and_the_picture_stays_strict_json(column, value, row):
    array = getattr(tracks_at(100.0), column).copy()
    array[row] = value
    with np.errstate(invalid="ignore"):
        document = to_json(picture(**{column: array}))
    # A track without a position cannot be drawn; any other lack leaves it in the picture.
    left = 8 if column in ("latitude_rad", "longitude_rad") else 9
    assert b"NaN" not in document and b"Infinity" not in document and len(json.loads(document)["tracks"]) == left


def test_a_track_carries_its_border_distance_class_and_sensors():
    track = picture()["tracks"][0]
    assert track["class"] == "drone" and track["judged"] and track["number"] == "0003"
    assert track["border_m"] is not None and track["border_m_sigma"] > 0
    assert track["sensors"] == ["GF-1", "GF-2"]
    # 212 m above the ellipsoid; the geoid lies 31 to 33 m above it at the mouth of the Danube (EGM96).
    assert 178 <= track["altitude_m"] <= 182 and track["height_m"] == 212


def test_a_track_near_a_neighbour_says_how_it_stands_to_it():
    tracks = tracks_at(100.0)
    near = NeighbourState(tracks.track_id[0], "MD", NOW_NS, 812.4, 60.0, 21.0, math.inf, 0.0, "undetermined", 0.3)
    judgement = replace(judgement_of(tracks, made_up_pack()), nearby=(near,))
    shown = live_picture(NOW_NS, tracks, judgement, Board(), made_up_sensors(), mode="REPLAY")["tracks"]
    assert shown[0]["neighbours"] == [{"country": "MD", "border_m": 812, "border_m_sigma": 60, "closing_mps": 21.0, "time_to_go_s": None,
                                       "inside_prob": 0.0, "verdict": "undetermined", "entered_prob": 0.3, "seen_inside": False}]
    assert shown[1]["neighbours"] == []


def test_a_track_of_another_region_says_whose_it_is():
    tracks = tracks_at(100.0)
    names = ("20250805-delta-0003", *tracks.track_id[1:])
    board = fold(Board(), NOW_NS, owned=Owned(frozenset(names[:1]), owner=((names[0], "delta"), (names[1], "inland"))))
    shown = live_picture(NOW_NS, replace(tracks, track_id=names), judgement_of(tracks, made_up_pack()), board, made_up_sensors(),
                         mode="REPLAY")["tracks"]
    assert [(t["number"], t["region"]) for t in shown[:2]] == [("delta-0003", "delta"), (names[1].partition("-")[2], "")]


def test_without_a_judgement_no_border_value_is_made_up():
    record = live_picture(NOW_NS, tracks_at(9.0), None, Board(), made_up_sensors(), mode="REPLAY")["tracks"][0]
    assert record["border_m"] is None and record["inside_prob"] is None and record["judged"] is False


def test_ellipse_of_a_long_axis_to_the_north_east_points_there():
    # Variance 100 along 45 degrees, 4 across: (100 + 4) / 2 = 52 on the diagonal, (100 - 4) / 2 = 48 beside it.
    major_m, minor_m, azimuth_deg = ellipses_95(np.array([[[52.0, 48.0], [48.0, 52.0]]]))[0]
    assert math.isclose(major_m, 10 * math.sqrt(5.991)) and math.isclose(minor_m, 2 * math.sqrt(5.991))
    assert math.isclose(azimuth_deg, 45.0)


def test_a_radar_silent_for_three_turns_is_said_to_be_silent():
    heard = (NOW_NS - 13 * NS_PER_S, NOW_NS - 5 * NS_PER_S, 0)
    states = [row["state"] for row in sensor_status(made_up_sensors(), heard, NOW_NS)]
    assert states == ["silent", "reports", "on call"]


def test_no_reporting_sensor_is_never_an_all_clear():
    sensors = SensorTable((Sensor("A"), Sensor("people", kind=OBSERVER)))
    text = coverage(sensor_status(sensors, (), NOW_NS))["text"]
    assert text == "NO SENSOR REPORTS: an empty map means nothing."
    assert "cannot show anything" in coverage(sensor_status(SensorTable(), (), NOW_NS))["text"]


def test_a_receiver_of_transponders_without_traffic_is_quiet_and_said_so():
    sensors = SensorTable((Sensor("GF", rotation_s=4.0, latitude_rad=0.7, longitude_rad=0.5), Sensor("RX", kind=ADSB)))
    found = coverage(sensor_status(sensors, (NOW_NS, NOW_NS - 300 * NS_PER_S), NOW_NS))
    assert found["missing"] == [] and found["text"] == "1 of 2 sensors report; nothing from RX for 5 min, perhaps no traffic"


def played(until_s: float) -> Board:
    board, warned, pack, t_s = Board(), Warned(), made_up_pack(), 0.0
    while t_s < until_s:
        t_s += 2.0
        warned = warned_at(t_s, pack, tracks_at(t_s), warned)
        board = fold(board, START_NS + round(t_s * NS_PER_S), warned=warned)
    return board


def test_a_proposal_stays_open_until_its_alert_is_sent():
    assert [p.proposal.id for p in played(80.0).proposals] == ["proposal-1"]
    assert played(92.0).proposals == () and len(played(92.0).alerts) == 1


def test_the_first_of_two_approvals_is_shown_and_the_proposal_stays_open():
    (shown,) = played(446.0).proposals
    assert shown.approved_by == ("M. Ionescu",) and shown.proposal.approvals_needed == 2


def test_a_proposal_nobody_decides_goes_when_it_lapses():
    board = played(422.0)
    (shown,) = board.proposals
    assert fold(board, shown.proposal.expires_ns, warned=Warned()).proposals == ()


def test_a_replaced_alert_is_not_in_force():
    assert in_force(played(302.0), START_NS + 302 * NS_PER_S) == {"alert-2"}
    assert in_force(played(302.0), START_NS + 3_000 * NS_PER_S) == frozenset()


def test_public_texts_are_those_of_the_cap_document():
    assert played(92.0).alerts[0].texts[0][:2] == ("en", "Drones near the border: be ready to take cover")


def test_lists_of_the_board_are_bounded():
    board = Board()
    for second in range(120):
        board = fold(board, NOW_NS, warned=Warned(notes=tuple(f"{second}-{i}" for i in range(10))))
    assert len(board.events) == 300 and board.events[-1].text == "119-9"
    assert {f.name for f in fields(Board)} >= {"alerts", "proposals", "events", "notices", "patrol"}
