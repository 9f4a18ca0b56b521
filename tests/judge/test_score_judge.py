"""Many nights scored as one: what is kept, what is put together, what is refused."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from lapwing.cli.main import main
from lapwing.runtime.judge_nights import Nights, one_night, pooled, read_scored
from lapwing.sim.verdict_scoring import Line, Rules, Scored, Whole, figures, of_class, together

ALARMS = {"entries": 4, "missed": 1, "reds": 5, "hit": 3, "valid": 1, "nuisance": 1, "geometry_allows": 2, "on_time": 3, "early": 0,
          "reds_on_harmless": {"bird": 1}}
FIRST = Scored((Line("drone", 10.0, 100.0, True, False, 2.0), Line("decoy", -90.0, 80.0, False, True, None)),
               (Whole("a", "drone", "entered", True, 9), Whole("b", "decoy", "undetermined", False, 3)), 1)
SECOND = Scored((Line("drone", 30.0, 100.0, True, False, 4.0),), (Whole("a", "drone", "not_entered", True, 8),), 0)


def night(seed, found):
    return {"seed": seed, "verdicts": json.loads(json.dumps(asdict(found))), "alarms": ALARMS}


def test_figures_of_two_nights_are_those_of_all_their_objects():
    found = pooled([night(1, FIRST), night(2, SECOND)])
    own = found["verdicts"]
    assert (own["objects"], own["wrong"], own["objects_near"], own["undetermined"], own["verdicts"]) == (3, 1, 2, 0, 3)
    assert own["interval_holds_share"] == pytest.approx(2 / 3, abs=1e-4) and own["entry_time_error_s_median"] == 3.0
    assert found["classes"]["drone"]["wrong_share"] == 0.5 and found["classes"]["decoy"]["objects_near"] == 0
    assert (found["alarms"]["entries"], found["alarms"]["nuisance_share"], found["alarms"]["reds_on_harmless"]) == (8, 0.2, {"bird": 2})
    assert [each["seed"] for each in found["each"]] == [1, 2]


def test_one_night_alone_and_as_the_only_one_of_many_has_the_same_figures():
    assert figures(together([FIRST]), Rules()) == figures(FIRST, Rules())
    assert of_class(FIRST, "decoy").lines == FIRST.lines[1:]


def test_a_night_that_is_there_is_not_made_again_and_another_one_is_refused(tmp_path, capsys):
    (tmp_path / "7").mkdir()
    setup = {"night": "near", "country": "ro", "minutes": None, "seed": 7}
    (tmp_path / "7" / "night.json").write_text(json.dumps(setup))
    (tmp_path / "7" / "score.json").write_text(json.dumps(night(7, FIRST)))
    row = one_night(Nights("near", "ro", None, tmp_path, tmp_path), 7)
    assert read_scored(row) == FIRST
    assert main(["score", "judge", "--country", "ro", "--seeds", "7", "--out", str(tmp_path), "--json", str(tmp_path / "f.json")]) == 0
    assert "bird 1" in capsys.readouterr().out and json.loads((tmp_path / "f.json").read_text())["nights"] == 1
    assert main(["score", "judge", "--country", "ro", "--night", "calm", "--seeds", "7", "--out", str(tmp_path)]) == 2
    assert "made in another way" in capsys.readouterr().err
    assert main(["score", "judge", "--country", "ro", "--seeds", "9-7", "--out", str(tmp_path)]) == 2


@pytest.mark.slow
def test_a_short_night_is_simulated_judged_and_scored(tmp_path, capsys):
    assert main(["score", "judge", "--country", "ro", "--seeds", "501", "--minutes", "12", "--out", str(tmp_path)]) == 0
    assert {"tracks.parquet", "verdicts.jsonl", "alarms.jsonl", "score.json"} <= {each.name for each in (tmp_path / "501").iterdir()}
    assert "drone" in capsys.readouterr().out
