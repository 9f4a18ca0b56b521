"""The outputs of a run are written from its journal alone, each file whole or not at all."""

import json
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lapwing.adapters import parquet_out
from lapwing.adapters.memory_log import MemoryLog
from lapwing.model.errors import StorageError
from lapwing.record import codec

sys.path.insert(0, str(Path(__file__).parents[1] / "record"))
from report_story import IDS, SENSORS, ZONES, small_pack, story


@pytest.fixture(scope="module")
def log():
    outputs, batches = story(ZONES)
    log = MemoryLog()
    log.set_meta({"sensors": codec.encode(SENSORS).hex(), "source": "made up"})
    for batch in batches:
        log.append(batch)
        log.commit(batch.number, [output for number, output in outputs if number == batch.number])
    return log


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_folder_holds_what_the_manual_names(log, tmp_path):
    written = parquet_out.write_folder(tmp_path, log, small_pack())
    names = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert names == {str(path.relative_to(tmp_path)) for path in written} == {
        "tracks.parquet", "verdicts.jsonl", "traffic.jsonl", "alarms.jsonl", "alarms.ast", "alerts.jsonl", "notices.jsonl", "patrol.jsonl",
        "neighbours.jsonl",
        "report.html", "report.json", "alerts/001-lapwing_RO_alert_60.xml", "alerts/002-lapwing_RO_all_clear_900.xml"}
    assert [row["track_id"] for row in lines(tmp_path / "verdicts.jsonl")] == list(IDS[:2])
    alerts = lines(tmp_path / "alerts.jsonl")
    assert [(tmp_path / row["cap_file"]).read_bytes() for row in alerts] == ["<alert>ț</alert>".encode()] * 2
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["journal"]["source"] == "made up"


def test_tracks_have_the_columns_of_the_manual(log, tmp_path):
    parquet_out.write_folder(tmp_path, log, None)
    assert [path.name for path in tmp_path.iterdir()] == ["tracks.parquet"]
    table = pq.read_table(tmp_path / "tracks.parquet")
    assert table.num_rows == 3 * 226
    kinds = {field.name: str(field.type) for field in table.schema}
    assert [kinds[name] for name in ("track_id", "time", "emit_time", "lat", "lon", "alt", "vx_east", "vy_north",
                                     "confirmed")] == [
        "string", "timestamp[ns, tz=UTC]", "timestamp[ns, tz=UTC]", "double", "double", "double", "double", "double",
        "bool"]
    assert {"position_cov_ee_m2", "position_cov_en_m2", "position_cov_nn_m2", "class_drone_prob", "affiliation",
            "border_m", "coasting", "sensor_count"} <= set(kinds)
    row = table.slice(1, 1).to_pylist()[0]
    assert row["alt"] is None and row["mode3a"] is None and row["affiliation"] == "unknown"
    assert table.slice(2, 1).to_pylist()[0]["mode3a"] == "1234"


def test_a_run_without_tracks_gives_an_empty_table(tmp_path):
    parquet_out.write_folder(tmp_path, MemoryLog(), None)
    assert pq.read_table(tmp_path / "tracks.parquet").num_rows == 0


def test_the_same_journal_gives_the_same_octets(log, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        parquet_out.write_folder(tmp_path / name, log, small_pack())
    for path in (tmp_path / "a").rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes(), path.name


def test_a_folder_that_is_not_there_is_said(log, tmp_path):
    with pytest.raises(StorageError, match="cannot be written"):
        parquet_out.write_folder(tmp_path / "none", log, None)


def test_a_write_that_fails_leaves_the_old_file_and_no_half_one(tmp_path):
    path = tmp_path / "verdicts.jsonl"
    parquet_out.write_lines(path, [{"a": 1}])

    def rows():
        yield {"a": 2}
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="No space left"):
        parquet_out.write_lines(path, rows())
    assert path.read_bytes() == b'{"a":1}\n' and [p.name for p in tmp_path.iterdir()] == ["verdicts.jsonl"]
