"""`lapwing judge` on a tracks file, and a border file as home."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from flights import T0

from lapwing.cli.main import main
from lapwing.geo.border import signed_distance
from lapwing.judge.half_plane import half_plane, parse_border
from lapwing.model.errors import ConfigError
from lapwing.model.times import NS_PER_S

LINE = [(45.0, 28.0), (45.1, 28.5), (45.0, 29.0)]


def border_file(folder, side="right"):
    path = folder / "border.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [{
        "type": "Feature", "properties": {"name": "line", "home_side": side},
        "geometry": {"type": "LineString", "coordinates": [[lon, lat] for lat, lon in LINE]}}]}))
    return path


def tracks_file(folder, north_deg):
    """Two confirmed tracks at 28.2 E: one that flies south through these latitudes, one neutral beside it."""
    count = len(north_deg)
    stamp = pa.timestamp("ns", tz="UTC")
    times = pa.array(T0 + np.arange(count) * 4 * NS_PER_S).cast(stamp)
    parts = []
    for name, affiliation, shift in (("A", "unknown", 0.0), ("B", "neutral", 0.3)):
        parts.append(pa.table({
            "track_id": [name] * count, "time": times, "lat": np.asarray(north_deg) + shift,
            "lon": np.full(count, 28.2), "vx_east": np.zeros(count), "vy_north": np.gradient(north_deg) * 111_000 / 4,
            "confirmed": [True] * count, "affiliation": [affiliation] * count,
            "position_cov_ee_m2": np.full(count, 900.0), "position_cov_en_m2": np.zeros(count),
            "position_cov_nn_m2": np.full(count, 900.0)}))
    path = folder / "tracks.parquet"
    pq.write_table(pa.concat_tables(parts), path)
    return path


def test_side_of_a_line_is_home_as_the_file_says():
    north, south = np.radians([45.3]), np.radians([44.8])
    longitude = np.radians([28.5])
    right, left = (half_plane(LINE, side, name="l", sha256="") for side in ("right", "left"))
    assert signed_distance(right, south, longitude).signed_distance_m[0] < 0
    assert signed_distance(right, north, longitude).signed_distance_m[0] > 0
    assert signed_distance(left, north, longitude).signed_distance_m[0] < 0


def test_line_goes_straight_on_beyond_its_ends():
    home = half_plane(LINE, "right", name="l", sha256="")
    # 100 km beyond the eastern end on the last leg's course (0.2 degrees south a degree east): on the line.
    far = signed_distance(home, np.radians([44.74]), np.radians([30.25])).signed_distance_m[0]
    assert abs(far) < 3_000


def test_distances_to_the_scenarios_lines_are_those_of_their_answers(shared):
    """Of targets within 5 km; their answers are measured in a plane, up to 1 % off farther out."""
    for name in ("danube-night", "balloons-baltic"):
        folder = shared / "data" / "scenarios" / name
        home = parse_border((folder / "border.geojson").read_bytes(), "border.geojson", "")
        truth = pq.read_table(folder / "truth.parquet", columns=["truth_id", "lat", "lon"])
        distance = signed_distance(home, np.radians(np.asarray(truth["lat"])),
                                   np.radians(np.asarray(truth["lon"]))).signed_distance_m
        ids = np.asarray(truth["truth_id"])
        for target in json.loads((folder / "answers.json").read_text())["targets"]:
            stated = target["min_signed_distance_m"]
            if abs(stated) < 5_000:
                assert distance[ids == target["truth_id"]].min() == pytest.approx(stated, abs=3 + 0.012 * abs(stated))


def test_command_writes_a_line_for_each_track_judged_and_traffic_apart(tmp_path, capsys):
    tracks = tracks_file(tmp_path, 45.2 - 0.002 * np.arange(120))
    code = main(["judge", str(tracks), "--border", str(border_file(tmp_path)), "--out", str(tmp_path / "v.jsonl"),
                 "--traffic", str(tmp_path / "t.jsonl"), "--json"])
    assert code == 0
    rows = [json.loads(line) for line in (tmp_path / "v.jsonl").read_text().splitlines()]
    assert [(row["track_id"], row["verdict"], row["final"]) for row in rows] == [("A", "entered", True)]
    assert rows[0]["closest_m_low"] <= rows[0]["closest_m"] <= rows[0]["closest_m_high"]
    assert json.loads((tmp_path / "t.jsonl").read_text())["reason"] == "neutral"
    assert json.loads(capsys.readouterr().out)["entered"] == 1


@pytest.mark.parametrize("content", ["", "{}", '{"type": "LineString"}', "[1, 2", '{"features": 3}',
                                     '{"geometry": {"type": "LineString", "coordinates": [[1]]}, '
                                     '"properties": {"home_side": "left"}}'])
def test_border_file_that_is_none_is_refused_with_a_remedy(content):
    with pytest.raises(ConfigError) as refused:
        parse_border(content.encode(), "b.geojson", "")
    assert "b.geojson" in str(refused.value) and refused.value.remedy


def test_tracks_file_that_is_none_is_refused(tmp_path, capsys):
    path = tmp_path / "tracks.parquet"
    path.write_bytes(b"no parquet at all")
    assert main(["judge", str(path), "--border", str(border_file(tmp_path)), "--out", str(tmp_path / "v")]) == 2
    assert "tracks.parquet" in capsys.readouterr().err


def test_what_if_another_line_or_other_settings_are_told_beside_each_verdict(tmp_path, capsys):
    tracks = tracks_file(tmp_path, np.concatenate([45.2 - 0.001 * np.arange(60), 45.14 + 0.001 * np.arange(60)]))
    arguments = ["judge", str(tracks), "--border", str(border_file(tmp_path)), "--out", str(tmp_path / "v.jsonl")]
    box = [[27.0, 44.0], [30.0, 44.0], [30.0, 45.18], [27.0, 45.18], [27.0, 44.0]]
    other = tmp_path / "other.geojson"
    other.write_text(json.dumps({"type": "Polygon", "coordinates": [box]}))
    assert main([*arguments, "--what-if", str(other), "--json"]) == 0
    row = json.loads((tmp_path / "v.jsonl").read_text())
    assert row["verdict"] == "not_entered" and row["what_if"]["verdict"] == "entered"
    assert json.loads(capsys.readouterr().out)["changed"][0].startswith("A: not_entered -> entered")
    settings = tmp_path / "other.toml"
    settings.write_text("[judge]\nentered_prob = 2.0\n")
    assert main([*arguments, "--what-if", str(settings)]) == 2
    assert "entered_prob = 2.0" in capsys.readouterr().err
    settings.write_text("not_entered_prob = 0.0\nentered_prob = 1.0\n")
    assert main([*arguments, "--what-if", str(settings)]) == 0


def truth_file(folder, north_deg):
    """The object behind track A, a second early and late."""
    seconds = np.arange(-4.0, 4.0 * len(north_deg))
    at = np.interp(seconds, 4.0 * np.arange(len(north_deg)), north_deg)
    count = len(seconds)
    path = folder / "truth.parquet"
    pq.write_table(pa.table({
        "truth_id": np.ones(count, np.int64), "class": ["drone"] * count,
        "time": pa.array(T0 + (seconds * NS_PER_S).astype(np.int64)).cast(pa.timestamp("ns", tz="UTC")), "lat": at,
        "lon": np.full(count, 28.2), "alt_m": np.full(count, 200.0), "v_east": np.zeros(count),
        "v_north": np.gradient(at, seconds) * 111_000, "v_up": np.zeros(count), "in_play": [True] * count}), path)
    return path


def test_scores_tell_right_verdicts_from_wrong_ones(tmp_path, capsys):
    north = 45.2 - 0.002 * np.arange(120)
    tracks, truth, border = tracks_file(tmp_path, north), truth_file(tmp_path, north), border_file(tmp_path)
    verdicts = tmp_path / "v.jsonl"
    assert main(["judge", str(tracks), "--border", str(border), "--out", str(verdicts), "--json"]) == 0
    capsys.readouterr()
    score = ["score", "verdicts", str(verdicts), "--tracks", str(tracks), "--truth", str(truth), "--border", str(border)]
    assert main(score) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["objects"], figures["wrong"], figures["interval_holds_share"]) == (1, 0, 1.0)
    assert figures["entry_time_error_s_median"] < 2.0
    verdicts.write_text(verdicts.read_text().replace('"verdict":"entered"', '"verdict":"not_entered"'))
    assert main(score) == 1
    assert json.loads(capsys.readouterr().out)["wrong_objects"][0]["verdict"] == "not_entered"
    verdicts.write_text('{"track_id": "A"}\n')
    assert main(score) == 2 and "line 1" in capsys.readouterr().err


def test_forecast_command_tells_when_and_where(tmp_path, capsys):
    # 0.002 degrees in 4 s is 55 m/s; at the 30th row 45.14: some 11 km from the line, 200 s.
    tracks = tracks_file(tmp_path, 45.2 - 0.002 * np.arange(60))
    arguments = ["forecast", str(tracks), "--border", str(border_file(tmp_path))]
    assert main([*arguments, "--at", "2025-08-05T20:02:00Z"]) == 0
    row = json.loads(capsys.readouterr().out.splitlines()[0])
    assert row["track_id"] == "A" and row["time"].startswith("2025-08-05T20:02:00")
    assert 0.4 < row["entry_5_prob"] <= row["entry_10_prob"] <= row["entry_15_prob"] <= 1.0
    assert row["earliest_time"] <= row["entry_time_50"] and row["straight_time"] is not None
    assert row["entry_lat_deg"] == pytest.approx(45.04, abs=0.02)
    assert main([*arguments, "--every", "60", "--out", str(tmp_path / "f.jsonl")]) == 0
    assert len((tmp_path / "f.jsonl").read_text().splitlines()) == 8
    assert main([*arguments, "--at", "yesterday"]) == 2


def test_alarms_are_written_of_the_own_airspace_and_of_geozones(tmp_path, capsys):
    tracks = tracks_file(tmp_path, 45.2 - 0.002 * np.arange(120))
    zones = tmp_path / "zones.json"
    zones.write_text(json.dumps({"features": [{"identifier": "Z1", "restriction": "PROHIBITED", "geometry": [{
        "horizontalProjection": {"type": "Circle", "center": [28.2, 45.12], "radius": 1000}}]}]}))
    alarms, border = tmp_path / "alarms.jsonl", border_file(tmp_path)
    arguments = ["judge", str(tracks), "--border", str(border), "--out", str(tmp_path / "v.jsonl"), "--alarms", str(alarms)]
    assert main([*arguments, "--geozones", str(zones)]) == 0
    words = [json.loads(line) for line in alarms.read_text().splitlines()]
    assert {word["volume"] for word in words} == {"XX", "Z1"} and {word["track_id"] for word in words} == {"A"}
    first = {word["volume"]: word for word in words if word["state"] == "raised"}
    assert first["XX"]["level"] == "red" and first["XX"]["inside_time"]["nominal"] > first["XX"]["time"]
    octets = (tmp_path / "alarms.ast").read_bytes()
    assert octets[0] == 4 and len(octets) > 40 * len(words)
    truth = truth_file(tmp_path, 45.2 - 0.002 * np.arange(120))
    assert main(["score", "alarms", str(alarms), "--tracks", str(tracks), "--truth", str(truth), "--border", str(border)]) == 0
    capsys.readouterr()
    zones.write_text("{}")
    assert main([*arguments, "--geozones", str(zones)]) == 2 and "features" in capsys.readouterr().err


def test_neighbours_are_judged_by_the_packs_of_a_country_and_a_border_file_has_none(tmp_path, capsys):
    # South along 28.2 E from 45.5 N, over the Danube at some 45.46 N: first over Moldova and Ukraine, which meet Romania near Giurgiulesti.
    tracks = tracks_file(tmp_path, 45.55 - 0.002 * np.arange(60))
    out, theirs = tmp_path / "v.jsonl", tmp_path / "n.jsonl"
    assert main(["judge", str(tracks), "--country", "ro", "--out", str(out), "--neighbours", str(theirs), "--json"]) == 0
    rows = [json.loads(line) for line in theirs.read_text().splitlines()]
    assert {row["track_id"] for row in rows} == {"A"} and {row["country"] for row in rows} == {"MD", "UA"}
    assert json.loads(capsys.readouterr().out)["neighbours"] == {
        code: sum(row["country"] == code and row["verdict"] == "entered" for row in rows) for code in ("MD", "UA")}
    assert all(row["boundary"]["name"] in ("Moldova", "Ukraine") for row in rows)
    assert main(["judge", str(tracks), "--border", str(border_file(tmp_path)), "--out", str(out), "--neighbours", str(theirs)]) == 0
    assert theirs.read_text() == ""
