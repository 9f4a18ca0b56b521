"""`lapwing warn` and `lapwing score warnings` on a made-up approach to Isaccea."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lapwing.cli.main import main

START_NS = 1_754_424_000_000_000_000   # 2025-08-05T20:00:00Z


@pytest.fixture(scope="module")
def approach(tmp_path_factory):
    """One drone from 25 km north of Isaccea straight over it at 50 m/s, in tracks.parquet and truth.parquet."""
    folder = tmp_path_factory.mktemp("approach")
    seconds = np.arange(0.0, 700.0, 4.0)
    lat = 45.2694 + (25_000.0 - 50.0 * seconds) / 111_132.0
    count = len(seconds)
    time = pa.array(START_NS + (seconds * 1e9).astype(np.int64), pa.timestamp("ns", tz="UTC"))
    zero = np.zeros(count)
    pq.write_table(pa.table({
        "track_id": ["20250805-0001"] * count, "time": time, "emit_time": time, "lat": lat, "lon": zero + 28.4586,
        "vx_east": zero, "vy_north": zero - 50.0, "confirmed": [True] * count, "sensor_count": [2] * count,
    }), folder / "tracks.parquet")
    pq.write_table(pa.table({
        "truth_id": [1] * count, "class": ["drone"] * count, "time": time.cast(pa.timestamp("us", tz="UTC")), "lat": lat,
        "lon": zero + 28.4586, "v_east": zero, "v_north": zero - 50.0, "in_play": [True] * count,
    }), folder / "truth.parquet")
    assert main(["warn", str(folder / "tracks.parquet"), "--country", "ro", "--out", str(folder / "out")]) == 0
    return folder


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_isaccea_is_warned_in_time_and_told_the_end(approach):
    alerts = rows(approach / "out" / "alerts.jsonl")
    first = next(a for a in alerts if a["level"] == "alert" and any(z["name"] == "Isaccea" for z in a["zones"]))
    assert first["sent"] < "2025-08-05T20:04:20"       # within 3 km from 20:07:20 on
    assert alerts[-1]["level"] == "all_clear"
    for alert in alerts:
        assert (approach / "out" / alert["cap_file"]).is_file()


def test_the_record_says_what_the_person_saw(approach):
    approved = [d for d in rows(approach / "out" / "decisions.jsonl") if d["action"] == "approve"]
    assert approved
    assert all("people" in d["saw"] for d in approved)


def test_the_score_names_every_policy_and_bar(approach, capsys):
    out = approach / "score.json"
    assert main(["score", "warnings", "--truth", str(approach / "truth.parquet"), "--messages",
                 str(approach / "out" / "alerts.jsonl"), "--country", "ro", "--json", str(out)]) == 0
    found = json.loads(out.read_text())
    assert set(found) >= {"lapwing", "B0", "B1", "B2", "bars", "ranking"}
    assert found["lapwing"]["missed_share"] == 0.0
    assert found["lapwing"]["silent_ends"] == 0
    assert found["lapwing"]["alarms_per_person"] <= 1.3
    assert "cheapest first" in capsys.readouterr().out


def test_nobody_decides_nothing_is_sent_and_it_lapses_loudly(approach, capsys):
    assert main(["warn", str(approach / "tracks.parquet"), "--country", "ro", "--delay", "-1", "--json", "--out",
                 str(approach / "none")]) == 0
    counts = json.loads(capsys.readouterr().out)
    assert counts["alert"] == 0
    assert counts["lapsed"] > 0


@pytest.mark.parametrize("text", ["alert_prob = 2.0", "alert_probability = 0.1", "[officers]\nspeed = 1", "= 3"])
def test_a_wrong_policy_is_refused(approach, tmp_path, capsys, text):
    (tmp_path / "policy.toml").write_text(text)
    assert main(["warn", str(approach / "tracks.parquet"), "--country", "ro", "--policy", str(tmp_path / "policy.toml"),
                 "--out", str(tmp_path / "out")]) == 2
    assert "policy.toml" in capsys.readouterr().err


def test_a_policy_may_change_numbers_and_the_officers(approach, tmp_path, capsys):
    (tmp_path / "policy.toml").write_text("alert_prob = 0.9\nkeep_prob = 0.9\npre_alert_prob = 1.0\n[officers]\nofficer_s = 5\n")
    assert main(["warn", str(approach / "tracks.parquet"), "--country", "ro", "--policy", str(tmp_path / "policy.toml"),
                 "--json", "--out", str(tmp_path / "out")]) == 0
    assert json.loads(capsys.readouterr().out)["messages"] < len(rows(approach / "out" / "alerts.jsonl"))


@pytest.mark.slow
def test_nights_go_on_where_they_were_left(tmp_path, capsys):
    words = ["score", "nights", "--country", "ro", "--seeds", "1", "--minutes", "2", "--night", "near", "--out", str(tmp_path / "nights")]
    assert main([*words, "--delay", "0", "--json", str(tmp_path / "first.json")]) == 0
    made = (tmp_path / "nights" / "1" / "tracks.parquet").stat().st_mtime_ns
    assert main([*words, "--delay", "0", "--delay", "60", "--json", str(tmp_path / "both.json")]) == 0
    first, both = (json.loads((tmp_path / name).read_text()) for name in ("first.json", "both.json"))
    assert [each["delay_s"] for each in both] == [0.0, 60.0] and both[0] == first[0]
    assert both[0]["nights"] == 1 and set(both[0]) >= {"lapwing", "B0", "B1", "B2", "bars", "each"}
    assert (tmp_path / "nights" / "1" / "tracks.parquet").stat().st_mtime_ns == made
    assert main([*words, "--detection", "0.4"]) == 2        # another night of that seed is there


def test_seeds_that_are_no_span_are_refused(tmp_path, capsys):
    assert main(["score", "nights", "--country", "ro", "--seeds", "9-1", "--out", str(tmp_path)]) == 2
    assert "--seeds" in capsys.readouterr().err
