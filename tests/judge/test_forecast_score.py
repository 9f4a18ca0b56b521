"""How right forecasts are: the scorer's rules, the baseline, and the command."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from flights import place, south
from test_judge_command import border_file, tracks_file, truth_file

from lapwing.cli.main import main
from lapwing.judge.forecast import Believed
from lapwing.judge.observed import flown_as
from lapwing.judge.straight import straight_on_prob
from lapwing.model.tracks import CLASSES
from lapwing.sim.forecast_scoring import Rules, Said, cases, score
from lapwing.sim.track_scoring import Path

LAND = south()


def flight(east_m, north_m, *, name="1", class_name="drone", begins_s=0.0):
    """Return an object a row a second, by its places."""
    latitude, longitude = place(np.asarray(east_m, float), np.asarray(north_m, float))
    seconds = begins_s + np.arange(len(latitude))
    return Path(name, class_name, seconds, seconds, np.degrees(latitude), np.degrees(longitude), np.gradient(east_m),
                np.gradient(north_m), np.ones(len(latitude), np.bool_))


def said(target, second, prob, baseline=(0.5, 0.5, 0.5)):
    row = int(second - target.time_s[0])
    return Said(float(second), float(target.lat_deg[row]), float(target.lon_deg[row]), prob, baseline)


SECONDS = np.arange(1_800.0)
IN = flight(0 * SECONDS, 30_000 - 50 * SECONDS)                           # over the line at 600 s
ALONG = flight(50 * SECONDS - 40_000, 3_000 + 0 * SECONDS, name="2")
GONE = flight(np.full(300, -20_000.0), 30_000 - 50 * np.arange(300.0), name="3")


def test_a_forecast_comes_true_within_its_horizon_and_one_that_is_gone_does_not_enter():
    found = cases([IN, ALONG, GONE], [said(IN, 200, (0.1, 0.9, 0.9)), said(ALONG, 200, (0.2, 0.2, 0.2)), said(GONE, 200, (0.1, 0.2, 0.3))],
                  LAND, Rules())
    assert [case.came for case in found] == [(0.0, 1.0, 1.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)]
    assert [case.along for case in found] == [False, True, False]


def test_what_the_end_of_the_recording_leaves_open_does_not_count_nor_do_those_inside_or_of_no_object():
    assert math.isnan(cases([ALONG], [said(ALONG, 1_700, (0.2, 0.2, 0.2))], LAND, Rules())[0].came[0])
    off = said(IN, 100, (0.1, 0.1, 0.1))
    elsewhere = Said(off.time_s, off.lat_deg + 0.01, off.lon_deg, off.prob, off.baseline)
    bird = flight(0 * SECONDS, 30_000 - 50 * SECONDS, class_name="bird")
    assert cases([IN], [said(IN, 700, (1.0, 1.0, 1.0)), elsewhere], LAND, Rules()) == []
    assert cases([bird], [said(bird, 100, (0.1, 0.1, 0.1))], LAND, Rules()) == []


def test_figures_are_those_worked_by_hand():
    # 60 forecasts of 0.8: 45 of an entry, 15 of none. Brier 0.75 * 0.04 + 0.25 * 0.64 = 0.19; of the baseline's 0.5: 0.25.
    rows = [said(IN, second, (0.8, 0.8, 0.8)) for second in range(301, 346)]
    rows += [said(ALONG, second, (0.8, 0.8, 0.8)) for second in range(15)]
    figures = score(cases([IN, ALONG], rows, LAND, Rules()), Rules())
    five = figures["all"]["5_min"]
    assert five["deciles"] == [{"said": 0.8, "came_true": 0.75, "cases": 60}] and five["calibration_error_max"] == 0.05
    assert (five["brier"], five["brier_baseline"], five["better_share"]) == (0.19, 0.25, 0.24)
    assert figures["along_the_line"]["forecasts"] == 15 and figures["along_the_line"]["5_min"]["calibration_error_max"] is None


@pytest.mark.parametrize(("north_m", "south_mps", "expected"), [(9_000.0, 45.0, (1.0, 1.0, 1.0)), (9_000.0, 0.0, (0.0, 0.05, 0.21)),
                                                                (18_000.0, 45.0, (0.0, 1.0, 1.0))])
def test_baseline_flies_straight_on_over_the_line_as_it_is(north_m, south_mps, expected):
    latitude, longitude = place(np.zeros(1), np.array([north_m]))
    course = np.array([[45.0 if not south_mps else 0.0, -south_mps, 45.0]])
    now = Believed(latitude, longitude, course[:, :2], np.eye(2)[None] * 900.0, np.eye(2)[None] * 9.0, np.zeros(1), course, course,
                   np.full(1, 50.0), np.zeros(1, np.intp))
    assert straight_on_prob(LAND, now)[0] == pytest.approx(expected, abs=0.1)


def test_what_keeps_a_speed_is_flown_as_what_cruises_so_unless_it_has_a_crew():
    prob = np.zeros((5, len(CLASSES)))
    prob[:, CLASSES.index("bird")] = 0.7                      # may be a bird: told by its speed all the same
    prob[4, [CLASSES.index("bird"), CLASSES.index("helicopter")]] = 0.2, 0.8
    told = flown_as(prob, np.array([18.0, 38.0, 44.0, 52.0, 52.0]))
    assert [CLASSES[k] for k in told] == ["balloon", "decoy", "drone", "drone", "helicopter"]


def test_command_scores_folders_together(tmp_path, capsys):
    for number, step in enumerate((-0.002, 0.0)):
        folder = tmp_path / str(number)
        folder.mkdir()
        north = 45.3 + step * np.arange(150)
        tracks_file(folder, north), truth_file(folder, north), border_file(folder)
    folders = [str(tmp_path / "0"), str(tmp_path / "1")]
    assert main(["score", "forecast", *folders, "--every", "60", "--json", str(tmp_path / "f.json")]) in (0, 1)
    figures = json.loads(capsys.readouterr().out)
    assert figures == json.loads((tmp_path / "f.json").read_text()) and figures["folders"] == 2
    five = figures["all"]["5_min"]
    assert five["cases"] >= 8 and 0.0 < five["came_true_share"] < 1.0 and five["brier"] < 0.2
    assert main(["score", "forecast", str(tmp_path)]) == 2 and "truth.parquet" in capsys.readouterr().err
    assert main(["score", "forecast", *folders, "--every", "0"]) == 2
