"""`lapwing border`: points in, countries, distances and zones out."""

import csv
import io
import json

import numpy as np
import pytest

from lapwing.cli.main import main
from lapwing.runtime.atlas import ask, find_home, load_atlas

HEADER = ["id", "country", "signed_distance_m", "nearest_lat_deg", "nearest_lon_deg", "admin1", "zone",
          "border_bound_95_m", "note"]


@pytest.fixture
def border(tmp_path, capsys, tmp_path_factory, monkeypatch):
    """Return a function that runs the command on the text of a file: exit status, rows, what was said on stderr."""
    monkeypatch.setenv("LAPWING_STATE", str(tmp_path_factory.getbasetemp() / "state"))

    def run(text, *options):
        path = tmp_path / "points.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        status = main(["border", str(path), *options])
        out, err = capsys.readouterr()
        return status, out, err

    return run


def rows(out):
    table = csv.DictReader(io.StringIO(out))
    assert table.fieldnames == HEADER
    return list(table)


def exact(shared):
    return next(v for v in json.loads((shared / "data/geo/cases.json").read_bytes()).values() if isinstance(v, list))


def allowed_m(expected_m):
    """0.1 m out to 50 km, 0.05 % beyond."""
    return 0.1 if abs(expected_m) <= 50_000.0 else 5e-4 * abs(expected_m)


def test_country_side_distance_and_unit_of_all_sixty_cases_are_right(shared, tmp_path_factory):
    atlas = load_atlas(tmp_path_factory.getbasetemp() / "state")      # as the other tests here: what is compiled once does for all
    cases = exact(shared)
    assert len(cases) == 60
    for case in cases:
        expect = case["expect"]
        found = ask(atlas, find_home(atlas, case["home"]), np.radians([case["lat"]]), np.radians([case["lon"]]))
        assert found.country == (expect["country"] or "",), case["id"]
        error_m = found.border.signed_distance_m[0] - expect["signed_distance_m"]
        assert abs(error_m) < allowed_m(expect["signed_distance_m"]), case["id"]
        if "admin1" in expect:
            assert found.admin1 == (expect["admin1"] or "",), case["id"]


def test_the_cases_of_romania_come_out_right(border, shared):
    chosen = [case for case in exact(shared) if case["home"] == "RO"]
    text = "id,lat_deg,lon_deg\n" + "".join(f"{c['id']},{c['lat']},{c['lon']}\n" for c in chosen)
    status, out, _ = border(text, "--home", "ro")
    assert status == 0
    for case, row in zip(chosen, rows(out), strict=True):
        expect = case["expect"]
        assert row["id"] == str(case["id"]) and row["country"] == (expect["country"] or "")
        assert abs(float(row["signed_distance_m"]) - expect["signed_distance_m"]) < allowed_m(expect["signed_distance_m"])
        assert float(row["nearest_lat_deg"]) == pytest.approx(expect["nearest_lat"], abs=2e-6)


def test_bad_rows_are_named_and_the_others_done(border):
    status, out, err = border("id,lat_deg,lon_deg\na,45.3,28.46\nb,north,28\nc,45\nd,95,28\ne,nan,28\nf,45.2,28.4\n",
                              "--home", "RO")
    assert status == 1
    found = {row["id"]: row for row in rows(out)}
    assert list(found) == ["a", "b", "c", "d", "e", "f"]
    assert found["a"]["country"] == "UA" and found["f"]["country"] == "RO"
    assert "line 3 lat_deg = 'north'" in found["b"]["note"] and found["b"]["signed_distance_m"] == ""
    for words in ("line 3 lat_deg = 'north'", "line 4 lon_deg = ''", "line 5 lat_deg = '95'", "line 6 lat_deg = 'nan'"):
        assert words in err


def test_columns_may_stand_in_any_order_beside_others(border):
    status, out, _ = border("\ufefflon_deg,name,lat_deg,id\n28.4,here,45.2,x\n", "--home", "RO")
    assert status == 0 and rows(out)[0]["zone"].startswith("RO-TL-")


@pytest.mark.parametrize(("text", "words"), [
    ("", "no column id, lat_deg, lon_deg"),
    ("id,lat,lon\n1,45,28\n", "no column lat_deg, lon_deg"),
    (b"id,lat_deg,lon_deg\n\xff\xfe,45,28\n", "UTF-8"),
])
def test_a_file_that_is_no_such_table_is_refused(border, text, words):
    status, out, err = border(text, "--home", "RO")
    assert status == 2 and words in err and out == ""


def test_an_unknown_home_names_the_known_ones_and_a_missing_file_itself(border, tmp_path):
    status, _, err = border("id,lat_deg,lon_deg\n", "--home", "XX")
    assert status == 2 and "RO" in err and "UA" in err
    assert main(["border", str(tmp_path / "absent.csv"), "--home", "RO"]) == 2


def test_where_the_data_are_cut_the_answer_is_marked_incomplete(border):
    status, out, _ = border("id,lat_deg,lon_deg\nbudapest,47.5,19.04\nszolnok,47.2,20.2\ndebrecen,47.53,21.63\n", "--home", "HU")
    notes = {row["id"]: row["note"] for row in rows(out)}
    assert status == 0
    assert notes["budapest"].startswith("incomplete") and notes["szolnok"].startswith("incomplete")
    assert notes["debrecen"] == ""


def test_at_the_chilia_mouth_the_line_is_said_to_be_undecided(border):
    _, out, _ = border("id,lat_deg,lon_deg\nmouth,45.22,29.73\n", "--home", "RO")
    assert "undecided" in rows(out)[0]["note"] and rows(out)[0]["border_bound_95_m"] == "6900.0"


def test_numbers_have_their_decimals_and_json_says_the_same(border, tmp_path):
    text = "id,lat_deg,lon_deg\n1,45.3162141,28.8601741\n"
    status, out, _ = border(text, "--home", "RO")
    row = rows(out)[0]
    assert (row["signed_distance_m"], row["nearest_lat_deg"], row["nearest_lon_deg"]) == ("-3.125", "45.3162416", "28.8601657")
    _, out, _ = border(text, "--home", "RO", "--json")
    assert json.loads(out)["signed_distance_m"] == -3.125 and list(json.loads(out)) == HEADER
    target = tmp_path / "out.csv"
    status, out, _ = border(text, "--home", "RO", "--out", str(target))
    assert status == 0 and out == "" and rows(target.read_text("utf-8"))[0] == row


def test_no_rows_is_no_error(border):
    status, out, _ = border("id,lat_deg,lon_deg\n", "--home", "LT")
    assert status == 0 and rows(out) == []
