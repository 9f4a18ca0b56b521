"""`lapwing track`, `score tracks` and `plot` on a made-up scene, as a user runs them."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from lapwing.cli.main import main


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    assert main(["simulate", "--night", "crossing", "--country", "ro", "--seed", "4", "--minutes", "2", "--out", str(folder)]) == 0
    return folder / "two-at-10deg"


@pytest.fixture(scope="module")
def tracked(scene, tmp_path_factory):
    out = tmp_path_factory.mktemp("tracked")
    assert main(["track", str(scene / "plots.parquet"), "--sensors", str(scene / "scenario.json"), "--out", str(out / "t.parquet"),
                 "--registration", str(out / "r.jsonl"), "--clutter-map", str(out / "map.npz")]) == 0
    return out


def test_rows_are_emitted_no_earlier_than_the_plots_they_rest_on_arrived(tracked):
    table = pq.read_table(tracked / "t.parquet")
    emitted = np.array(table["emit_time"].cast("int64"))
    assert len(emitted) > 50
    assert (emitted >= np.array(table["last_plot_time"].cast("int64"))).all()
    assert (emitted >= np.array(table["time"].cast("int64"))).all()


def test_registration_is_written_as_json_lines_with_sigmas(tracked):
    lines = [json.loads(line) for line in (tracked / "r.jsonl").read_text().splitlines()]
    assert set(lines[0]) == {"time", "sensor", "range_m", "range_m_sigma", "azimuth_deg", "azimuth_deg_sigma", "time_s", "time_s_sigma"}
    assert lines[-1]["range_m_sigma"] > 0


def test_clutter_map_of_one_run_is_read_by_the_next(scene, tracked, tmp_path):
    before = (tracked / "map.npz").read_bytes()
    (tmp_path / "map.npz").write_bytes(before)
    assert main(["track", str(scene / "plots.parquet"), "--sensors", str(scene / "scenario.json"), "--out",
                 str(tmp_path / "t.parquet"), "--clutter-map", str(tmp_path / "map.npz")]) == 0
    with np.load(tracked / "map.npz") as old, np.load(tmp_path / "map.npz") as new:
        name = next(name for name in old.files if name.endswith("/scans"))
        assert new[name][0] > old[name][0]


def test_from_and_until_leave_out_what_arrived_before_and_then(scene, tmp_path):
    plots = pq.read_table(scene / "plots.parquet")
    begin = plots["recv_time"][0].as_py()
    middle = begin.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
    assert main(["track", str(scene / "plots.parquet"), "--sensors", str(scene / "scenario.json"), "--out",
                 str(tmp_path / "t.parquet"), "--until", middle]) == 0
    assert pq.read_table(tmp_path / "t.parquet").num_rows == 0
    assert main(["track", str(scene / "plots.parquet"), "--sensors", str(scene / "scenario.json"), "--out",
                 str(tmp_path / "u.parquet"), "--from", middle]) == 0
    assert pq.read_table(tmp_path / "u.parquet").num_rows > 0


def test_score_gives_gospa_consistency_and_registration_error(scene, tracked, capsys):
    assert main(["score", "tracks", str(scene / "truth.parquet"), str(tracked / "t.parquet"), "--answers",
                 str(scene / "answers.json"), "--registration", str(tracked / "r.jsonl")]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["siap"]["completeness"] > 0.5
    assert figures["gospa_mean"] < 500.0
    assert "inside_95_share" in figures["nees"]
    assert figures["registration_error"]


def test_plot_draws_a_picture(scene, tracked, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    assert main(["plot", str(scene), "--tracks", str(tracked / "t.parquet"), "--out", str(tmp_path / "p.png")]) == 0
    assert (tmp_path / "p.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert "2 objects" in capsys.readouterr().out


def test_file_that_is_no_plots_file_is_refused_with_a_remedy(scene, tmp_path, capsys):
    (tmp_path / "x.parquet").write_bytes(b"nothing")
    status = main(["track", str(tmp_path / "x.parquet"), "--sensors", str(scene / "scenario.json"), "--out", str(tmp_path / "t.parquet")])
    assert status == 2
    assert "x.parquet" in capsys.readouterr().err
