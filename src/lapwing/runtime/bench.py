"""Measurements of `lapwing bench`: ours and a reference in turn in the same run, the median of each, and the ratio."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lapwing.geo import border
from lapwing.runtime.environment import state_dir
from lapwing.runtime.wiring import load_country


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. `reference` and `ratio` are None where there is nothing to compare with."""

    bench: str
    what: str
    value: float
    unit: str
    reference: float | None = None
    reference_name: str = ""
    ratio: float | None = None
    note: str = ""


def _seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def _compare(ours: Callable[[], object], reference: Callable[[], object], repeat: int) -> tuple[float, float]:
    """Return the median seconds of each, run in turn so that a drift of the machine meets both."""
    pairs = [(_seconds(ours), _seconds(reference)) for _ in range(repeat)]
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs)


def bench_command(name: str | None, repeat: int, *, as_json: bool) -> int:
    """Run one bench or all, print its figures; 0."""
    chosen = BENCHES if name is None else BENCHES | NAMED_ONLY
    for each, make in chosen.items():
        if name in (None, each):
            for figure in make(repeat):
                if as_json:
                    print(json.dumps(asdict(figure)), flush=True)
                else:
                    ratio = f"   {figure.ratio:,.1f} x {figure.reference_name}" if figure.ratio is not None else ""
                    note = f"   ({figure.note})" if figure.note else ""
                    print(f"{figure.bench:<8} {figure.what:<46} {figure.value:>14,.3f} {figure.unit}{ratio}{note}", flush=True)
    return 0


def bench_border(repeat: int) -> Iterator[Figure]:
    """Points within 20 km of the Lithuanian line: ours beside STRtree + LAEA + pyproj Geod, and their agreement."""
    import shapely
    from pyproj import CRS, Geod, Transformer

    territory = load_country("lt", state_dir()).pack.territory
    generator = np.random.default_rng(11)
    count, reference_count = 200_000, 20_000
    edges = np.degrees(territory.edge_rad)
    at = edges[generator.integers(0, len(edges), count)]
    lat_deg = at[:, 0] + generator.uniform(-0.18, 0.18, count)
    lon_deg = at[:, 1] + generator.uniform(-0.3, 0.3, count)
    lat_rad, lon_rad = np.radians(lat_deg), np.radians(lon_deg)
    keep = np.abs(border.signed_distance(territory, lat_rad, lon_rad).signed_distance_m) <= 20_000.0
    lat_rad, lon_rad, lat_deg, lon_deg = lat_rad[keep], lon_rad[keep], lat_deg[keep], lon_deg[keep]

    plane = Transformer.from_crs("EPSG:4326", CRS.from_proj4("+proj=laea +lat_0=55.3 +lon_0=23.9 +ellps=WGS84"),
                                 always_xy=True)
    segments = np.stack(plane.transform(edges[:, [1, 3]], edges[:, [0, 2]]), axis=-1)
    lines: Any = shapely.linestrings(segments)
    tree = shapely.STRtree(lines)
    geod = Geod(ellps="WGS84")
    short = slice(0, reference_count)

    def reference() -> np.ndarray:
        points = shapely.points(np.stack(plane.transform(lon_deg[short], lat_deg[short]), axis=-1))
        row = tree.query_nearest(points, all_matches=False)[1]
        line = tree.geometries[row]
        share = shapely.line_locate_point(line, points, normalized=True)
        near = edges[row]
        near_lat = near[:, 0] + share * (near[:, 2] - near[:, 0])
        near_lon = near[:, 1] + share * (near[:, 3] - near[:, 1])
        return np.asarray(geod.inv(lon_deg[short], lat_deg[short], near_lon, near_lat)[2])

    ours_s, reference_s = _compare(lambda: border.signed_distance(territory, lat_rad, lon_rad), reference, repeat)
    ours_rate, reference_rate = len(lat_rad) / ours_s, min(reference_count, len(lat_rad)) / reference_s
    yield Figure("border", f"points/s, {len(territory):,} edges, within 20 km", ours_rate, "/s", reference_rate,
                 "STRtree + LAEA + Geod", ours_rate / reference_rate)
    found = np.abs(border.signed_distance(territory, lat_rad[short], lon_rad[short]).signed_distance_m)
    shorter = reference() - found
    yield Figure("border", "greatest distance by which the reference is nearer", float(max(0.0, np.max(-shorter))), "m",
                 note="the reference picks its edge on a plane, so it may only be farther")
    one_lat, one_lon = lat_rad[:1], lon_rad[:1]
    single_s = statistics.median(_seconds(lambda: border.signed_distance(territory, one_lat, one_lon)) for _ in range(500))
    yield Figure("border", "one point", single_s * 1e6, "us")


def bench_judge(repeat: int) -> Iterator[Figure]:
    """Judging and forecasting 500 objects at 1 Hz."""
    from lapwing.runtime.bench_judge import figures

    yield from figures(Figure)


def bench_warn(repeat: int) -> Iterator[Figure]:
    """From a track's update to the proposal, from the approval to the receipts, with 500 tracks alive."""
    from lapwing.runtime.bench_warn import figures

    yield from figures(Figure)


def bench_packs(repeat: int) -> Iterator[Figure]:
    """Load of a compiled country pack."""
    for code in ("ro", "lt"):
        load_country(code, state_dir())
        seconds = statistics.median(_seconds(lambda code=code: load_country(code, state_dir())) for _ in range(repeat))  # type: ignore[misc]
        yield Figure("packs", f"{code} with neighbours, from the cache", seconds, "s")


def bench_asterix(repeat: int) -> Iterator[Figure]:
    """CAT048 records into columns, beside libasterix parsing the same octets."""
    from lapwing.runtime.bench_asterix import figures

    yield from figures(repeat, Figure)


def bench_chain(repeat: int) -> Iterator[Figure]:
    """Every shipped story through the whole chain at full speed, journaled."""
    from lapwing.runtime.bench_chain import figures

    yield from figures(repeat, Figure)


def bench_cap(repeat: int) -> Iterator[Figure]:
    """A message between approval and hand-over: write, sign, check, verify, deliver."""
    from lapwing.runtime.bench_cap import figures

    yield from figures(repeat, Figure)


def _processor_s(function: Callable[[], object]) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


def bench_place(repeat: int) -> Iterator[Figure]:
    """Polar reports to places with covariance, and there and back."""
    from lapwing.geo import frames
    from lapwing.sense import place

    generator, count = np.random.default_rng(3), 400_000
    site = (np.full(count, np.radians(45.19)), np.full(count, np.radians(28.8)))
    site_m, sea_m = np.full(count, 180.0), np.full(count, 32.0)
    range_m, azimuth = generator.uniform(2e3, 4e5, count), generator.uniform(0.0, 2.0 * np.pi, count)
    height = np.where(generator.uniform(size=count) < 0.5, np.nan, generator.uniform(100.0, 12_000.0, count))
    sigma = np.full(count, 60.0)
    seconds = statistics.median(_processor_s(lambda: place.polar(
        site, site_m, range_m, azimuth, height, sigma, sigma, np.full(count, 0.002), sea_m)) for _ in range(max(3, repeat)))
    yield Figure("place", "polar reports to places with covariance", count / seconds, "/s", note="processor time")
    known = np.where(np.isfinite(height), height, 300.0)
    latitude, longitude = frames.polar_to_geodetic(*site, site_m, range_m, azimuth, known)
    seconds = statistics.median(_processor_s(lambda: frames.polar_to_geodetic(*site, site_m, range_m, azimuth, known))
                                for _ in range(max(3, repeat)))
    yield Figure("place", "polar reports to places", count / seconds, "/s", note="processor time")
    back_m, back_rad, _ = frames.geodetic_to_polar(*site, site_m, latitude, longitude, known)
    turned = (back_rad - azimuth + np.pi) % (2.0 * np.pi) - np.pi
    yield Figure("place", "greatest error there and back", float(np.nanmax(np.hypot(back_m - range_m, turned * range_m))), "m")


def bench_live_sense(repeat: int) -> Iterator[Figure]:
    """Datagrams over loopback UDP to plots: rate, drops, latency."""
    from lapwing.runtime.bench_live import figures

    yield from figures(repeat, Figure)


def bench_live_start(repeat: int) -> Iterator[Figure]:
    """A live service from nothing: to its first datagram decoded, to ready, to plots; kernel cache empty and full."""
    from lapwing.runtime.bench_start import figures

    yield from figures(repeat, Figure)


def bench_track(repeat: int) -> Iterator[Figure]:
    """The tracker beside Stone Soup's global nearest neighbour on a cluttered slice and on textbook scenes."""
    from lapwing.runtime.bench_track import figures

    yield from figures(repeat, Figure)


def bench_kill(repeat: int) -> Iterator[Figure]:
    """A live service under load, killed at random moments: what it lost, doubled or broke."""
    from lapwing.runtime.bench_kill import figures

    yield from figures(repeat, Figure)


def bench_archive(repeat: int) -> Iterator[Figure]:
    """Questions to an archive of ten million rows (or LAPWING_BENCH_ROWS)."""
    from lapwing.runtime.bench_archive import figures

    yield from figures(repeat, Figure)


def bench_load(repeat: int) -> Iterator[Figure]:
    """20,000 plots/s into a whole live service: loss, latency, memory."""
    from lapwing.runtime.bench_load import figures

    yield from figures(repeat, Figure)


def bench_soak(repeat: int) -> Iterator[Figure]:
    """Event time at ten times the speed through a whole live service: slope of memory, open files."""
    from lapwing.runtime.bench_soak import figures

    yield from figures(repeat, Figure)


def bench_kill_cluster(repeat: int) -> Iterator[Figure]:
    """Two machines on a cluster of three servers; leader, worker and follower killed in turn: what it lost, doubled or broke."""
    from lapwing.runtime.bench_cluster import figures

    yield from figures(repeat, Figure)


# Not among what `bench` without a name runs: a minute at full rate and two cores; a slow reference.
NAMED_ONLY: dict[str, Callable[[int], Iterator[Figure]]] = {
    "archive": bench_archive, "load": bench_load, "live-sense": bench_live_sense, "live-start": bench_live_start, "track": bench_track,
    "kill": bench_kill, "kill-cluster": bench_kill_cluster, "soak": bench_soak}
BENCHES: dict[str, Callable[[int], Iterator[Figure]]] = {
    "border": bench_border, "judge": bench_judge, "packs": bench_packs, "asterix": bench_asterix, "chain": bench_chain, "cap": bench_cap,
    "place": bench_place, "warn": bench_warn}

if __name__ == "__main__":
    sys.exit(bench_command(None, 3, as_json=False))
