"""The octets that the simulator writes are those of the table-driven encoder, and the decoder reads them back."""

import math

import numpy as np
import pytest

from lapwing.model.plots import KIND_COMBINED, KIND_PSR, KIND_SSR
from lapwing.sense.asterix.encode import encode_block, encode_record
from lapwing.sense.asterix.items import read_record
from lapwing.sense.asterix.tables import edition
from lapwing.sim import load_story, play
from lapwing.sim.asterix_out import AdsbReports, adsb_datagrams, octets_of, plot_records
from lapwing.sim.motion import Identity
from lapwing.sim.radar import RadarPlots

WHO = Identity(0xF0ABCD, 0o4321, "RESCU7")
DAY_S = 1_754_352_000          # 2025-08-05, in seconds since 1970


def plots_of(kind):
    column = np.array
    return RadarPlots(
        measured_128=column([(DAY_S + 71_400) * 128 + 5]), sector=column([0]), range_steps=column([7_463]),
        azimuth_steps=column([48_152]), kind=column([kind], np.uint8),
        amplitude_db=column([math.nan if kind == KIND_SSR else 17.3]), mode3a=column([0o4321]), level_steps=column([-12]),
        icao_address=column([0xF0ABCD]), motion=column([0]), truth_id=column([1]))


ITEMS = {
    "010": {"SAC": 250, "SIC": 7}, "140": 71_400.0390625, "040": {"RHO": 7_463 / 256, "THETA": 48_152 * 360 / 65_536},
}
ANSWER = {"070": {"MODE3A": "4321"}, "090": {"FL": -3.0}, "220": 0xF0ABCD, "240": "RESCU7"}
ECHO = {"130": {"PAM": -88.0}}


@pytest.mark.parametrize(("kind", "typ", "more"), [(KIND_PSR, 1, ECHO), (KIND_SSR, 5, ANSWER),
                                                    (KIND_COMBINED, 7, ANSWER | ECHO)])
def test_plot_record_equals_that_of_the_tables(kind, typ, more):
    wanted = encode_record(48, ITEMS | more | {"020": {"TYP": typ}})
    assert plot_records(plots_of(kind), 250, 7, [WHO]) == [wanted]


def test_adsb_record_equals_that_of_the_tables():
    report = AdsbReports(
        measured_ns=np.array([(DAY_S + 72_900) * 10**9 + 500_000_000]),
        received_ns=np.array([(DAY_S + 72_900) * 10**9 + 750_000_000]), latitude_rad=np.radians([45.25]),
        longitude_rad=np.radians([28.5]), height_m=np.array([381.0]), altitude_m=np.array([342.9]),
        velocity_mps=np.array([[30.0, 40.0, 0.0]]), identity=WHO, accuracy_class=9, emitter=10)
    wanted = encode_block(21, [{
        "010": {"SAC": 250, "SIC": 100}, "040": {"ATP": 0}, "071": 72_900.5, "131": {"LAT": 45.25, "LON": 28.5},
        "080": 0xF0ABCD, "140": 1_250.0, "090": {"NUCRNACV": 1, "NUCPNIC": 7, "NICBARO": 0, "SIL": 3, "NACP": 9},
        "070": {"MODE3A": "4321"}, "145": 11.25, "160": {"GS": 50.0 / 1852.0, "TA": math.degrees(math.atan2(30.0, 40.0))},
        "077": 72_900.75, "170": "RESCU7", "020": 10}])
    assert adsb_datagrams(report, 250, 100) == [(int(report.received_ns[0]), wanted)]


def records(payload):
    at = 0
    while at < len(payload):
        category, end = payload[at], at + int.from_bytes(payload[at + 1 : at + 3], "big")
        at += 3
        while at < end:
            items, at, _ = read_record(payload, at, end, edition(category, None))
            yield category, items


def test_every_octet_of_a_story_is_read_back_by_the_tables():
    recording = play(load_story("sumskas-slow-faller"), 2)
    counts = {}
    for _, _, format_, payload in recording.items:
        if format_ == "asterix":
            for category, items in records(payload):
                key = (category, items.get("000"))
                counts[key] = counts.get(key, 0) + 1
    plots = sum(len(p) for _, p in recording.plots)
    assert counts[48, None] == plots                     # every plot, and none twice
    turns = sum(recording.story.span_s / r.rotation_s for r in recording.radars)
    assert abs(counts[34, 1] - turns) <= 2.0             # a north mark each turn
    assert counts[34, 2] > 3 * counts[34, 1] - 20 and counts[21, None] > 400


def test_messages_of_a_radar_carry_its_place_and_turn():
    recording = play(load_story("sumskas-slow-faller"), 2)
    marks = [items for _, link, format_, payload in recording.items if link.endswith("LT-LR-1")
             for category, items in records(payload) if category == 34 and items["000"] == 1]
    row = recording.sensors.rows[recording.sensors.index_of("LT-LR-1")]
    assert marks[0]["120"]["LAT"] == pytest.approx(math.degrees(row.latitude_rad), abs=3e-5)
    assert marks[0]["120"]["HGT"] == pytest.approx(row.height_m, abs=0.5)
    assert marks[0]["041"] == pytest.approx(row.rotation_s, abs=0.01)
    gaps = np.diff([m["030"] for m in marks])
    assert gaps == pytest.approx(np.full(len(gaps), row.rotation_s), abs=0.02)


def test_octets_are_written_as_twos_complement():
    assert octets_of([-1, 258], 2).tolist() == [[255, 255], [1, 2]]
