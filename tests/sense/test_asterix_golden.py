"""Every value that independent decoders agree on, exact to the last bit; and the columns say the same as the items."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from lapwing.sense.asterix.column_names import COLUMNS
from lapwing.sense.asterix.decode import decode_datagrams
from lapwing.sense.asterix.framing import Frame, detect, read_frames
from lapwing.sense.asterix.items import read_record
from lapwing.sense.asterix.listing import Listed, list_records
from lapwing.sense.asterix.tables import edition

GOLDEN = [
    "asterix4py_cat062.ast", "croatiacontrol_cat048.raw", "croatiacontrol_cat062cat065.raw",
    "croatiacontrol_cat_034_048.pcap", "croatiacontrol_parsegps.gps", "fixmpts_test_data_cat002.bin",
    "fixmpts_test_data_cat010Report.bin", "fixmpts_test_data_cat019Start.bin",
    "fixmpts_test_data_cat023_ServiceStat.bin", "fixmpts_test_data_cat048_1.bin", "fixmpts_test_data_cat063.bin",
    "jade_062_065_large_packet_30min.ff", "jade_062_one_packet_sample2.ff", "jasterix_cat001ed1.1.bin",
    "jasterix_cat002ed1.0.bin", "jasterix_cat019ed1.3.bin", "jasterix_cat048ed1.15.bin",
    "nigati_201002_lebl_mlat_part1.ast", "nigati_201002_lebl_smr_part1.ast", "reader_network_066test_filter.gps",
    "reader_network_068test_bds30.gps", "reader_network_cat10.ast",
]


def frames_of(path: Path):
    data = path.read_bytes()
    return list(read_frames(data, detect(data, path.name)))


def test_list_of_golden_files_is_complete(shared):
    there = sorted(path.name.removesuffix(".jsonl") for path in (shared / "data/asterix/golden").glob("*.jsonl"))
    assert there == sorted(GOLDEN)


@pytest.mark.parametrize("name", GOLDEN)
def test_every_agreed_item_is_exact(shared, name):
    folder = shared / "data/asterix"
    wanted = [json.loads(line) for line in (folder / f"golden/{name}.jsonl").read_text().splitlines()]
    last = wanted[-1]["block"]
    found = {}
    for row in list_records(frames_of(folder / name)):
        if isinstance(row, Listed):
            if row.block > last:
                break
            found[row.block, row.record_in_block] = row
    for line in wanted:
        mine = found[line["block"], line["record_in_block"]]
        assert (mine.category, mine.record) == (line["category"], line["record"])
        items = json.loads(json.dumps(mine.items))
        assert {key: items.get(key) for key in line["items"]} == line["items"]
        assert set(items) - set(line["items"]) == set(line.get("unconfirmed", []))
    assert len([row for row in found.values()]) == len(wanted)


@pytest.mark.parametrize("name", GOLDEN)
def test_columns_hold_what_the_items_hold(shared, name):
    frames = [row for row in frames_of(shared / "data/asterix" / name) if isinstance(row, Frame)][:900]
    decoded = decode_datagrams([frame.payload for frame in frames])
    for records in decoded.records:
        table = edition(records.category, records.edition)
        for row in range(0, len(records), 1 if len(records) < 500 else 7):
            octets = frames[records.datagram_index[row]].payload
            at = int(records.octet_offset[row])
            items, end, _ = read_record(octets, at, len(octets), table, table.profiles[records.profile_index[row]][0])
            assert end - at == records.octet_count[row]
            for column, (paths, factor) in COLUMNS.get(records.category, {}).items():
                value = next((v for v in (_at(items, path) for path in paths) if v is not None), None)
                got = float(records.columns[column][row])
                if isinstance(value, str):
                    continue  # call signs: `drafts.callsigns` has its own test; codes are compared as octal
                assert (math.isnan(got) if value is None
                        else np.isclose(got, value * factor, rtol=1e-12, atol=0)), (column, got, value)


def _at(items, path):
    for step in path:
        items = items.get(step) if isinstance(items, dict) else None
    return items if not isinstance(items, dict) else None


def test_hundred_and_ten_reports_are_kept_and_two_stray_octets_reported(shared):
    rows = list(list_records(frames_of(shared / "data/asterix/reader_network_cat10.ast")))
    assert sum(isinstance(row, Listed) for row in rows) == 110
    assert [(row.reason, row.octet) for row in rows if not isinstance(row, Listed)] == [("trailing_octets", 2044)]
