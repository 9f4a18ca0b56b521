"""The report says what the journal holds, each part with its place in it, and is a page that needs nothing else."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from report_story import IDS, SENSORS, ZONES, small_pack, story, verdict

from lapwing.model.errors import InputError, StorageError
from lapwing.model.ports import Output
from lapwing.record import rows
from lapwing.record.canonical import to_json
from lapwing.record.coverage import border_pieces, lowest_visible_m
from lapwing.record.gather import gather
from lapwing.record.report import build_report, incidents
from lapwing.record.report_html import people_warned, render_report


@pytest.fixture(scope="module")
def made():
    outputs, batches = story(ZONES)
    record, pack = gather(outputs, batches), small_pack()
    report = build_report(record, pack, SENSORS, journal={"digest": "ee" * 32, "batches": "226"})
    return record, pack, report, render_report(report, record, pack, SENSORS)


def test_the_report_has_the_parts_of_the_manual(made):
    report = made[2]
    assert {"incident", "country", "period", "objects", "verdicts", "alerts", "patrol", "notices", "sightings",
            "timeline", "coverage", "statement"} <= set(report)
    assert (report["incident"], report["country"], report["result"]) == ("20250805-1", "RO", "not_entered")
    assert [item["closest_m"] for item in report["verdicts"]] == [794.0, 5420.0]
    assert [len(report[key]) for key in ("alerts", "patrol", "notices", "sightings", "objects")] == [2, 2, 1, 1, 3]
    assert json.loads(to_json(report)) == report


def test_the_last_word_on_an_object_or_notice_stands(made):
    record = made[0]
    assert [filed.row["verdict"] for filed in record.of("verdict")] == ["not_entered", "not_entered"]
    assert record.of("notice")[0].row["acknowledged_by"] == "liaison MD"


def test_traffic_said_later_takes_an_object_out_of_judgement():
    judged = Output("verdict", to_json(rows.verdict_row(verdict(IDS[2], 5.0, "not_entered", 45, 28))))
    outputs, batches = story(ZONES)
    record = gather([(0, judged), *outputs], batches)
    assert IDS[2] not in {filed.row["track_id"] for filed in record.of("verdict")}
    record = gather([*outputs, (226, judged)], batches)
    assert record.of("traffic") == ()


def test_every_statement_names_its_place_in_the_journal(made):
    report = made[2]
    for part in ("objects", "verdicts", "alerts", "patrol", "notices", "sightings", "timeline", "decisions"):
        for row in report[part]:
            first, last = row["refs"]["entries"]
            assert 0 <= row["refs"]["batch"] <= 225 and 0 <= first <= last
    assert report["sightings"][0]["entry_sequence"] == 300


def test_the_statement_is_given_in_every_language_of_the_pack(made):
    report = made[2]
    assert list(report["statement"]) == ["ro", "en", "uk"]
    assert report["statement"]["en"] == f"Object {IDS[0]} not_entered: 794 m."


def test_an_entry_decides_the_whole():
    outputs, batches = story(ZONES)
    entered = Output("verdict", to_json(rows.verdict_row(verdict(IDS[1], -300.0, "entered", 45.2, 28.5))))
    record = gather([*outputs, (225, entered)], batches)
    report = build_report(record, small_pack(), SENSORS)
    assert report["result"] == "entered" and report["verdicts"][0]["track_id"] == IDS[1]
    assert report["statement"]["en"] == f"Object {IDS[1]} entered: -300 m."
    assert "Entered" in render_report(report, record, small_pack(), SENSORS)


def test_objects_say_class_sensors_and_height(made):
    first = made[2]["objects"][0]
    assert (first["class"], first["sensors"], first["judged"]) == ("drone", ["RO-GF-1", "RO-LR-2"], True)
    assert first["height_m"] == [150.0, 150.0]
    airliner = made[2]["objects"][2]
    assert (airliner["judged"], airliner["reason"], airliner["class"]) == (False, "neutral", "airliner")


def test_silence_of_a_link_is_stated(made):
    coverage = made[2]["coverage"]
    silences = {link["link"]: link["silences"] for link in coverage["links"]}
    assert silences["demo:RO-GF-1"] == []
    assert [(s["start"][11:19], s["seconds"]) for s in silences["demo:RO-LR-2"]] == [("20:34:56", 64.0)]
    text = " ".join(coverage["statement"])
    assert "demo:RO-LR-2 was silent 1 time" in text and "UNPLACED" in text


def test_a_border_out_of_radar_sight_is_stated(made):
    pack = made[1]
    far = tuple(replace(sensor, latitude_rad=sensor.latitude_rad - 0.02) for sensor in SENSORS.rows[:1])
    report = build_report(made[0], pack, replace(SENSORS, rows=far))
    unseen = {part["height_m"]: part["km"] for part in report["coverage"]["border"]["unseen"]}
    assert unseen[50.0] == report["coverage"]["border"]["length_km"] > 5.0
    assert "out of sight of every radar" in report["coverage"]["statement"][0]


def test_lowest_visible_height_follows_the_horizon():
    radar = replace(SENSORS.rows[1], small_range_m=float("nan"), range_m_max=150_000.0)
    lat = np.array([radar.latitude_rad + 0.005, radar.latitude_rad + 0.0157, radar.latitude_rad + 0.03])
    lowest = lowest_visible_m((radar,), lat, np.full(3, radar.longitude_rad))
    # Antenna some 262 m above the sea: horizon 66.7 km. At 32 km all is seen; at 100 km, ((100.1 - 66.7) / 4.12)^2 m.
    assert lowest[0] == 0.0 and 60.0 < lowest[1] < 72.0 and np.isinf(lowest[2])


def test_terrain_hides_more_than_the_earths_curve_and_only_where_it_stands():
    radar = replace(SENSORS.rows[1], small_range_m=float("nan"), range_m_max=150_000.0)
    hills = replace(radar, horizon=tuple(map(tuple, np.radians([(90.0, 0.0), (179.0, 0.0), (180.0, 2.0), (181.0, 0.0)]).tolist())))
    lat = radar.latitude_rad + np.array([0.005, -0.005])
    smooth, hilly = (lowest_visible_m((each,), lat, np.full(2, radar.longitude_rad)) for each in (radar, hills))
    away_m = 31_850.0
    assert smooth.tolist() == [0.0, 0.0]
    assert hilly[0] == pytest.approx(262.0 + away_m**2 / (2.0 * 8_494_678.0), abs=6.0)     # a level line over its own horizon
    assert hilly[1] == pytest.approx(262.0 + away_m * np.tan(np.radians(2.0)) + away_m**2 / (2.0 * 8_494_678.0), abs=8.0)


def test_border_pieces_have_the_length_of_the_border(made):
    lat, _, length = border_pieces(made[1].territory, np.array([45.28, 28.0, 45.30, 29.5]))
    assert np.allclose(np.degrees(lat), 45.29) and 117_000 < length.sum() < 118_200 and length.max() <= 1_001.0


def test_the_page_needs_nothing_else(made):
    page = made[3]
    # Addresses appear only as the names of XML name spaces.
    assert set(re.findall(r"https?://[^\"' <>]+", page)) <= {"http://www.w3.org/2000/svg"}
    assert "<script" not in page and "url(http" not in page and "<link" not in page


def test_the_page_shows_number_interval_boundary_and_attribution(made):
    page = made[3]
    for part in ("794 m", "604 m … 984 m", "ab" * 32, "OpenStreetMap contributors (ODbL)", "Exercise or test",
                 "not entered", "RELEASABLE TO MD", "liaison MD", "What could not be seen", "ee" * 32, "Обʼєкт"):
        assert part in page, part


def test_what_people_wrote_is_text_and_never_markup(made):
    assert "&lt;b&gt;loud&lt;/b&gt;" in made[3] and "<b>loud</b>" not in made[3]
    assert "beyond the bound &lt;of the line&gt;" in made[3]


def test_the_same_journal_gives_the_same_page(made):
    outputs, batches = story(ZONES)
    record, pack = gather(outputs, batches), small_pack()
    report = build_report(record, pack, SENSORS, journal={"digest": "ee" * 32, "batches": "226"})
    assert render_report(report, record, pack, SENSORS) == made[3]


def test_an_unknown_incident_is_refused_and_the_known_ones_are_named(made):
    assert incidents(made[0]) == ("20250805-1",)
    with pytest.raises(InputError, match="20250805-1"):
        build_report(made[0], made[1], SENSORS, incident="x")
    assert build_report(made[0], made[1], SENSORS, incident="20250805-1")["result"] == "not_entered"


def test_a_journal_in_which_nothing_happened_still_gives_a_report():
    record, pack = gather([], []), small_pack()
    report = build_report(record, pack, replace(SENSORS, rows=()))
    assert (report["result"], report["incident"]) == ("none", "none")
    page = render_report(report, record, pack, replace(SENSORS, rows=()))
    assert "No object under judgement" in page and "cannot be said" in page


def test_a_row_that_cannot_be_read_is_named():
    for payload in (b"{", b"[]", b"\xff", b"[" * 100_000):
        with pytest.raises(StorageError, match="batch 7"):
            gather([(7, Output("verdict", payload))], [])


def test_people_under_an_alert_are_not_counted_again_under_a_pre_alert():
    def message(level, *zones):
        return {"level": level, "zones": [{"code": code, "population": people} for code, people in zones]}

    report = {"alerts": [message("pre_alert", ("a", 10), ("b", 5)), *2 * [message("alert", ("a", 10))],
                         message("watch", ("c", 99))]}
    assert people_warned(report) == (10, 5)


def test_neighbours_have_their_own_section_and_change_nothing_of_the_own_result(made):
    def theirs(track_id, word, **values):
        item = replace(verdict(track_id, -300.0 if word == "entered" else 900.0, word, 45.4, 28.3), country="MD")
        return Output("neighbour", to_json(rows.verdict_row(replace(item, **values))))

    crossed = verdict(IDS[1], -300.0, "entered", 45.4, 28.3)
    there = replace(crossed.evidence, first_ns=crossed.entries[0].entry_ns)
    outputs, batches = story(ZONES)
    outputs = [*outputs, (200, theirs(IDS[0], "entered", evidence=there)), (200, theirs(IDS[1], "undetermined")),
               (225, theirs(IDS[1], "entered"))]
    record, pack = gather(outputs, batches), replace(small_pack(), neighbour_names={"MD": {"en": "Moldova"}})
    report = build_report(record, pack, SENSORS)
    assert (report["result"], report["verdicts"]) == ("not_entered", made[2]["verdicts"])
    assert [(row["track_id"], row["verdict"], row["seen_inside"]) for row in report["neighbours"]] == [
        (IDS[0], "entered", True), (IDS[1], "entered", False)]
    page = render_report(report, record, pack, SENSORS)
    section = page[page.index("The airspace of neighbours"):page.index("What is stated")]
    assert "Moldova" in section and f"Over Moldova when first seen: {IDS[0]}." in section and "entered" in section
    assert "The airspace of neighbours" not in made[3]
