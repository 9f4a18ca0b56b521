"""The sky of the load bench: what it sends is decoded, whole, and lies where its objects are."""

import numpy as np
import pytest

from lapwing import sense
from lapwing.model.entries import Entry
from lapwing.runtime.latency import BOUNDS_S, Latency, quantile
from lapwing.runtime.load_scene import ROTATION_S, Scene
from lapwing.runtime.site_config import read_site

BEGIN_S = 1_790_000_000.0
SCENE = Scene(objects=60, drones=6, radars=3)


def sent(seconds):
    for at_s, octets in SCENE.datagrams(BEGIN_S):
        if at_s > BEGIN_S + seconds:
            return
        yield at_s, octets


def test_datagrams_come_in_order_of_time_and_at_the_rate_that_is_stated():
    times, plots = [], 0
    for at_s, octets in sent(20 * ROTATION_S):
        times.append(at_s)
        assert int.from_bytes(octets[1:3], "big") == len(octets) < 1_472
        plots += (len(octets) - 3) // (19 if octets[3] == 0xFD else 11)
    assert times == sorted(times)
    assert plots / (20 * ROTATION_S) == pytest.approx(SCENE.plots_per_s, rel=0.02)


def test_every_record_becomes_a_plot_where_its_object_is(tmp_path):
    (tmp_path / "site.toml").write_text(SCENE.site_toml(8600))
    site, problems = read_site(tmp_path / "site.toml")
    assert [problem for problem in problems if problem.is_error] == []
    state, count = sense.State(), 0
    for number, (at_s, octets) in enumerate(sent(3 * ROTATION_S)):
        state, sensed = sense.step(state, (Entry(number, round(at_s * 1e9), "udp", "asterix", octets),),
                                   sense.SenseSetup(sensors=site.sensors), round(at_s * 1e9))
        plots = sensed.plots
        assert sensed.refusals == () and len(plots) == (len(octets) - 3) // (19 if octets[3] == 0xFD else 11)
        for row in np.flatnonzero(plots.icao_address >= 0):
            number_of = int(plots.icao_address[row]) - 0x4A0000
            north_m, east_m, _ = (value[number_of] for value in SCENE._places(np.full(SCENE.objects, plots.measured_ns[row] * 1e-9)))
            away_m = np.hypot((np.degrees(plots.latitude_rad[row]) - 45.19) * 111_200.0 - north_m,
                              (np.degrees(plots.longitude_rad[row]) - 28.80) * 111_200.0 * np.cos(np.radians(45.19)) - east_m)
            assert away_m < 900.0           # five sigmas of 0.05 degrees at 150 km, and the level is of a standard atmosphere
            count += 1
    assert count > 400


def test_an_aircraft_gives_way_to_another_with_an_address_of_its_own():
    scene = Scene(objects=10, drones=0, radars=1, life_s=300.0)
    seen = [{octets[3 + 19 * k + 16 : 3 + 19 * k + 19] for _, octets in scene.scan(0, turn) for k in range((len(octets) - 3) // 19)}
            for turn in (0, 75, 150)]
    assert all(len(each) == 10 for each in seen)
    assert not seen[0] & seen[2] and len(seen[0] | seen[1] | seen[2]) == 30


def test_a_histogram_counts_each_plot_once_and_its_quantiles_lie_between_the_bounds():
    latency = Latency("x")
    assert latency.samples() == []
    latency.add(np.arange(1, 1_001, dtype=np.int64) * 1_000_000, 1_001_000_000)      # 1 to 1,000 ms ago
    found = {dict(labels).get("le"): value for name, labels, value in latency.samples() if name == "x_bucket"}
    assert found["+Inf"] == 1_000 and found["0.1"] == 100
    assert quantile(found, 0.5) == pytest.approx(0.5) and quantile(found, 0.99) == pytest.approx(0.99)
    latency.add(np.array([0], np.int64), 10**15)
    assert {value for name, _, value in latency.samples() if name == "x_count"} == {1_001}
    assert quantile({"0.1": 0.0, "+Inf": 5.0}, 0.99) == 0.1 and np.isnan(quantile({}, 0.5))
    assert sorted(BOUNDS_S) == list(BOUNDS_S)


@pytest.mark.slow
def test_a_small_load_and_a_short_soak_lose_nothing(monkeypatch):
    from lapwing.runtime import bench_load, bench_soak
    from lapwing.runtime.bench import Figure

    monkeypatch.setenv("LAPWING_BENCH_RATE", "200")
    monkeypatch.setenv("LAPWING_BENCH_SECONDS", "5")
    found = list(bench_load.figures(1, Figure))
    figures = {figure.what: figure.value for figure in found}
    assert figures["datagrams sent and not in the journal"] == 0
    assert "picture" not in next(figure.note for figure in found if figure.what == "stalls of the loop")      # the console shows it all
    assert figures["plots used"] > 0.9
    monkeypatch.setenv("LAPWING_BENCH_SECONDS", "60")
    figures = {figure.what: figure.value for figure in bench_soak.figures(1, Figure)}
    assert figures["plots used"] > 0 and figures["memory at the end"] > 0
