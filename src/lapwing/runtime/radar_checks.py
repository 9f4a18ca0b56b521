"""Reads a recording, checks each radar in it, and says figure by figure whether it is good and what to do."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from lapwing import sense
from lapwing.geo.horizon import radio_horizon_m
from lapwing.model.entries import Entry
from lapwing.model.errors import InputError
from lapwing.model.plots import KIND_ADSB, KIND_COMBINED, KIND_MLAT, KIND_SSR, Plots, empty_plots
from lapwing.model.sensors import RADAR, SURFACE, Sensor, SensorTable
from lapwing.runtime.opening import open_recordings, read_sensors
from lapwing.sense import radar_check
from lapwing.sense.place import SECONDARY_SHARE

BATCH = 2_000
# Systematic errors that EUROCONTROL's standard for en-route radar surveillance allows (SUR.ET1.ST01, 1997).
BIAS_M_MAX, BIAS_DEG_MAX, GAIN_M_PER_NM_MAX, TIME_S_MAX = 100.0, 0.1, 1.0, 0.1
NOISE_SHARE = 1.3            # above what is configured: the tracker believes the file
DETECTION_SECONDARY, DETECTION_SLACK = 0.97, 0.05
HORIZON_HEIGHT_M = 3_000.0   # aircraft that show how far a radar sees
NM_M = 1_852.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure of one radar."""

    sensor: str
    name: str
    value: float | None
    unit: str
    limit: float | None
    good: bool | None            # None: cannot be told
    words: str                   # what to do, or why it cannot be told
    count: int


def check(recordings: Sequence[Path], sensors_file: Path, adsb: Path | None, date: str | None, *, as_json: bool,
          plot_file: Path | None) -> int:
    """Check the radars of a recording; print figure by figure. 0 all good, 1 one is not. Raises InputError."""
    table = read_sensors(sensors_file)
    plots, table = read_plots(recordings, table, date)
    others = plots
    if adsb is not None:
        more, _ = read_plots([adsb], SensorTable(), date)
        others = joined([plots, more])
    figures: list[Figure] = []
    drawn: list[tuple[Sensor, np.ndarray]] = []
    for row, sensor in enumerate(table.rows):
        mine = plots.take((plots.sensor_index == row) & np.isfinite(plots.range_m))
        if sensor.kind not in (RADAR, SURFACE) or not len(mine):
            continue
        figures += figures_of(sensor, mine, others, row)
        drawn.append((sensor, radar_check.coverage_m(mine)))
    if not drawn:
        raise InputError("no radar with plots in it", where=", ".join(map(str, recordings)),
                         remedy="check the sources with `lapwing decode`, and that the sensors file names them with a place")
    if as_json:
        for figure in figures:
            print(json.dumps(asdict(figure), ensure_ascii=False))
    else:
        for line in lines(figures, drawn):
            print(line)
    if plot_file is not None:
        plot_file.write_text(coverage_svg(drawn), encoding="utf-8")
        if not as_json:
            print(f"coverage: {plot_file}")
    return 1 if any(figure.good is False for figure in figures) else 0


def read_plots(recordings: Sequence[Path], sensors: SensorTable, date: str | None) -> tuple[Plots, SensorTable]:
    """Return all plots of recordings, and the sensor table with what was met."""
    opened = open_recordings(recordings, sensors, date)
    setup, state = sense.SenseSetup(sensors=sensors), sense.State()
    parts: list[Plots] = []
    waiting: list[Entry] = []
    table = sensors

    def step() -> None:
        nonlocal state, table
        state, found = sense.step(state, tuple(waiting), setup, waiting[-1].received_ns)
        table = found.sensors
        parts.append(found.plots)
        waiting.clear()

    for number, item in enumerate(opened.items):
        waiting.append(Entry(number, *item))
        if len(waiting) >= BATCH:
            step()
    if waiting:
        step()
    return joined(parts), table


def joined(parts: Sequence[Plots]) -> Plots:
    """Return several batches as one."""
    kept = [part for part in parts if len(part)]
    if not kept:
        return empty_plots()
    return Plots(**{f.name: np.concatenate([getattr(part, f.name) for part in kept]) for f in fields(Plots)})


def figures_of(sensor: Sensor, mine: Plots, others: Plots, row: int) -> Iterator[Figure]:
    """Yield the figures of one radar."""
    truth = others.take((others.kind == KIND_ADSB) | (others.kind == KIND_MLAT))
    named, what = radar_check.reference(truth), "ADS-B"
    mine = radar_check.identified(mine, sensor, named)
    found = radar_check.differences(mine, sensor, named)
    if len(found.range_m) < radar_check.PAIRS_MIN:
        rest = others.take((others.sensor_index != row) & np.isfinite(others.range_m))
        found, what = radar_check.differences(mine, sensor, radar_check.reference(rest)), "the other radars"
    against = radar_check.fit(found)
    alone = radar_check.own_noise(mine, sensor.rotation_s)
    noise = against if against.count >= radar_check.PAIRS_MIN and what == "ADS-B" else alone
    answered = bool(np.mean((mine.kind == KIND_SSR) | (mine.kind == KIND_COMBINED)) > 0.5)
    share = SECONDARY_SHARE if answered else 1.0
    yield _figure(sensor, "range noise", noise.range_m_sigma, "m", NOISE_SHARE * share * sensor.range_m_sigma,
                  f"set range_m_sigma = {noise.range_m_sigma / share:.0f}, or find out why it is worse than it was", noise.count)
    degrees = math.degrees(noise.azimuth_rad_sigma)
    yield _figure(sensor, "azimuth noise", degrees, "deg", NOISE_SHARE * share * math.degrees(sensor.azimuth_rad_sigma),
                  f"set azimuth_deg_sigma = {degrees / share:.3f}, or find out why it is worse than it was", noise.count)
    told = f"against {what}: "
    for name, value, error, unit, limit, remedy in (
            ("range bias", against.range_m_bias, against.errors[0], "m", BIAS_M_MAX,
             "check the transponder delay and the range zero; the tracker takes it out while it lasts"),
            ("range gain", against.range_gain * NM_M, against.errors[1] * NM_M, "m/NM", GAIN_M_PER_NM_MAX, "check the range clock"),
            ("azimuth bias", math.degrees(against.azimuth_rad_bias), math.degrees(against.errors[2]), "deg", BIAS_DEG_MAX,
             "check north alignment, and that the file's place is the aerial's"),
            ("time bias", against.time_s_bias, against.errors[3], "s", TIME_S_MAX, "check the time source of the radar")):
        yield _figure(sensor, name, value, unit, limit, told + remedy, against.count, 2.0 * error)
    probability, turns = radar_check.detection(mine, sensor.rotation_s)
    least = DETECTION_SECONDARY if answered else max(0.0, sensor.detection_prob - DETECTION_SLACK)
    enough = turns >= radar_check.PAIRS_MIN
    yield Figure(sensor.id, "detection", _number(probability) if enough else None, "of turns", least,
                 probability >= least if enough else None,
                 "" if enough and probability >= least else "look for a blanked sector, a filter or a weak interrogator" if enough
                 else "too few turns of aircraft with an identity, or the rotation is not known", turns)
    yield _reach(sensor, mine)




def _number(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None


def _figure(sensor: Sensor, name: str, value: float, unit: str, limit: float, remedy: str, count: int,
            sure: float = 0.0) -> Figure:
    """Return a figure; it fails where it is beyond its limit by more than its own uncertainty (95 %)."""
    if not math.isfinite(value):
        return Figure(sensor.id, name, None, unit, _number(limit), None,
                      f"cannot be told: {count} comparisons, {radar_check.PAIRS_MIN} are needed; record longer, or give --adsb", count)
    good: bool | None = abs(value) <= limit
    words = f"+- {sure:.3g}" if sure else ""
    if not good and abs(value) - sure <= limit:
        good, words = None, f"+- {sure:.3g}: not sure; record longer, with more traffic"
    elif not good:
        words = f"{words} {remedy}".strip()
    return Figure(sensor.id, name, _number(value), unit, _number(limit), good, words, count)


def _reach(sensor: Sensor, mine: Plots) -> Figure:
    """Sectors in which it sees less than half of what its horizon and range allow."""
    reach = radar_check.coverage_m(mine)
    antenna_m = max(sensor.height_m if math.isfinite(sensor.height_m) else 0.0, 0.0)
    far = float(radio_horizon_m(antenna_m, HORIZON_HEIGHT_M))
    far = min(far, sensor.range_m_max) if math.isfinite(sensor.range_m_max) else far
    short = int(np.count_nonzero(reach < 0.5 * far))
    if len(mine) < 20 * radar_check.SECTORS:
        return Figure(sensor.id, "short sectors", short, "of 36", None, None,
                      f"{len(mine)} plots are too few for a verdict on coverage", len(mine))
    first = ", ".join(f"{10 * k} to {10 * k + 10}" for k in np.flatnonzero(reach < 0.5 * far)[:4].tolist())
    return Figure(sensor.id, "short sectors", short, "of 36", radar_check.SECTORS / 4, short <= radar_check.SECTORS / 4,
                  "" if short <= radar_check.SECTORS / 4 else f"nothing beyond half of {far / 1000:.0f} km at {first} degrees: "
                  "terrain, a blanked sector, or no traffic there", len(mine))


def lines(figures: Sequence[Figure], drawn: Sequence[tuple[Sensor, np.ndarray]]) -> Iterator[str]:
    """Yield the figures in words, and the coverage as bars."""
    for sensor, reach in drawn:
        yield f"{sensor.id}"
        for figure in figures:
            if figure.sensor != sensor.id:
                continue
            mark = {True: "ok  ", False: "FAIL", None: "?   "}[figure.good]
            value = "      --" if figure.value is None else f"{figure.value:8.3f}"
            limit = "" if figure.limit is None else (f"at least {figure.limit:.3f}" if figure.name == "detection"
                                                     else f"at most {figure.limit:.3f}")
            words = f"  {figure.words}" if figure.words else ""
            yield f"  {mark} {figure.name:<14} {value} {figure.unit:<8} {limit:<17} ({figure.count:,}){words}"
        top = max(float(reach.max()), 1.0)
        yield f"  coverage, farthest plot in each 10 degrees ({top / 1000:.0f} km at most):"
        bars = "".join(" .:-=+*#%@"[min(9, int(9.99 * value / top))] for value in reach.tolist())
        yield f"  {bars}  north ... east ... south ... west"


def coverage_svg(drawn: Sequence[tuple[Sensor, np.ndarray]]) -> str:
    """Return the coverage of each radar as a rose, one beside the other."""
    size, parts = 320, []
    for place, (sensor, reach) in enumerate(drawn):
        middle_x, middle_y, radius = size * place + size / 2, size / 2 + 10, size / 2 - 40
        top = sensor.range_m_max if math.isfinite(sensor.range_m_max) else max(float(reach.max()), 1.0)
        wedges = []
        for k, value in enumerate(reach.tolist()):
            length = radius * min(value / top, 1.2)
            corners = [(middle_x + length * math.sin(math.radians(10 * k + turn)),
                        middle_y - length * math.cos(math.radians(10 * k + turn))) for turn in (0.0, 10.0)]
            wedges.append(f"M{middle_x:.1f},{middle_y:.1f} " + " ".join(f"L{x:.1f},{y:.1f}" for x, y in corners) + " Z")
        rings = "".join(f'<circle cx="{middle_x:.1f}" cy="{middle_y:.1f}" r="{radius * part:.1f}" fill="none" stroke="#999"/>'
                        for part in (0.25, 0.5, 0.75, 1.0))
        name = sensor.id.replace("&", "&amp;").replace("<", "&lt;")
        parts.append(f'<g><path d="{" ".join(wedges)}" fill="#4477aa" fill-opacity="0.6"/>{rings}'
                     f'<text x="{middle_x:.1f}" y="16" text-anchor="middle" font-size="13">{name}: outer ring '
                     f'{top / 1000:.0f} km</text><text x="{middle_x:.1f}" y="{middle_y - radius - 4:.1f}" text-anchor="middle" '
                     f'font-size="11">N</text></g>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{size * max(1, len(drawn))}" height="{size + 20}" '
            f'font-family="sans-serif"><rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n')


