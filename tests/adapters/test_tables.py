"""Tables of reports become entries: CSV by their columns, JSON lines as they say, in order of reception."""

import json
import math

import numpy as np
import pytest

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
    for octets in ("time,sensor".encode("utf-16"), b"\x80" * 50, b"time,kind,lat_deg,lon_deg,by\n2025-08-05T19:52:02Z,heard,1,2,\xff\n"):
        path.write_bytes(octets)
        with pytest.raises(InputError, match="no CSV"):
            list(TableSource(path, TABLE))
