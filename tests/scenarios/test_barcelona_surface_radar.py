"""A real primary radar against a second sensor: Barcelona's surface movement radar beside its multilateration.

Both files are CAT010 of the same hour (nigati/Asterix-decoder, MIT; read from the shared data). Their local origins are
not published and differ, so the offset between them is estimated on the first part of the recording and the score taken
on the rest. Truth is the multilateration track of whatever moves faster than a walk where the radar reports anything at
all within 100 m: what the radar does not see is not asked of the tracker. The two sensors name different points of an
aircraft (the echo's centre, the transponder's aerial), which are up to 30 m apart on a large one.
"""

import json
from itertools import pairwise

import numpy as np
import pytest

from lapwing.cli.main import main

START_S, LEARNED_S, END_S = 28_990.0, 29_600.0, 30_900.0
LATITUDE_DEG, LONGITUDE_DEG = 41.2956, 2.0953            # about the radar; any place near it would do
NEAR_M, WALK_MPS, GAP_S = 100.0, 3.0, 5.0
SENSORS = f"""[sensor.smr]
sac = 0
sic = 7
categories = [10]
lat_deg = {LATITUDE_DEG}
lon_deg = {LONGITUDE_DEG}
antenna_m_ellipsoid = 60.0
"""


def decoded(path, capsys):
    assert main(["decode", str(path), "--quiet"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def echoes_of(rows):
    """Return (time of day s, east m, north m) of the radar's reports, by time."""
    found = [(r["items"]["140"], r["items"]["042"]["X"], r["items"]["042"]["Y"]) for r in rows
             if r["items"].get("000") == 1 and "042" in r["items"]]
    return np.array(sorted(found))


def truth_of(rows):
    """Return address -> (time of day s, east m, north m), by time, of everything but the fixed test transponders."""
    flights: dict[int, list] = {}
    for row in rows:
        items = row["items"]
        if items.get("000") == 1 and "042" in items and "220" in items and not items["020"].get("RAB"):
            flights.setdefault(items["220"], []).append((items["140"], items["042"]["X"], items["042"]["Y"]))
    return {address: np.array(sorted(points)) for address, points in flights.items() if len(points) > 10}


def at(path, time_s, gap_s=GAP_S):
    """Return the place at a time between two reports, or None in a gap."""
    after = int(np.searchsorted(path[:, 0], time_s))
    if after == 0 or after == len(path) or path[after, 0] - path[after - 1, 0] > gap_s:
        return None
    share = (time_s - path[after - 1, 0]) / max(path[after, 0] - path[after - 1, 0], 1e-9)
    return path[after - 1, 1:] + share * (path[after, 1:] - path[after - 1, 1:])


def moving(path, time_s):
    here, before = at(path, time_s), at(path, time_s - 4.0)
    return here if here is not None and before is not None and np.hypot(*(here - before)) > 4.0 * WALK_MPS else None


def offset_m(truth, echoes):
    """Return truth minus radar (east, north) where most differences of moving traffic agree, to a few metres."""
    differences = []
    for time_s, east_m, north_m in echoes[(echoes[:, 0] > START_S) & (echoes[:, 0] < LEARNED_S)]:
        differences += [here - (east_m, north_m) for path in truth.values() if (here := moving(path, time_s)) is not None]
    values = np.array(differences)
    counts, east, north = np.histogram2d(values[:, 0], values[:, 1], bins=[np.arange(-4000.0, 4000.0, 40.0)] * 2)
    i, j = np.unravel_index(np.argmax(counts), counts.shape)
    centre = np.array([east[i] + 20.0, north[j] + 20.0])
    for _ in range(5):
        centre = np.median(values[np.hypot(*(values - centre).T) < 60.0], axis=0)
    return centre


def tracked(path):
    """Return track id -> (time of day s, east m, north m) of confirmed rows."""
    import pyarrow.parquet as pq
    from pyproj import Transformer

    table = pq.read_table(path)
    turn = Transformer.from_crs("EPSG:4326", f"+proj=aeqd +lat_0={LATITUDE_DEG} +lon_0={LONGITUDE_DEG}", always_xy=True)
    east_m, north_m = turn.transform(table["lon"].to_numpy(), table["lat"].to_numpy())
    time_s = (table["time"].to_numpy().astype("datetime64[ns]") - np.datetime64("2020-10-02", "ns")).astype(np.int64) / 1e9
    paths: dict[str, list] = {}
    for row in np.flatnonzero(table["confirmed"].to_numpy(zero_copy_only=False)).tolist():
        paths.setdefault(table["track_id"][row].as_py(), []).append((time_s[row], east_m[row], north_m[row]))
    return {track_id: np.array(sorted(points)) for track_id, points in paths.items()}


@pytest.mark.slow
def test_the_surface_radars_traffic_is_tracked_as_multilateration_saw_it(shared, tmp_path, capsys):
    folder = shared / "data" / "asterix"
    radar_rows = decoded(folder / "nigati_201002_lebl_smr_part1.ast", capsys)
    echoes, truth = echoes_of(radar_rows), truth_of(decoded(folder / "nigati_201002_lebl_mlat_part1.ast", capsys))
    offset = offset_m(truth, echoes)
    end = sum(1 for r in radar_rows if r["items"]["140"] < END_S)
    data = (folder / "nigati_201002_lebl_smr_part1.ast").read_bytes()
    at_octet = 0
    for _ in range(end):                                     # one record a block in this recording
        at_octet += int.from_bytes(data[at_octet + 1 : at_octet + 3], "big")
    (tmp_path / "smr.ast").write_bytes(data[:at_octet])
    (tmp_path / "sensors.toml").write_text(SENSORS, encoding="utf-8")
    assert main(["replay", str(tmp_path / "smr.ast"), "--sensors", str(tmp_path / "sensors.toml"), "--date", "2020-10-02",
                 "--out", str(tmp_path / "out"), "--quiet"]) == 0
    tracks = tracked(tmp_path / "out" / "tracks.parquet")

    asked, errors_m, followed = 0, [], {}
    for address, path in truth.items():
        for time_s in np.arange(LEARNED_S, END_S - 60.0, 1.0):
            here = moving(path, time_s)
            if here is None:
                continue
            here = here - offset
            close = echoes[np.abs(echoes[:, 0] - time_s) < 1.5]
            if not len(close) or np.hypot(*(close[:, 1:] - here).T).min() > NEAR_M:
                continue
            asked += 1
            distances = [(float(np.hypot(*(place - here))), track_id) for track_id, points in tracks.items()
                         if (place := at(points, time_s)) is not None]
            if distances and min(distances)[0] < NEAR_M:
                errors_m.append(min(distances)[0])
                followed.setdefault(address, []).append(min(distances)[1])
    switches = sum(a != b for ids in followed.values() for a, b in pairwise(ids))
    figures = (f"asked {asked} s, complete {len(errors_m) / max(asked, 1):.3f}, error median {np.median(errors_m):.0f} m, "
               f"rms {np.sqrt(np.mean(np.square(errors_m))):.0f} m, {switches} changes of track over {len(followed)} aircraft")
    print(figures)
    assert asked > 1500, f"the recordings no longer overlap: {figures}"
    assert len(errors_m) / asked > 0.75, figures
    assert np.median(errors_m) < 40.0, figures
    assert switches <= len(followed), figures
