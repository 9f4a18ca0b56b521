"""`lapwing simulate`: folders in the layout of the reference scenarios, readable by what reads those."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from lapwing.adapters.files import RecordingSource
from lapwing.cli.main import main
from lapwing.sense.sensors_file import parse_sensors


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    folder = tmp_path_factory.mktemp("story")
    assert main(["simulate", "sumskas-slow-faller", "--seed", "4", "--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    folder = tmp_path_factory.mktemp("night")
    assert main(["simulate", "--night", "danube", "--country", "ro", "--seed", "4", "--minutes", "3", "--out", str(folder)]) == 0
    return folder


def test_layout_is_that_of_the_reference_scenarios(shared, night, story):
    reference = shared / "data/scenarios/danube-night"
    for name in ("plots.parquet", "truth.parquet", "plot_origin.parquet"):
        wanted = pq.read_schema(reference / name)
        for folder in (night, story):
            found = pq.read_schema(folder / name)
            assert found.names == wanted.names
            for field in wanted:
                assert str(found.field(field.name).type) == str(field.type), (name, field.name)
    wanted = json.loads((reference / "scenario.json").read_text())
    for folder in (night, story):
        found = json.loads((folder / "scenario.json").read_text())
        assert set(wanted) <= set(found) and set(wanted["radars"][0]) <= set(found["radars"][0])
    assert set(json.loads((reference / "answers.json").read_text())["targets"][0]) <= set(
        json.loads((night / "answers.json").read_text())["targets"][0])


def test_plots_stand_in_order_of_arrival_with_one_origin_each(night):
    plots, origin = pq.read_table(night / "plots.parquet"), pq.read_table(night / "plot_origin.parquet")
    received = np.asarray(plots["recv_time"].cast("int64"))
    assert np.all(np.diff(received) >= 0) and plots.num_rows == origin.num_rows
    wait_s = (received - np.asarray(plots["time"].cast("int64"))) / 1e6
    assert wait_s.min() > 0.0 and wait_s.max() < 12.0
    steps = np.asarray(plots["slant_range_m"]) / (1852.0 / 256.0)
    assert np.abs(steps - np.rint(steps)).max() < 0.02
    assert set(plots["mode3a"].drop_null().to_pylist()) == {t["mode3a"] for t in json.loads(
        (night / "answers.json").read_text())["targets"] if t["mode3a"]} & set(plots["mode3a"].to_pylist())


def test_scenario_json_is_a_sensor_table(night):
    sensors = parse_sensors((night / "scenario.json").read_bytes(), "scenario.json")
    assert [s.id for s in sensors.rows] == ["R1", "R2", "R3"] and all(s.has_position for s in sensors.rows)
    assert sensors.rows[0].false_plots_per_scan > 50.0


def test_recordings_hold_the_same_octets_raw_and_captured(story):
    links = sorted(p.stem for p in story.glob("*.ast"))
    assert links == ["LT-ADSB", "LT-GF-1", "LT-LR-1"]
    captured = [payload for _, _, _, payload in RecordingSource(story / "all.pcap")]
    assert sum(map(len, captured)) == sum((story / f"{link}.ast").stat().st_size for link in links)
    sensors = parse_sensors((story / "sensors.toml").read_bytes(), "sensors.toml")
    assert {"LT-GF-1", "LT-LR-1", "LT-ADSB"} <= {s.id for s in sensors.rows}
    said = [json.loads(line) for line in (story / "persons.jsonl").read_text().splitlines()]
    assert said and {row["format"] for row in said} <= {"acoustic", "sighting", "patrol", "identify"}


def test_same_seed_writes_the_same_octets(story, tmp_path):
    assert main(["simulate", "sumskas-slow-faller", "--seed", "4", "--out", str(tmp_path)]) == 0
    for path in story.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


@pytest.mark.parametrize(("words", "says"), [
    (["nowhere"], "no story 'nowhere'"), (["--night", "danube"], "needs a country"), ([], "name a story or a night"),
    (["--night", "danube", "--country", "ro", "--neighbour", "SE"], "shares no line"),
    (["--night", "danube", "--country", "ro", "--minutes", "0"], "--minutes"),
    (["--night", "danube", "--country", "zz"], "zz"), (["--night", "danube", "--country", "ro", "--seed", "-1"], "--seed"),
    (["orlivka-800m", "--seed", "-5"], "--seed"), (["missing.yaml"], "missing.yaml")])
def test_what_cannot_be_made_is_said(words, says, tmp_path, capsys):
    assert main(["simulate", *words, "--out", str(tmp_path / "x")]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
