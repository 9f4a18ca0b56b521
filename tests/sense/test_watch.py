"""Sensors are watched: silence, clocks, status, lies; bearings stay bearings; a source's own tracks are no news."""

import json
import math

import numpy as np
import pytest
from sense_entries import SOURCE, at, block, entry, plot, radar, table

from lapwing.model.entries import TICK, Entry
from lapwing.model.plots import KIND_PSR
from lapwing.model.sensors import ADSB, MLAT, OBSERVER, Sensor
from lapwing.record import codec
from lapwing.sense import SenseSetup, State, heights, step
from lapwing.sense.asterix.encode import encode_block


class Run:
    """Steps the stage; remembers what was refused."""

    def __init__(self, *sensors):
        self.state, self.setup, self.rows, self.sequence = State(), SenseSetup(sensors=table(*sensors)), [], 0

    def step(self, *entries, now_s):
        self.state, found = step(self.state, entries, self.setup, at(now_s))
        self.rows += found.refusals
        return found

    def send(self, payload, now_s, **more):
        self.sequence += 1
        return self.step(entry(payload, now_s, self.sequence, **more), now_s=now_s)

    def tick(self, now_s):
        return self.step(Entry(0, at(now_s), "clock", TICK, b""), now_s=now_s)

    @property
    def reasons(self):
        return [row.reason for row in self.rows]


def test_silence_of_a_turn_and_a_half_is_an_outage_said_once_and_so_is_the_return():
    run = Run(radar(rotation_s=4.0))
    run.send(block(plot(36_000.0)), 36_000.3)
    for second in range(1, 20):
        found = run.tick(36_000.3 + second)
        assert ("sensor_outage" in run.reasons) == (second > 6.5)
    assert found.health[0].state == "silent" and "no data from tulcea" in run.rows[0].detail
    assert run.send(block(plot(36_020.0)), 36_020.3).health[0].state == "reports"
    assert run.reasons == ["sensor_outage", "sensor_back"] and codec.decode(codec.encode(run.state)).memory


def test_what_reports_when_there_is_something_is_never_said_to_be_out():
    run = Run(Sensor("adsb", kind=ADSB, sac=25, sic=201))
    run.send(encode_block(21, [{"010": SOURCE, "073": 36_000.0}]), 36_000.3)
    run.tick(37_000.0)
    assert "sensor_outage" not in run.reasons


def test_a_heartbeat_that_stops_is_an_outage():
    run = Run(Sensor("mlat", kind=MLAT, sac=25, sic=201))
    for k in range(10):
        run.send(encode_block(19, [{"010": SOURCE, "000": 1, "140": 36_000.0 + k, "550": {
            "NOGO": 1 if k > 4 else 0, "OVL": 0, "TSV": 0, "TTF": 0}}]), 36_000.1 + k)
    assert run.reasons == ["sensor_status"] and run.rows[0].detail == "CAT019: degraded"
    run.tick(36_012.0)
    run.tick(36_014.0)
    assert run.reasons == ["sensor_status", "sensor_outage"]


def test_a_clock_that_is_ahead_is_said_once_with_its_amount():
    run = Run(radar(rotation_s=math.nan))
    for k in range(60):
        found = run.send(block(*(plot(36_001.5 + k, theta=10.0 * j) for j in range(3))), 36_000.5 + k)
    assert run.reasons.count("clock_off") == 1 and "1.0 s ahead" in run.rows[0].detail
    assert found.health[0].delay_s == pytest.approx(-1.0, abs=0.01)


def far(theta):
    return plot(None, theta=theta, rho=200.0)


def test_a_source_that_lies_is_shut_out_says_so_and_is_let_in_again_when_it_is_sound():
    run = Run(radar(rotation_s=math.nan, range_m_max=100_000.0))
    for k in range(5):
        run.send(block(*(far(10.0 * j + k) for j in range(5))), 36_000 + k)
    assert "quarantine_begun" in run.reasons and "out_of_reach" in run.reasons
    found = run.send(block(plot(None)), 36_010)
    assert not len(found.plots) and found.health[0].state == "quarantined" and run.reasons[-1] == "quarantined"
    for k in range(400):
        found = run.send(block(plot(None, theta=k % 360)), 36_011 + k)
        if len(found.plots):
            break
    assert 180 <= 36_011 + k - 36_004 <= 370 and "quarantine_lifted" in run.reasons


def test_a_person_lifts_a_quarantine_and_sets_one():
    run = Run(radar(rotation_s=math.nan, range_m_max=100_000.0))
    for k in range(5):
        run.send(block(*(far(10.0 * j + k) for j in range(5))), 36_000 + k)

    def order(action, now_s, sensor="tulcea"):
        text = json.dumps({"time": "2025-08-05T10:00:00Z", "sensor": sensor, "action": action, "by": "Ana"}).encode()
        return run.send(text, now_s, format_="sensor")

    order("lift", 36_010)
    assert len(run.send(block(plot(None)), 36_011).plots) == 1 and "lifted by Ana" in run.rows[-1].detail
    order("quarantine", 36_012)
    assert not len(run.send(block(plot(None, theta=20)), 36_013).plots)
    order("lift", 36_014, sensor="nobody")
    assert run.reasons[-1] == "unknown_sensor"


def test_jumps_and_frozen_places_of_an_aircraft_are_refused_and_the_sound_ones_kept():
    def place(k, lat):
        return encode_block(21, [{"010": SOURCE, "080": 0x4A1234, "073": 36_000.0 + k, "130": {"LAT": lat, "LON": 28.8},
                                  "160": {"RE": 0, "GS": 200 / 3600, "TA": 0.0}}])

    run = Run(Sensor("adsb", kind=ADSB, sac=25, sic=201))
    kept = [len(run.send(place(k, 47.5 if k == 5 else 45.0 + 0.0005 * k), 36_000.2 + k).plots) for k in range(10)]
    assert kept == [1] * 5 + [0] + [1] * 4 and run.reasons == ["impossible_speed"]
    kept = [len(run.send(place(20 + k, 45.02), 36_020.2 + k).plots) for k in range(30)]
    assert sum(kept) == 21 and set(run.reasons) == {"impossible_speed", "frozen_position"}


def test_a_sources_own_tracks_are_left_out_while_its_plots_are_had():
    def track(k):
        return encode_block(62, [{"010": SOURCE, "040": 7, "070": 36_000.0 + k, "080": {}, "105": {"LAT": 45.3, "LON": 28.9}}])

    run = Run(radar(rotation_s=math.nan))
    assert len(run.send(track(0), 36_000.2).plots) == 1
    assert len(run.send(block(plot(36_001.0)), 36_001.2).plots) == 1
    assert not len(run.send(track(2), 36_002.2).plots) and run.reasons == ["own_track"]
    assert len(run.send(track(100), 36_100.2).plots) == 1


def test_a_direction_finder_gives_bearings_and_never_a_point():
    here = {"LAT": 45.0, "LON": 28.0}
    rows = [{"010": SOURCE, "000": 5, "030": 36_000.0, "050": here, "070": 123.45},
            {"010": SOURCE, "000": 1, "030": 36_000.0, "050": here, "090": "121.500"},
            {"010": SOURCE, "000": 2, "030": 36_000.0, "060": {"X": 50_000.0, "Y": 0.0}, "080": 90.0}]
    run = Run(Sensor("df", kind=OBSERVER, sac=25, sic=201, latitude_rad=math.radians(45.2), longitude_rad=math.radians(28.8),
                     azimuth_rad_sigma=math.radians(2.0)))
    found = run.send(encode_block(205, rows), 36_000.5)
    assert not len(found.plots) and len(found.bearings) == 2 and run.reasons == ["radio_fix"]
    assert math.degrees(found.bearings.azimuth_rad[0]) == pytest.approx(123.45) and not found.bearings.sound.any()
    assert math.degrees(found.bearings.longitude_rad[1]) == pytest.approx(28.8 + 0.635, abs=0.01)
    # Grid north at 50 km east of the plane's origin leans by the convergence, 0.635 * sin(45.2) degrees.
    assert math.degrees(found.bearings.azimuth_rad[1]) == pytest.approx(90.0 + 0.45, abs=0.02)


def test_passive_radar_takes_its_covariance_from_the_report_and_a_lone_azimuth_stays_a_bearing():
    base = {"010": SOURCE, "000": {"MT": 1, "RG": 0}, "145": 36_000.0}
    rows = [base | {"600": {"P84": {"LATITUDE": 45.3, "LONGITUDE": 28.9}, "HPP": {"SDHPX": 100.0, "SDHPY": 50.0, "COSDHPXY": 0.5}},
                    "601": {"GH": 321.0, "SDGH": 40.0}},
            base | {"020": {"MOMU": 0, "TTAX": 3, "SCD": 0}, "600": {"P84": {"LATITUDE": 45.3, "LONGITUDE": 28.9}}},
            base | {"627": {"AZ": 90.0}}]
    run = Run(Sensor("pcl", kind=MLAT, sac=25, sic=201, latitude_rad=math.radians(45.2), longitude_rad=math.radians(28.8)))
    found = run.send(encode_block(15, rows), 36_000.5)
    assert found.plots.kind.tolist() == [KIND_PSR] and found.plots.height_m[0] == 321.0 and found.plots.height_m_sigma[0] == 40.0
    assert np.allclose(found.plots.position_cov_m2[0], [[10_000, 2_500], [2_500, 2_500]])
    assert len(found.bearings) == 1 and math.degrees(found.bearings.azimuth_rad[0]) == pytest.approx(90.0)
    assert run.reasons == ["simulated"]


def test_pressure_moves_a_flight_level_by_eight_metres_a_hectopascal_and_makes_it_surer():
    level = {"V": 0, "G": 0, "FL": 20.0}
    found = [Run(radar(qnh_hpa=qnh)).send(block(plot(36_000.0, i090=level)), 36_000.2).plots for qnh in (math.nan, 1013.25, 1000.0)]
    height = [float(p.height_m[0]) for p in found]
    assert height[0] == height[1] and height[2] - height[0] == pytest.approx(-111.0, abs=1.0)
    assert found[1].height_m_sigma[0] < found[0].height_m_sigma[0]
    assert heights.qnh_shift_m(math.nan) == 0.0


def test_a_flood_over_one_link_is_cut_off_and_counted():
    run = Run()
    text = b'{"time": "2025-08-05T10:00:00Z", "kind": "seen", "lat_deg": 45, "lon_deg": 28, "text": "%d"}'
    entries = [entry(text % k, 36_000.0, k, format_="sighting", link="one") for k in range(80)]
    found = run.step(*entries, entry(text % 99, 36_000.0, 99, format_="sighting", link="two"), now_s=36_000.0)
    assert len(found.reports) == 51 and [(r.reason, r.count) for r in run.rows] == [("rate_limit", 30)]


def test_how_far_a_radar_saw_stands_beside_what_its_horizon_and_range_allow():
    run = Run(radar(rotation_s=math.nan, range_m_max=100_000.0))
    # 24 plots in each of 36 sectors, at 30 NM, but only 10 NM in the nine sectors of the north-east.
    for k in range(24):
        found = run.send(block(*(plot(None, theta=10.0 * j + 5.0, rho=10.0 if j < 9 else 30.0) for j in range(36))), 36_000 + 3 * k)
        assert math.isnan(found.health[0].coverage_share) == (k < 19)
    health = found.health[0]
    assert health.coverage_share == 27 / 36 and health.reach_m == 30.0 * 1_852.0 and health.reach_m_expected == 100_000.0
    # Half an hour of silence from there later nothing of it counts any more.
    run.send(block(plot(None)), 37_000)
    health = run.send(block(plot(None)), 38_000).health[0]
    assert math.isnan(health.coverage_share) and health.reach_m == 20.0 * 1_852.0


def test_what_is_no_radar_has_no_coverage():
    run = Run(Sensor("adsb", kind=ADSB, sac=25, sic=201))
    found = run.send(encode_block(21, [{"010": SOURCE, "080": 0x4A1234, "073": 36_000.0, "130": {"LAT": 45.0, "LON": 28.8}}]), 36_000.2)
    assert len(found.plots) == 1 and math.isnan(found.health[0].reach_m) and math.isnan(found.health[0].coverage_share)
