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
