"""`lapwing check-radar` measures a radar of a recording and says what fails and what to do."""

import json
import math

import numpy as np

from lapwing.cli.main import main
from lapwing.geo.frames import geodetic_from_enu, geodetic_to_polar
from lapwing.sense.asterix.encode import encode_block

LAT, LON, HEIGHT = math.radians(45.19), math.radians(28.8), 180.0


def recording(path, azimuth_bias_deg):
    """Write ten minutes of a 4 s radar and of ADS-B with 12 aircraft on straight lines."""
    rng = np.random.default_rng(1)
    rows = []
    for k in range(12):
        start, course = rng.uniform(-90e3, 90e3, 2), rng.uniform(0, 2 * np.pi)
        for t in np.arange(rng.uniform(0, 4), 600.0, 2.0):
            lat, lon = geodetic_from_enu(LAT, LON, start[0] + 200 * np.sin(course) * t, start[1] + 200 * np.cos(course) * t)
            rows.append((36_000 + t, encode_block(21, [{"010": {"SAC": 25, "SIC": 9}, "073": 36_000 + t, "080": 0x500 + k,
                         "131": {"LAT": math.degrees(lat), "LON": math.degrees(lon)}, "140": 30_000,
                         "090": {"NUCRNACV": 2, "NUCPNIC": 8, "NACP": 9}}])))
            if int(t / 2) % 2:
                r, a, _ = geodetic_to_polar(LAT, LON, HEIGHT, lat, lon, 9144.0)
                r, a = float(r) + rng.normal(0, 30), math.degrees(float(a)) + azimuth_bias_deg + rng.normal(0, 0.05)
                rows.append((36_000 + t, encode_block(48, [{"010": {"SAC": 25, "SIC": 201}, "140": 36_000 + t, "020": {"TYP": 5},
                             "040": {"RHO": r / 1852.0, "THETA": a % 360.0}, "220": 0x500 + k,
                             "090": {"V": 0, "G": 0, "FL": 300.0}}])))
    path.write_bytes(b"".join(block for _, block in sorted(rows, key=lambda row: row[0])))


SENSORS = """[sensor.tulcea]
sac = 25
sic = 201
lat_deg = 45.19
lon_deg = 28.8
antenna_m_ellipsoid = 180.0
rotation_s = 4.0
range_m_sigma = 60.0
azimuth_deg_sigma = 0.1
range_m_max = 200000.0
"""


def test_a_radar_out_of_alignment_fails_by_its_azimuth_bias_and_by_nothing_else(tmp_path, capsys):
    (tmp_path / "sensors.toml").write_text(SENSORS)
    recording(tmp_path / "r.ast", azimuth_bias_deg=0.5)
    arguments = ["check-radar", str(tmp_path / "r.ast"), "--sensors", str(tmp_path / "sensors.toml"), "--date", "2025-08-05"]
    assert main([*arguments, "--json", "--plot", str(tmp_path / "c.svg")]) == 1
    figures = {row["name"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert [name for name, row in figures.items() if row["good"] is False and name != "short sectors"] == ["azimuth bias"]
    assert abs(figures["azimuth bias"]["value"] - 0.5) < 0.02 and "north alignment" in figures["azimuth bias"]["words"]
    assert 25 < figures["range noise"]["value"] < 36 and figures["detection"]["value"] > 0.99
    assert (tmp_path / "c.svg").read_text().startswith("<svg")


def test_a_recording_without_a_radar_is_refused_in_words(tmp_path, capsys):
    (tmp_path / "sensors.toml").write_text(SENSORS)
    (tmp_path / "r.ast").write_bytes(encode_block(21, [{"010": {"SAC": 25, "SIC": 9}, "073": 36_000.0}]))
    assert main(["check-radar", str(tmp_path / "r.ast"), "--sensors", str(tmp_path / "sensors.toml")]) == 2
    assert "no radar with plots" in capsys.readouterr().err
