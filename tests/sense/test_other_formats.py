"""ADS-B text and binary, Remote ID, CoT and SAPIENT entries become plots, bearings and reports, or are refused with a reason."""

import json
import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sense_entries import at, table

from lapwing import sense
from lapwing.model import entries as formats
from lapwing.model.entries import Entry
from lapwing.model.plots import KIND_ADSB, KIND_MLAT, KIND_TRACK
from lapwing.model.reports import PatrolEvent, Sighting
from lapwing.model.times import from_iso, to_iso
from lapwing.record import codec
from lapwing.sense import beast, mode_s
from lapwing.sense.formats import READERS


def run(format_, *payloads, start_ns=None, step_s=1.0, state=None, sensors=None):
    """Return (state, plots, bearings, reports, reasons) of payloads that come one a step."""
    start = at(72_000) if start_ns is None else start_ns
    state = state or sense.State()
    setup = sense.SenseSetup(sensors=sensors or table())
    plots, bearings, reports, reasons = [], [], [], {}
    for k, payload in enumerate(payloads):
        now = start + round(k * step_s * 1e9)
        entry = Entry(k, now, "link", format_, payload if isinstance(payload, bytes) else payload.encode())
        state, sensed = sense.step(state, (entry,), setup, now)
        plots.append(sensed.plots)
        bearings.append(sensed.bearings)
        reports += sensed.reports
        for refusal in sensed.refusals:
            reasons[refusal.reason] = reasons.get(refusal.reason, 0) + refusal.count
    return state, plots, bearings, reports, reasons


def aircraft(now_s, *rows):
    return json.dumps({"now": now_s, "aircraft": list(rows)})


NOW_S = at(72_000) / 1e9


def test_aircraft_json_gives_a_plot_once_for_each_new_place():
    row = {"hex": "4a1234", "flight": "ROT123  ", "lat": 45.2, "lon": 28.7, "seen_pos": 0.5, "alt_geom": 10_000, "gs": 400.0,
           "track": 90.0, "squawk": "1000", "nac_p": 9, "nic": 8, "type": "adsb_icao"}
    again = row | {"seen_pos": 1.5}
    mlat = row | {"hex": "4a9999", "type": "mlat", "lat": 45.3, "seen_pos": 0.0}
    state, plots, _, _, reasons = run(formats.AIRCRAFT_JSON, aircraft(NOW_S, row), aircraft(NOW_S + 1, again, mlat),
                                      aircraft(NOW_S + 2, {"hex": "1", "lat": 1.0, "lon": 2.0, "alt_baro": "ground"}), b"[]")
    assert [len(p) for p in plots] == [1, 1, 0, 0]
    first = plots[0]
    assert first.kind[0] == KIND_ADSB and plots[1].kind[0] == KIND_MLAT and first.callsign[0] == b"ROT123"
    assert first.mode3a[0] == 0o1000 and first.icao_address[0] == 0x4A1234
    assert first.measured_ns[0] == at(71_999.5) and abs(first.height_m[0] - 3048.0) < 0.1
    assert np.allclose(first.velocity_mps[0], (400.0 * 1852 / 3600, 0.0), atol=1e-9)
    assert reasons == {"on_ground": 1, "bad_document": 1}
    assert codec.decode(codec.encode(state)).memory.keys() == state.memory.keys()


def test_sbs_lines_join_call_sign_and_speed_to_the_place_whatever_the_zone_of_the_receiver():
    day = "2025/08/05,23:00:00.250"     # three hours ahead of the reception at 20:00:00.3
    lines = [f"MSG,1,1,1,4A1234,1,{day},{day},ROT123,,,,,,,,,,,,,",
             f"MSG,4,1,1,4A1234,1,{day},{day},,,400,180,,,64,,,,,,,",
             f"MSG,3,1,1,4A1234,1,{day},{day},,10000,,,45.2,28.7,,,0,0,0,0,0,0", "MSG,3,oops"]
    _, plots, _, _, reasons = run(formats.SBS, "\r\n".join(lines))
    [plot] = plots
    assert plot.callsign.tolist() == [b"ROT123"] and plot.measured_ns[0] == at(72_000.25)
    assert np.allclose(plot.velocity_mps[0], (0.0, -400 * 1852 / 3600), atol=1e-6) and reasons == {"bad_line": 1}


def beast_frame(payload, kind=b"3"):
    body = b"\0\0\0\x1a\0\1" + b"\x1a" + payload
    return b"\x1a" + kind + body.replace(b"\x1a", b"\x1a\x1a")


# The worked example of "The 1090 MHz Riddle" (Sun): 52.2572 N 3.91937 E at 38,000 ft.
EVEN, ODD = bytes.fromhex("8D40621D58C382D690C8AC2863A7"), bytes.fromhex("8D40621D58C386435CC412692AD6")


def test_beast_squitters_give_the_place_of_the_published_example():
    _, plots, _, _, reasons = run(formats.BEAST, beast_frame(ODD), beast_frame(EVEN) + beast_frame(ODD[:-1] + b"\0"))
    assert [len(p) for p in plots] == [0, 1] and not reasons
    plot = plots[1]
    assert abs(math.degrees(plot.latitude_rad[0]) - 52.2572) < 1e-4 and abs(math.degrees(plot.longitude_rad[0]) - 3.91937) < 1e-4
    assert plot.icao_address[0] == 0x40621D


def test_beast_frames_do_not_depend_on_how_the_stream_is_cut():
    stream = b"noise" + beast_frame(EVEN) + b"\x1a1ab" + beast_frame(ODD) + beast_frame(b"\x1a" * 7, b"2")
    whole = beast.BeastCutter().feed(stream)
    for step in range(1, 30):
        cutter = beast.BeastCutter()
        pieces = [p for k in range(0, len(stream), step) for p in cutter.feed(stream[k : k + step])]
        assert [f for p in pieces for _, f in beast.frames_of(p)[0]] == [f for p in whole for _, f in beast.frames_of(p)[0]]


def cpr(latitude, longitude, odd):
    """Encode a place (ICAO Doc 9871 appendix C.2.6), independent of the decoder."""
    step = 360.0 / (60 - odd)
    y = math.floor(2**17 * ((latitude % step) / step) + 0.5)
    near = step * (y / 2**17 + math.floor(latitude / step))
    zones = next(n for n in range(59, 0, -1) if n == 1 or abs(near) <= math.degrees(math.acos(math.sqrt(
        (1 - math.cos(math.pi / 30)) / (1 - math.cos(2 * math.pi / n))))))
    step = 360.0 / max(zones - odd, 1)
    return y % 2**17, math.floor(2**17 * ((longitude % step) / step) + 0.5) % 2**17


@given(st.floats(-85, 85), st.floats(-179.9, 179.9), st.booleans())
def test_a_place_survives_compact_position_reporting(latitude, longitude, odd):
    report = cpr(latitude, longitude, odd)
    found = mode_s.local_place(report, odd, latitude + 0.3, longitude - 0.3)
    assert abs(found[0] - latitude) < 1e-4 and abs((found[1] - longitude + 180) % 360 - 180) < 360 / 2**17
    pair = mode_s.global_place(cpr(latitude, longitude, False), cpr(latitude, longitude, True), odd)
    assert pair is None or (abs(pair[0] - latitude) < 1e-4 and abs((pair[1] - longitude + 180) % 360 - 180) < 360 / 2**17)


def remote_id(**values):
    got = {"status": 2, "flags": 0, "direction": 90, "speed": 80, "lat": 45.2, "lon": 28.7, "pressure": 0, "geodetic": 2400,
           "accuracy": 0x4A, "tenths": 0} | values
    location = struct.pack("<BBBBbiiHHHBBHBx", 0x12, got["status"] << 4 | got["flags"], got["direction"], got["speed"], 0,
                           round(got["lat"] * 1e7), round(got["lon"] * 1e7), got["pressure"], got["geodetic"], 2000,
                           got["accuracy"], 0, got["tenths"], 0)
    basic = struct.pack("<BB20s3x", 0x02, 0x12, b"1596F0123456789ABCDE")
    return bytes([0xF2, 25, 2]) + basic + location


def test_remote_id_pack_gives_a_plot_and_the_ground_does_not():
    _, plots, _, _, reasons = run(formats.REMOTE_ID, remote_id(), remote_id(status=1), remote_id(lat=0, lon=0), remote_id()[:40])
    assert [len(p) for p in plots] == [1, 0, 0, 0]
    plot = plots[0]
    assert plot.height_m[0] == 200.0 and plot.callsign[0] == b"789ABCDE" and np.allclose(plot.velocity_mps[0], (20.0, 0.0))
    assert plot.measured_ns[0] == at(72_000) and reasons == {"on_ground": 1, "no_place": 1, "item_too_short": 1}


def cot_entries(shared, *names):
    return [(shared / "data/interop/cot/made" / name).read_bytes() for name in names]


COT_NS = from_iso("2026-11-23T01:02:05Z")


def test_cot_events_become_what_they_are(shared):
    names = ("track_unknown_uav.cot", "track_unknown_uav.mesh.bin", "track_exercise.cot", "track_simulated.stream.bin",
             "track_patrol.cot", "track_airliner.cot", "acoustic_detection.cot", "ping.cot", "delete.cot", "expired.cot",
             "future_start.cot", "area_polygon.cot", "bad_lat_nan.cot")
    _, plots, bearings, reports, reasons = run(formats.COT, *cot_entries(shared, *names), start_ns=COT_NS, step_s=0.1)
    assert [len(p) for p in plots] == [1] + [0] * 12 and plots[0].kind[0] == KIND_TRACK
    assert np.allclose(np.degrees([plots[0].latitude_rad[0], plots[0].longitude_rad[0]]), (45.3301, 28.6203))
    assert math.hypot(*plots[0].velocity_mps[0]) == pytest.approx(48.6)
    assert sum(map(len, bearings)) == 1 and np.isnan(bearings[6].azimuth_rad[0]) and bearings[6].range_m_max[0] == 1500.0
    assert [(r.patrol, r.event) for r in reports if isinstance(r, PatrolEvent)] == [("PATROL 1", "airborne")]
    assert reasons == {"repeated": 1, "simulated": 2, "neutral_report": 1, "stale": 1, "from_the_future": 1, "not_used": 1,
                       "invalid_event": 1}


def test_what_a_person_enters_in_cot_is_a_sighting(shared):
    [text] = cot_entries(shared, "track_unknown_uav.cot")
    _, plots, _, reports, _ = run(formats.COT, text.replace(b"how='m-f'", b"how='h-e'"), start_ns=COT_NS)
    assert not len(plots[0]) and isinstance(reports[0], Sighting) and reports[0].position_m_sigma == 85.0


def sapient(shared, name, time_ns, **changes):
    message = json.loads((shared / "data/interop/sapient/made" / name).read_bytes())
    message["timestamp"] = to_iso(time_ns)
    for path, value in changes.items():
        at_, *rest = path.split("__")
        target = message
        for key in (at_, *rest[:-1]) if rest else ():
            target = target[key]
        target[rest[-1] if rest else at_] = value
    return json.dumps(message)


def test_sapient_detections_become_plots_and_bearings_of_registered_nodes(shared):
    pytest.importorskip("sapient_msg")
    ns = at(72_000)
    names = ("detection_latlon_track.json", "registration_radar.json", "detection_range_bearing.json", "status_ok.json",
             "detection_latlon_track.json", "detection_utm.json", "detection_radians.json", "detection_range_bearing.json",
             "detection_range_bearing_km_magnetic.json", "detection_bearing_only_acoustic.json", "detection_lost.json",
             "bad_no_location.json", "task_to_us.json", "alert_clear.json", "status_goodbye.json")
    state, plots, bearings, _, reasons = run(formats.SAPIENT, *(sapient(shared, name, ns) for name in names), step_s=0.01)
    assert [len(p) for p in plots] == [0, 0, 0, 0, 1, 1, 1, 1] + [0] * 7
    for place in (4, 5, 6):
        assert np.allclose(np.degrees([plots[place].latitude_rad[0], plots[place].longitude_rad[0]]), (45.33, 28.62), atol=1e-6)
    assert plots[7].range_m[0] == 8400.0 and math.degrees(plots[7].azimuth_rad[0]) == pytest.approx(37.5)
    assert sum(map(len, bearings)) == 1 and math.degrees(bearings[9].azimuth_rad[0]) == pytest.approx(211.0)
    assert math.degrees(bearings[9].azimuth_rad_sigma[0]) == pytest.approx(8.0)
    assert reasons == {"not_registered": 1, "no_position": 1, "not_true_north": 1, "track_end": 1, "invalid_message": 1,
                       "task_refused": 1, "sapient_alert": 1, "node_goodbye": 1}
    assert codec.decode(codec.encode(state)).memory["sapient_nodes"] == state.memory["sapient_nodes"]


def test_swapped_coordinates_of_a_node_are_named_as_such(shared):
    pytest.importorskip("sapient_msg")
    ns = at(72_000)
    names = ("registration_radar.json", "status_ok.json", "detection_xy_swapped.json")
    _, plots, _, _, reasons = run(formats.SAPIENT, *(sapient(shared, name, ns) for name in names), step_s=0.01)
    assert reasons == {"swapped_coordinates": 1} and not len(plots[2])


@given(st.sampled_from(sorted(READERS)), st.binary(max_size=120))
def test_no_octets_crash_a_reader(format_, octets):
    run(format_, octets, octets[::-1])
