"""Tables of reports become entries: CSV by their columns, JSON lines as they say, in order of reception."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing import sense
from lapwing.adapters.tables import TableSource
from lapwing.model.entries import Entry
from lapwing.model.errors import InputError
from lapwing.model.sensors import Sensor, SensorTable
from lapwing.runtime.opening import open_recordings

TABLE = SensorTable((Sensor("tulcea", latitude_rad=math.radians(45.19), longitude_rad=math.radians(28.8), height_m=150.0),))


def read(tmp_path, text, name="rows.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    items = list(TableSource(path, TABLE))
    entries = tuple(Entry(k, *item) for k, item in enumerate(items))
    return items, sense.step(sense.State(), entries, sense.SenseSetup(sensors=TABLE), entries[-1].received_ns)[1]


def test_plots_as_csv_lie_where_the_radar_saw_them(tmp_path):
    _, found = read(tmp_path, "time,received,sensor,range_m,azimuth_deg,plot_type,flight_level,icao_address\n"
                    "2025-08-05T19:52:02.5Z,2025-08-05T19:52:03Z,tulcea,40000,90,cmb,100,4A1234\n"
                    "2025-08-05T19:52:01.5Z,2025-08-05T19:52:02Z,tulcea,20000,0,psr,,\n")
    assert found.plots.range_m.tolist() == [20_000.0, 40_000.0] and found.plots.icao_address.tolist() == [-1, 0x4A1234]
    assert not found.refusals and np.isfinite(found.plots.latitude_rad).all()


@pytest.mark.parametrize(("text", "what"), [
    ("time,sensor,azimuth_deg,lat_deg,lon_deg\n2025-08-05T19:52:02Z,ear,211,45.2,28.4\n", "bearings"),
    ("time,sensor,lat_deg,lon_deg,altitude_m_amsl,ground_mps,track_deg\n2025-08-05T19:52:02Z,eye,45.2,28.4,200,50,90\n", "plots"),
    ("time,kind,lat_deg,lon_deg,by,text\n2025-08-05T19:52:02Z,heard,45.2,28.4,Ana,\"a motor, low\"\n", "reports"),
    ("time,patrol,event,place,by\n2025-08-05T19:52:02Z,Barza,airborne,Tulcea,Ana\n", "reports"),
    ("time,affiliation,icao_address,by\n2025-08-05T19:52:02Z,friend,4A1234,Ana\n", "reports"),
    ("time,lat_deg,lon_deg,radius_m,by\n2025-08-05T19:52:02Z,45.2,28.4,500,Ana\n", "reports"),
])
def test_rows_are_what_their_columns_say(tmp_path, text, what):
    _, found = read(tmp_path, text)
    assert len(getattr(found, what)) == 1 and not found.refusals


@pytest.mark.parametrize(("text", "where"), [
    ("a,b\n1,2\n", "rows.csv"), ("time,kind,lat_deg,lon_deg\nnever,seen,1,2\n", "line 2"),
    ("time,kind,lat_deg,lon_deg\n2025-08-05T19:52:02Z,seen,north,2\n", "line 2"),
    ("time,sensor,range_m,azimuth_deg\n2025-08-05T19:52:02Z,nobody,1,2\n", "line 2"),
    ("time,kind,lat_deg,lon_deg\n2025-08-05T19:52:02Z,seen,1\n", "line 2"),
])
def test_a_wrong_row_is_named_with_its_line(tmp_path, text, where):
    with pytest.raises(InputError, match=where):
        read(tmp_path, text)


def test_json_lines_are_merged_with_recordings_by_time(tmp_path):
    from lapwing.sense.asterix.encode import encode_block

    rows = [{"format": "sighting", "link": "112", "received": f"1970-01-01T10:00:0{k}Z", "record": {
        "time": f"1970-01-01T10:00:0{k}Z", "kind": "seen", "lat_deg": 45, "lon_deg": 28, "by": "Ana"}} for k in (3, 1)]
    (tmp_path / "persons.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "r.ast").write_bytes(b"".join(encode_block(48, [{"010": {"SAC": 1, "SIC": 2}, "140": 36_000.0 + k}]) for k in (0, 2, 4)))
    opened = open_recordings([tmp_path / "r.ast", tmp_path / "persons.jsonl"], SensorTable(), None)
    assert [item[2] for item in opened.items] == ["asterix", "sighting", "asterix", "sighting", "asterix"]


@pytest.mark.parametrize(("columns", "remedy"), [
    ("time,latitude,longitude", "latitude is called lat_deg here"), ("sensor,time,range_km,azimuth_deg", "write range_m, converted"),
    ("sensor,time,range_m,azimuth_deg,squawk", "squawk is called mode3a here"), ("sensor,time,lat_deg,lon_deg,speed_kt", "ground_mps"),
    ("sensor,time,lat_deg,lon_deg,colour", "known are altitude_m_amsl"), ("", "sensor, time, lat_deg, lon_deg"),
])
def test_a_column_of_another_name_or_unit_is_refused_with_the_right_one(tmp_path, columns, remedy):
    with pytest.raises(InputError) as caught:
        read(tmp_path, f"{columns}\n")
    assert remedy in str(caught.value)


def test_a_table_that_is_no_text_is_refused_in_words(tmp_path):
    path = tmp_path / "rows.csv"
    for octets in ("time,sensor".encode("utf-16"), b"\x80" * 50):
        path.write_bytes(octets)
        with pytest.raises(InputError, match="no CSV"):
            list(TableSource(path, TABLE))


GOOD = b"2025-08-05T19:52:0%dZ,heard,45.2,28.4,Ana\n"


@pytest.mark.parametrize(("bad", "why"), [
    (b"2025-08-05T19:52:02Z,heard,1,2,\xff\n", "by holds octets that are no UTF-8"),
    (b"2025-08-05T19:52:02Z,heard,north,2,Ana\n", "lat_deg = 'north'"),
    (b"never,heard,1,2,Ana\n", "time 'never'"), (b"2025-08-05T19:52:02Z,heard,1\n", "3 fields, the header has 5"),
    (b"2025-08-05T19:52:02Z,heard,1,2,Ana,more\n", "6 fields"), (b"\x00\x00\n", "1 fields"), (b"x" * 200_000 + b"\n", "field larger"),
])
@pytest.mark.parametrize("at", [0, 2])
def test_a_bad_row_is_counted_with_line_and_reason_and_costs_no_other(tmp_path, bad, why, at):
    path = tmp_path / "rows.csv"
    rows = [GOOD % 1, GOOD % 3]
    rows.insert(at, bad)
    path.write_bytes(b"time,kind,lat_deg,lon_deg,by\n" + b"".join(rows))
    items = list(TableSource(path, TABLE))
    found = sense.step(sense.State(), tuple(Entry(k, *item) for k, item in enumerate(items)), sense.SenseSetup(sensors=TABLE),
                       items[-1][0])[1]
    assert len(found.reports) == 2 and [(one.reason, one.count) for one in found.refusals] == [("bad_row", 1)]
    assert f"rows.csv line {at + 2}: " in found.refusals[0].detail and why in found.refusals[0].detail


def test_a_bad_line_of_records_costs_no_other(tmp_path):
    good = json.dumps({"format": "sighting", "received": "2025-08-05T19:52:02Z", "record": {
        "time": "2025-08-05T19:52:02Z", "kind": "seen", "lat_deg": 45, "lon_deg": 28, "by": "Ana"}})
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join([good, "{", good, '{"format": "x", "received": "2025-08-05T19:52:02Z", "record": {}}', "[]", good]))
    kinds = [item[2] for item in TableSource(path, TABLE)]
    assert sorted(kinds) == ["bad_row"] * 3 + ["sighting"] * 3


@given(st.binary(max_size=400), st.integers(0, 2))
def test_no_octets_in_a_table_stop_the_rows_before_them(tmp_path_factory, octets, kind):
    path = tmp_path_factory.mktemp("t") / ("rows.jsonl" if kind == 2 else "rows.csv")
    head = [b"time,kind,lat_deg,lon_deg,by\n" + GOOD % 1, b"time,sensor,range_m,azimuth_deg\n2025-08-05T19:52:02Z,tulcea,900,1\n",
            b'{"format": "sighting", "received": "2025-08-05T19:52:02Z", "record": {}}\n'][kind]
    path.write_bytes(head + octets)
    items = list(TableSource(path, TABLE))
    sense.step(sense.State(), tuple(Entry(k, *item) for k, item in enumerate(items)), sense.SenseSetup(sensors=TABLE), items[-1][0])
    assert sum(item[2] != "bad_row" for item in items) >= 1
