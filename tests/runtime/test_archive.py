"""The archive: every row of the journal once, sealed by the hour, one file a day, removed in time, held on order."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from archived_site import DAY_NS, HOUR_NS, every_second, packed, rows_at, write_journal

from lapwing.adapters.archive import Archive, band_of
from lapwing.adapters.archive_manifest import Manifest, faults
from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.model.entries import TICK, Entry
from lapwing.model.errors import InputError, StorageError
from lapwing.model.ports import Batch, Output
from lapwing.model.times import NS_PER_S, from_iso
from lapwing.runtime import archiving

MINUTE_NS = 60 * NS_PER_S


@pytest.fixture
def places(tmp_path):
    return tmp_path / "journal", tmp_path / "archive"


def rows_of(folder):
    found = []
    for line in Manifest(folder).live():
        table = pq.read_table(folder / line["file"])
        found += list(zip(table["track_id"].to_pylist(), np.asarray(table["emit_time"].cast("int64")).tolist(), strict=True))
    return sorted(found)


def rows_due(moments):
    return sorted((f"T{i}", time_ns) for time_ns, tracks in moments for i in range(tracks))


def test_an_hour_is_sealed_a_minute_after_its_end_and_not_before(places):
    journal, folder = places
    moments = every_second(DAY_NS, 2 * 3_600)
    write_journal(journal / "journal-000001.sqlite", moments)
    assert archiving.keep(journal, folder, 0, DAY_NS + HOUR_NS + 59 * NS_PER_S).hours == []
    assert archiving.keep(journal, folder, 0, DAY_NS + HOUR_NS + MINUTE_NS).hours == ["tracks-2026-03-14T00.parquet"]
    assert rows_of(folder) == rows_due([m for m in moments if m[0] < DAY_NS + HOUR_NS])


def test_every_row_is_in_the_archive_once_however_often_it_is_kept(places):
    journal, folder = places
    moments = every_second(DAY_NS, 3 * 3_600)
    write_journal(journal / "journal-000001.sqlite", moments[:100])
    for now_ns in range(DAY_NS, DAY_NS + 2 * HOUR_NS, 20 * MINUTE_NS):
        archiving.keep(journal, folder, 0, now_ns)
    write_journal(journal / "journal-000001.sqlite", moments[100:], first=100)
    for _ in range(2):
        archiving.keep(journal, folder, 0, DAY_NS + 3 * HOUR_NS + MINUTE_NS)
    assert rows_of(folder) == rows_due(moments)


def test_hours_of_several_segments_follow_each_other(places):
    journal, folder = places
    moments = every_second(DAY_NS, 3 * 3_600)
    write_journal(journal / "journal-000001.sqlite", moments[:70])
    write_journal(journal / "journal-000002.sqlite", [*moments[70:90], (moments[90][0], 0)])
    write_journal(journal / "journal-000003.sqlite", moments[91:])
    archiving.keep(journal, folder, 0, DAY_NS + 4 * HOUR_NS)
    assert rows_of(folder) == rows_due(moments[:90] + moments[91:])
    assert faults(folder)[0] == []


def test_hours_of_a_day_become_one_file_with_the_same_rows(places):
    journal, folder = places
    moments = every_second(DAY_NS, 26 * 3_600, step=600)
    write_journal(journal / "journal-000001.sqlite", moments)
    kept = archiving.keep(journal, folder, 0, DAY_NS + 27 * HOUR_NS)
    assert kept.days == ["tracks-2026-03-14.parquet"]
    assert sorted(path.name for path in folder.glob("*.parquet")) == [
        "tracks-2026-03-14.parquet", "tracks-2026-03-15T00.parquet", "tracks-2026-03-15T01.parquet"]
    assert rows_of(folder) == rows_due(moments)
    assert faults(folder)[0] == []


def test_rows_that_come_after_their_day_was_made_are_joined_to_it(places):
    journal, folder = places
    early, late = every_second(DAY_NS, 3_600), every_second(DAY_NS + 30 * NS_PER_S, 1_800)
    write_journal(journal / "journal-000001.sqlite", early)
    archiving.keep(journal, folder, 0, DAY_NS + 25 * HOUR_NS)
    write_journal(journal / "journal-000002.sqlite", late)
    archiving.keep(journal, folder, 0, DAY_NS + 26 * HOUR_NS)
    assert rows_of(folder) == rows_due(early + late)
    assert [line["kind"] for line in Manifest(folder).live()] == ["day"]


def test_bands_are_apart_in_the_file_and_each_is_in_order_of_time(places, monkeypatch):
    monkeypatch.setattr("lapwing.adapters.archive.ROW_GROUP", 50)
    _, folder = places
    border_m = np.array([5e3, -5e3, 60e3, 300e3, -60e3, np.nan])
    chunks = [rows_at(DAY_NS + i * NS_PER_S, 6, border_m) for i in range(100)]
    with Archive(folder) as archive:
        line = archive.seal_hour(DAY_NS, lambda: chunks, lambda: {"segment": "journal-000001.sqlite", "first": 0, "last": 99}, 0)
    assert line["rows"] == [200, 100, 100, 100, 100]
    with pq.ParquetFile(folder / line["file"]) as file:
        bands = []
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            [band] = set(band_of(np.array(table["border_m"].to_pylist(), float)).tolist())
            times = np.asarray(table["emit_time"].cast("int64"))
            bands.append(band)
            assert (np.diff(times) >= 0).all()
            assert file.metadata.row_group(group).column(0).compression == "ZSTD"
    assert bands == sorted(bands)


def test_a_day_past_its_time_is_removed_and_a_held_one_is_not(places):
    journal, folder = places
    write_journal(journal / "journal-000001.sqlite", every_second(DAY_NS, 3_600) + every_second(DAY_NS + 48 * HOUR_NS, 3_600))
    archiving.keep(journal, folder, 0, DAY_NS + 80 * HOUR_NS)
    archiving.hold_incident(folder, "20260314-1", (DAY_NS, DAY_NS + MINUTE_NS), "A. Judge", "order 7", DAY_NS)
    later_ns = DAY_NS + 100 * 24 * HOUR_NS
    assert archiving.keep(journal, folder, 30, later_ns).removed == ["tracks-2026-03-16.parquet"]
    archiving.release_hold(folder, "20260314-1", "A. Judge", "order 8", later_ns)
    assert archiving.keep(journal, folder, 30, later_ns).removed == ["tracks-2026-03-14.parquet"]
    assert list(folder.glob("*.parquet")) == []
    assert faults(folder)[0] == []          # what was removed in time is no fault: the manifest says so


def test_an_incident_is_held_by_the_events_of_the_journal(places):
    journal, _ = places
    event = json.dumps({"time": "2026-03-14T00:10:00Z", "incident": "20260314-1"}).encode()
    write_journal(journal / "journal-000001.sqlite", [(DAY_NS, 1)], events=(event,))
    at_ns = from_iso("2026-03-14T00:10:00Z")
    assert archiving.incident_period(journal, "20260314-1") == (at_ns, at_ns)
    with pytest.raises(InputError, match="newest are 20260314-1"):
        archiving.incident_period(journal, "20260314-2")


def test_nothing_is_held_by_the_wrong_way_round(places):
    _, folder = places
    with pytest.raises(InputError, match="ends before"):
        archiving.hold_incident(folder, "x", (DAY_NS + 9 * HOUR_NS, DAY_NS), "A", "B", 0)


@pytest.fixture
def sealed(places):
    journal, folder = places
    write_journal(journal / "journal-000001.sqlite", every_second(DAY_NS, 3 * 3_600))
    archiving.keep(journal, folder, 0, DAY_NS + 4 * HOUR_NS)
    return folder


def test_a_flipped_bit_of_a_file_is_found(sealed):
    path = sealed / "tracks-2026-03-14T01.parquet"
    octets = bytearray(path.read_bytes())
    octets[len(octets) // 2] ^= 1
    path.write_bytes(octets)
    assert faults(sealed)[0] == ["tracks-2026-03-14T01.parquet: not as it was sealed"]


def test_a_file_taken_out_and_one_put_in_are_found(sealed):
    (sealed / "tracks-2026-03-14T01.parquet").rename(sealed / "tracks-2026-03-14T09.parquet")
    assert faults(sealed)[0] == ["tracks-2026-03-14T01.parquet: missing", "tracks-2026-03-14T09.parquet: nobody sealed it"]


@pytest.mark.parametrize("change", [
    lambda lines: [lines[0].replace(b'"hour"', b'"Hour"'), *lines[1:]], lambda lines: [lines[1], lines[0], *lines[2:]],
    lambda lines: [lines[0], *lines[2:]]])
def test_a_manifest_line_changed_moved_or_removed_is_found(sealed, change):
    path = sealed / "manifest.jsonl"
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
    assert len(faults(sealed)[0]) == 1


def test_a_torn_last_line_is_written_again_and_its_hour_is_sealed_again(places):
    journal, folder = places
    moments = every_second(DAY_NS, 2 * 3_600)
    write_journal(journal / "journal-000001.sqlite", moments)
    archiving.keep(journal, folder, 0, DAY_NS + 4 * HOUR_NS)
    path = folder / "manifest.jsonl"
    whole = path.read_bytes()
    for cut in range(whole.index(b"\n") + 1, len(whole), 40):
        path.write_bytes(whole[:cut])
        archiving.keep(journal, folder, 0, DAY_NS + 4 * HOUR_NS)
        assert rows_of(folder) == rows_due(moments)
        assert faults(folder)[0] == []


def test_what_a_crash_left_is_swept_away(sealed):
    (sealed / "tracks-2026-03-14T07.parquet.part").write_bytes(b"half")
    with Archive(sealed):
        pass
    assert not list(sealed.glob("*.part"))


def test_a_full_disk_seals_nothing_and_says_so(places, monkeypatch):
    journal, folder = places
    write_journal(journal / "journal-000001.sqlite", every_second(DAY_NS, 3_600))

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lapwing.adapters.archive.os.fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        archiving.keep(journal, folder, 0, DAY_NS + 2 * HOUR_NS)
    monkeypatch.undo()
    assert list(folder.glob("tracks*")) == []
    assert archiving.keep(journal, folder, 0, DAY_NS + 2 * HOUR_NS).hours == ["tracks-2026-03-14T00.parquet"]


def test_rows_of_another_version_are_a_gap_in_the_manifest_and_what_follows_is_sealed(places):
    journal, folder = places
    write_journal(journal / "journal-000001.sqlite", [(DAY_NS, 0)])
    with SqliteLog(journal / "journal-000001.sqlite") as log:
        log.append(Batch(1, (Entry(1, DAY_NS, "clock", TICK, b""),)))
        log.commit(1, [Output("tracks", b"LTR0" + packed(rows_at(DAY_NS, 1))[4:])])
    moments = every_second(DAY_NS + HOUR_NS, 3_600)
    write_journal(journal / "journal-000002.sqlite", moments)
    kept = archiving.keep(journal, folder, 0, DAY_NS + 4 * HOUR_NS)
    assert len(kept.gaps) == 1
    assert rows_of(folder) == rows_due(moments)
    assert archiving.keep(journal, folder, 0, DAY_NS + 5 * HOUR_NS).gaps == []


def test_two_cannot_keep_one_archive(places):
    with Archive(places[1]), pytest.raises(StorageError, match="another process"):
        Archive(places[1])


def test_the_service_has_it_kept_by_a_process_of_its_own(places, monkeypatch):
    import time

    journal, folder = places
    moments = every_second(DAY_NS, 3_600)
    write_journal(journal / "journal-000001.sqlite", moments)
    monkeypatch.setattr(archiving, "FIRST_S", 0.0)
    said = []
    keeper = archiving.Keeper("archiving", [str(journal), str(folder), "0"], time.time_ns, lambda level, text: said.append(text))
    keeper.look()
    assert keeper._process is not None and keeper._process.wait(60) == 0
    keeper._due_s = 0.0
    keeper.look()
    keeper.close()
    assert rows_of(folder) == rows_due(moments)
    assert keeper.problem == "" and said == [
        "archiving: sealed tracks-2026-03-14T00.parquet; one file a day tracks-2026-03-14.parquet"]


def test_an_archive_that_cannot_be_kept_is_a_problem_in_words(places, monkeypatch):
    import time

    journal, folder = places
    folder.write_text("a file where the folder belongs")
    monkeypatch.setattr(archiving, "FIRST_S", 0.0)
    keeper = archiving.Keeper("archiving", [str(journal), str(folder), "0"], time.time_ns, lambda level, text: None)
    keeper.look()
    assert keeper._process is not None and keeper._process.wait(60) == 1
    keeper._due_s = 0.0
    keeper.look()
    keeper.close()
    assert "cannot be written" in keeper.problem
