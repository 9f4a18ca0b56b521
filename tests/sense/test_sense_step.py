"""The sense stage as a whole: what becomes a plot, what is refused and why, what is learnt from the data."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sense_entries import SOURCE, at, block, entry, plot, radar, table

from lapwing.geo.geoid import undulation_m
from lapwing.model.plots import KIND_ADSB, KIND_COMBINED, KIND_MLAT, KIND_PSR, KIND_SSR, KIND_TRACK, NO_CODE
from lapwing.model.sensors import ACOUSTIC_ARRAY, Sensor, SensorTable
from lapwing.record import codec
from lapwing.sense import SenseSetup, State, plot_rows, step
from lapwing.sense.asterix.encode import encode_block
from lapwing.sense.formats import encode_acoustic


def sensed(*entries, sensors=None, state=None, **setup):
    return step(state or State(), entries, SenseSetup(table() if sensors is None else sensors, **setup), 0)


def reasons(result):
    return {refusal.reason: refusal.count for refusal in result.refusals}


def test_primary_plot_gets_time_place_and_source():
    _, found = sensed(entry(block(plot(36_000.0)), 36_000.4, sequence=7))
    plots = found.plots
    assert (len(plots), found.record_count, found.refusals) == (1, 1, ())
    assert (plots.measured_ns[0], plots.received_ns[0]) == (at(36_000.0), at(36_000.4))
    assert (plots.kind[0], plots.sensor_index[0], plots.entry_sequence[0], plots.octet_offset[0]) == (KIND_PSR, 0, 7, 3)
    assert plots.range_m[0] == 20 * 1852.0
    assert plots.azimuth_rad[0] == pytest.approx(math.radians(10.0), abs=1e-4)
    assert np.isnan(plots.height_m[0]) and plots.mode3a[0] == NO_CODE == plots.icao_address[0]


def test_reply_gets_identity_and_height_from_its_level():
    record = plot(36_000.0, i020={"TYP": 5}, i070={"MODE3A": "1234"}, i090={"FL": 100.0}, i220=0x4B1234, i240="THY12")
    _, found = sensed(entry(block(record), 36_001.0))
    plots = found.plots
    assert (plots.kind[0], plots.mode3a[0], plots.icao_address[0], plots.callsign[0]) \
        == (KIND_SSR, 0o1234, 0x4B1234, b"THY12")
    sea = float(undulation_m(math.radians(45.19), math.radians(28.8)))
    assert plots.height_m[0] == pytest.approx(3_048.0 + sea, abs=1.0)


def test_garbled_codes_are_not_believed():
    record = plot(36_000.0, i020={"TYP": 3}, i070={"MODE3A": "1234", "G": 1}, i090={"FL": 100.0, "V": 1})
    _, found = sensed(entry(block(record), 36_001.0))
    assert (found.plots.kind[0], found.plots.mode3a[0]) == (KIND_COMBINED, NO_CODE)
    assert np.isnan(found.plots.height_m[0])


@pytest.mark.parametrize(("items", "reason"), [
    ({"i020": {"TYP": 1, "SIM": 1}}, "simulated"),
    ({"i020": {"TYP": 1, "TST": 1}}, "test_target"),
    ({"i020": {"TYP": 5, "RAB": 1}}, "field_monitor"),
    ({"i020": {"TYP": 0}}, "no_detection"),
    ({"i040": None}, "no_place"),
])
def test_what_is_no_report_of_an_object_never_becomes_a_plot(items, reason):
    _, found = sensed(entry(block(plot(36_000.0, **items)), 36_000.5))
    assert len(found.plots) == 0
    assert reasons(found) == {reason: 1}


def test_report_just_before_midnight_received_after_it():
    _, found = sensed(entry(block(plot(86_399.5)), 86_400.5))
    assert found.plots.measured_ns[0] == at(86_399.5)


def test_plot_from_the_future_and_one_of_hours_ago_are_refused():
    _, found = sensed(entry(block(plot(36_010.0)), 36_000.0), entry(block(plot(28_800.0)), 36_000.0, 1),
                      entry(block(plot(36_003.0)), 36_000.0, 2))
    assert len(found.plots) == 1                      # 3 s ahead is a clock a little fast
    assert reasons(found) == {"from_the_future": 1, "too_old": 1}


def test_plot_without_a_time_is_as_old_as_the_usual_latency():
    _, found = sensed(entry(block(plot(None)), 36_000.0), sensors=table(radar(latency_s=0.5)))
    assert found.plots.measured_ns[0] == at(35_999.5)


def test_same_datagram_on_two_links_counts_once():
    octets = block(plot(36_000.0))
    state, found = sensed(entry(octets, 36_000.5), entry(octets, 36_000.6, 1, link="udp://239.1.1.2:8600"))
    assert (len(found.plots), reasons(found)) == (1, {"duplicate": 1})
    state, found = sensed(entry(octets, 36_001.9, 2, link="udp://239.1.1.2:8600"), state=state)
    assert reasons(found) == {"duplicate": 1}
    _, found = sensed(entry(octets, 36_006.0, 3), state=state)
    assert len(found.plots) == 1


def test_new_source_is_appended_and_not_tracked_without_a_position():
    state, found = sensed(entry(block(plot(36_000.0)), 36_000.5), sensors=SensorTable())
    assert [(s.id, s.sac, s.sic, s.has_position) for s in found.sensors.rows] == [("25/201", 25, 201, False)]
    assert (len(found.plots), found.record_count, reasons(found)) == (0, 1, {"no_position": 1})
    assert state.counts == {"no_position|25/201": 1}


def test_position_in_the_data_fills_a_missing_one_and_says_so():
    service = encode_block(34, [{"010": SOURCE, "000": 1, "030": 36_000.0, "041": 4.0,
                                 "120": {"HGT": 150.0, "LAT": 45.19, "LON": 28.8}}])
    state, found = sensed(entry(service, 36_000.1), entry(block(plot(36_000.0)), 36_000.5, 1), sensors=SensorTable())
    assert (len(found.plots), reasons(found)) == (1, {"position_from_data": 1})
    sensor = found.sensors.rows[0]
    assert (sensor.position_from, sensor.rotation_s, sensor.height_m) == ("data", 4.0, 150.0)
    _, found = sensed(entry(service, 36_010.1, 2), state=state)
    assert found.refusals == ()


def test_position_of_the_configuration_is_never_overwritten():
    service = encode_block(34, [{"010": SOURCE, "000": 1, "030": 36_000.0, "041": 8.0,
                                 "120": {"HGT": 0.0, "LAT": 10.0, "LON": 10.0}}])
    _, found = sensed(entry(service, 36_000.1))
    assert found.sensors == table()


def test_north_marks_and_sectors_are_looks_and_give_the_rotation():
    state, marks = State(), []
    for turn in range(4):
        time_s = 36_000.0 + 5.0 * turn
        records = [{"010": SOURCE, "000": 1, "030": time_s}, {"010": SOURCE, "000": 2, "030": time_s + 1, "020": 90.0}]
        state, found = sensed(entry(encode_block(34, records), time_s + 1.5, turn), state=state,
                              sensors=table(radar(rotation_s=math.nan)))
        marks.append((found.looks.north_mark.tolist(), found.looks.azimuth_rad.tolist()))
    assert marks[0] == ([True, False], [0.0, math.pi / 2])
    assert found.sensors.rows[0].rotation_s == 5.0


def test_radar_without_source_in_later_records_carries_it_over():
    first = {"010": {"SAC": 25, "SIC": 201}, "020": {"TYP": 0, "SSRPSR": 1}, "040": {"RHO": 20.0, "THETA": 10.0}}
    second = {"020": {"TYP": 0, "SSRPSR": 1}, "040": {"RHO": 21.0, "THETA": 11.0}}
    state, found = sensed(entry(encode_block(1, [first, second]), 36_000.0))
    assert (len(found.plots), found.refusals) == (2, ())
    _, found = sensed(entry(encode_block(1, [second]), 36_001.0, 1), state=state)
    assert len(found.plots) == 1
    _, found = sensed(entry(encode_block(1, [second]), 36_001.0, 1, link="other"), state=state)
    assert reasons(found) == {"no_source": 1}


def test_old_radar_mixes_plots_and_tracks_in_one_block():
    one = {"010": SOURCE, "020": {"TYP": 0, "SSRPSR": 1}, "040": {"RHO": 20.0, "THETA": 10.0}, "141": 100.0}
    two = {"010": SOURCE, "020": {"TYP": 1, "SSRPSR": 2}, "161": 7, "042": {"X": 0.0, "Y": 25.0}, "141": 100.5}
    _, found = sensed(entry(encode_block(1, [one, two]), 512.0 * 70 + 101.0))
    assert found.plots.kind.tolist() == [KIND_PSR, KIND_SSR]
    assert found.plots.measured_ns.tolist() == [at(512.0 * 70 + 100.0), at(512.0 * 70 + 100.5)]
    assert found.plots.range_m[1] == 25 * 1852.0


def test_ads_b_is_placed_by_itself_with_its_own_accuracy():
    record = {"010": {"SAC": 1, "SIC": 2}, "040": {"ATP": 0}, "071": 36_000.0, "080": 0x4B1234, "140": 1_000.0,
              "131": {"LAT": 45.0, "LON": 28.0}, "090": {"NUCRNACV": 2, "NUCPNIC": 8, "NACP": 9},
              "160": {"GS": 0.1, "TA": 90.0}, "170": "THY12"}
    _, found = sensed(entry(encode_block(21, [record]), 36_000.5), sensors=SensorTable())
    plots = found.plots
    assert (len(plots), plots.kind[0], plots.callsign[0]) == (1, KIND_ADSB, b"THY12")
    assert np.degrees(plots.latitude_rad[0]) == pytest.approx(45.0, abs=1e-6)
    # NACp 9: 95 % within 30 m, so 1 sigma is 30 / 2.448.
    assert np.sqrt(plots.position_cov_m2[0, 0, 0]) == pytest.approx(30 / 2.4477, rel=1e-3)
    assert plots.velocity_mps[0] == pytest.approx([185.2, 0.0], abs=0.1)
    assert plots.height_m[0] == pytest.approx(304.8, abs=1.0)


def test_neighbours_track_comes_with_velocity_and_accuracy_and_a_coasted_one_not_at_all():
    track = {"010": {"SAC": 3, "SIC": 4}, "070": 36_000.0, "105": {"LAT": 45.0, "LON": 28.0}, "040": 5,
             "185": {"VX": 50.0, "VY": -20.0}, "080": {"MON": 0}, "136": 100.0,
             "500": {"APC": {"X": 100.0, "Y": 50.0}, "COV": -40.0}}
    full = {"MON": 0, "SIM": 0, "AMA": 0, "CST": 1}
    _, found = sensed(entry(encode_block(62, [track, {**track, "080": full}]), 36_000.5), sensors=SensorTable())
    plots = found.plots
    assert (len(plots), plots.kind[0], reasons(found)) == (1, KIND_TRACK, {"coasted": 1})
    assert plots.velocity_mps[0].tolist() == [50.0, -20.0]
    assert plots.position_cov_m2[0].tolist() == [[10_000.0, -1_600.0], [-1_600.0, 2_500.0]]


def test_neighbours_track_keeps_its_number_and_one_unsure_or_numberless_is_refused():
    track = {"010": {"SAC": 3, "SIC": 4}, "070": 36_000.0, "105": {"LAT": 45.0, "LON": 28.0}, "185": {"VX": 50.0, "VY": -20.0},
             "500": {"ATV": {"X": 3.0, "Y": 4.0}}}
    unsure = {"MON": 0, "CNF": 1}
    records = [{**track, "040": 5}, {**track, "040": 6, "080": unsure}, track]
    _, found = sensed(entry(encode_block(62, records), 36_000.5), sensors=SensorTable())
    assert (found.plots.track_number.tolist(), reasons(found)) == ([5], {"tentative": 1, "no_track_number": 1})
    assert found.plots.velocity_mps_sigma[0] == pytest.approx(math.sqrt(12.5))


def test_what_comes_back_under_our_own_source_is_refused():
    track = {"010": {"SAC": 3, "SIC": 4}, "070": 36_000.0, "105": {"LAT": 45.0, "LON": 28.0}, "040": 5}
    _, found = sensed(entry(encode_block(62, [track]), 36_000.5), sensors=SensorTable(), own=((3, 4),))
    assert (len(found.plots), reasons(found)) == (0, {"own_source": 1})


def test_multilateration_on_a_local_plane_needs_its_origin():
    record = {"010": {"SAC": 0, "SIC": 107}, "000": 1, "020": {"TYP": 1}, "140": 36_000.0, "042": {"X": 3000.0, "Y": 0.0}}
    octets = encode_block(10, [record])
    _, found = sensed(entry(octets, 36_000.5), sensors=SensorTable())
    assert reasons(found) == {"no_position": 1}
    origin = Sensor("mlat", sac=0, sic=107, latitude_rad=math.radians(45.0), longitude_rad=math.radians(28.0))
    _, found = sensed(entry(octets, 36_000.5), sensors=SensorTable((origin,)))
    assert (found.plots.kind[0], found.plots.latitude_rad[0]) == (KIND_MLAT, pytest.approx(math.radians(45.0), abs=1e-6))
    # 3 km east at 45 N: one degree of longitude is 78,847 m.
    assert np.degrees(found.plots.longitude_rad[0]) == pytest.approx(28.0 + 3_000 / 78_847, abs=1e-6)


def test_source_that_is_not_on_the_list_is_refused():
    _, found = sensed(entry(block(plot(36_000.0)), 36_000.5), allow=((1, 1),))
    assert reasons(found) == {"not_allowed": 1}


def test_edition_of_a_source_is_taken_from_the_sensor_table():
    record = {"010": SOURCE, "030": 36_000.0, "130": {"LAT": 45.0, "LON": 28.0}}
    octets = encode_block(21, [record], "0.26")
    _, found = sensed(entry(octets, 36_000.5), sensors=table(radar(editions={21: "0.26"})))
    assert np.degrees(found.plots.latitude_rad[0]) == pytest.approx(45.0, abs=1e-4)
    _, found = sensed(entry(octets, 36_000.5), sensors=table(), editions={21: "0.26"})
    assert len(found.plots) == 1


def test_broken_block_costs_itself_and_is_refused_with_its_place():
    good = block(plot(36_000.0))
    broken = good[:-2]
    broken = broken[:1] + len(broken).to_bytes(2, "big") + broken[3:]
    _, found = sensed(entry(good + broken + b"\x30\x00", 36_000.5, sequence=3))
    assert len(found.plots) == 1
    short, trailing = sorted(found.refusals, key=lambda r: r.octet)
    assert (short.reason, short.source, short.entry_sequence) == ("item_too_short", "25/201", 3)
    assert "CAT048 record 0 I048/040" in short.where
    assert trailing.reason == "trailing_octets"


def test_unknown_format_and_broken_rows_are_refused():
    _, found = sensed(entry(b"x", 1.0, format_="smoke"), entry(b"abc", 1.0, 1, format_="plots"),
                      entry(b"{", 1.0, 2, format_="sighting"), entry(b"[]", 1.0, 3, format_="acoustic"))
    assert reasons(found) == {"unknown_format": 1, "bad_rows": 1, "bad_report": 2}


def rows_of_scenario():
    rows = plot_rows.empty(3)
    rows["measured_ns"], rows["received_ns"] = at(36_000.0), at(36_000.5)
    rows["range_m"], rows["azimuth_rad"], rows["kind"] = [40_000.0, 50_000.0, -1.0], [0.1, 0.2, 0.3], [0, 1, 0]
    rows["flight_level"][1], rows["mode3a"][1], rows["amplitude_db"][0] = 100.0, 0o7000, 13.5
    return rows


def test_packed_rows_become_plots():
    assert plot_rows.unpack(plot_rows.pack(rows_of_scenario())).tobytes() == rows_of_scenario().tobytes()
    _, found = sensed(entry(plot_rows.pack(rows_of_scenario()), 36_000.5, format_="plots"))
    plots = found.plots
    assert (plots.kind.tolist(), plots.mode3a.tolist(), reasons(found)) == ([0, 1], [NO_CODE, 0o7000], {"no_place": 1})
    assert plots.amplitude_db[0] == 13.5 and np.isnan(plots.amplitude_db[1])
    # A reply measures twice as well as an echo: across the line of sight 0.15 degrees of 40 km against half of 50 km.
    across = np.sqrt([np.linalg.eigvalsh(c)[-1] for c in plots.position_cov_m2])
    assert across[0] > across[1]


def test_row_of_a_sensor_that_is_not_in_the_table_is_refused():
    rows = rows_of_scenario()[:1]
    rows["sensor_index"] = 9
    _, found = sensed(entry(plot_rows.pack(rows), 36_000.5, format_="plots"))
    assert reasons(found) == {"unknown_sensor": 1}


def test_acoustic_bearing_comes_in_and_is_never_a_point():
    payload = encode_acoustic("mic-1", at(36_000.0), math.radians(45.3), math.radians(28.4), 5_000.0, 1.0, 0.1)
    silent = encode_acoustic("mic-1", at(36_001.0), math.radians(45.3), math.radians(28.4), 5_000.0)
    _, found = sensed(entry(payload, 36_001.0, format_="acoustic"), entry(silent, 36_001.5, 1, format_="acoustic"))
    assert (len(found.bearings), len(found.plots)) == (2, 0)
    assert found.bearings.azimuth_rad[0] == pytest.approx(1.0, abs=1e-5) and np.isnan(found.bearings.azimuth_rad[1])
    assert found.bearings.sound.all()
    assert [(s.id, s.kind) for s in found.sensors.rows[1:]] == [("mic-1", ACOUSTIC_ARRAY)]


def test_peoples_reports_come_out_in_the_order_of_the_input():
    texts = [json.dumps({"time": "2025-08-05T10:00:00Z", "patrol": f"p{i}", "event": "seen"}).encode() for i in range(3)]
    _, found = sensed(*(entry(text, 36_000.0, i, format_="patrol") for i, text in enumerate(texts)))
    assert [report.patrol for report in found.reports] == ["p0", "p1", "p2"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_octets_leave_the_stage_standing(payloads):
    state, found = sensed(*(entry(p, 36_000.0, i) for i, p in enumerate(payloads)))
    assert found.record_count >= len(found.plots)
    assert codec.encode(codec.decode(codec.encode(state))) == codec.encode(state)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_plots_do_not_depend_on_how_entries_are_batched(seed, cut):
    rng = np.random.default_rng(seed)
    times = 36_000.0 + np.sort(rng.uniform(0, 40, 12))
    entries = [entry(block(plot(round(t * 128) / 128, theta=float(rng.uniform(0, 359)))), t + 0.5, i)
               for i, t in enumerate(times)]
    whole_state, whole = sensed(*entries)
    state, first = sensed(*entries[:cut])
    state, second = sensed(*entries[cut:], state=state) if cut < 12 else (state, None)
    latitudes = np.concatenate([first.plots.latitude_rad, second.plots.latitude_rad if second else []])
    assert np.array_equal(whole.plots.latitude_rad, latitudes)
    # Delays, trust and reach are tallied batch by batch; the division into batches is part of the record.
    assert codec.encode(without_tallies(state)) == codec.encode(without_tallies(whole_state))


def without_tallies(state):
    return replace(state, memory={k: v for k, v in state.memory.items() if k not in ("delays", "trust", "rate", "reach")})
