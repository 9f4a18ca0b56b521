"""Writes made-up nights and played stories as folders: the layout of the reference scenarios, and recordings beside it.

======================  ==================================================================================
scenario.json           name, start, length, radars with position, turn, sigmas, latency
plots.parquet           plots in order of arrival
truth.parquet           where every object was, and when it is in play
plot_origin.parquet     truth_id of each row of plots.parquet, 0 for clutter: for scoring only
answers.json            biases, and of each target how near it came: for scoring only
border.geojson          the line the night plays on
======================  ==================================================================================

Of a story also: ``<link>.ast`` (data blocks back to back) and ``all.pcap`` (UDP datagrams with their times), which hold
the same ASTERIX; ``persons.jsonl`` (what people and microphones reported); ``sensors.toml``.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lapwing.adapters import packs
from lapwing.geo.border import Territory
from lapwing.model.errors import ConfigError
from lapwing.model.plots import KIND_COMBINED, KIND_SSR
from lapwing.model.sensors import Sensor, SensorTable
from lapwing.model.times import to_iso
from lapwing.sim import Recording, load_story, play
from lapwing.sim.answers import answers
from lapwing.sim.radar import AZIMUTH_STEPS, RANGE_STEP_M, TIME_STEPS, sector_received_s
from lapwing.sim.scenes import Scene, build_scenes

MINUTES_MAX = 24 * 60.0
FRAME = "WGS-84; azimuth clockwise from true north; slant range along the straight line radar-target"


def write_night(
    night: str, country: str, seed: int, minutes: float | None, neighbour: str | None, out: Path, cache_dir: Path | None,
    detection: float = 1.0,
) -> list[Path]:
    """Make the scenes of a night near a country's border and write one folder each; return the folders.

    Raises ConfigError for a country without a pack, a neighbour without a common line, a length out of range.
    """
    if minutes is not None and not 1.0 <= minutes <= MINUTES_MAX:
        raise ConfigError(
            f"{minutes:g} minutes: must lie in [1, {MINUTES_MAX:g}]", where="--minutes", remedy="usually 8 to 360"
        )
    if not 0.0 < detection <= 1.0:
        raise ConfigError(f"{detection:g}: must lie above 0, at most 1", where="--detection", remedy="usually 0.4 to 1")
    pack = packs.load_country(country, cache_dir)
    told = {partner.country for partner in pack.partners if partner.kind == "neighbour"}
    lines = [code for code in pack.neighbours if code in pack.territory.neighbours]
    # A neighbour that is warned like ourselves is not the one that a night comes from.
    default = next((code for code in lines if code not in told), lines[0] if lines else "")
    scenes = build_scenes(night, pack.territory, (neighbour or default).upper(), seed, minutes, detection)
    folders = []
    for scene in scenes:
        folder = out if len(scenes) == 1 else out / scene.name.split("/")[-1]
        write_scene(scene, folder, pack.territory)
        folders.append(folder)
    return folders


def write_story(name_or_path: str, seed: int, out: Path, cache_dir: Path | None) -> Path:
    """Play a story and write its folder: the scenario layout, the recordings, what people said, the sensor table."""
    path = Path(name_or_path)
    story = load_story(path.read_bytes(), path.name) if path.suffix in (".yaml", ".yml") else load_story(name_or_path)
    recording = play(story, seed)
    try:
        territory: Territory | None = packs.load_country(story.country, cache_dir).territory
    except ConfigError:
        territory = None  # no pack: distances stay unknown, everything else is written
    scene = Scene(
        story.id,
        story.title,
        seed,
        story.start_ns,
        story.span_s,
        2.0,
        None,
        recording.radars,
        recording.motions,
        tuple(plots for _, plots in recording.plots),
        recording.truth,
        level_offset=0.0,
    )
    write_scene(scene, out, territory)
    write_recordings(recording, out)
    (out / "sensors.toml").write_text(sensors_toml(recording.sensors), encoding="utf-8")
    return out


def write_scene(scene: Scene, folder: Path, territory: Territory | None) -> None:
    """Write the six files of a scene."""
    folder.mkdir(parents=True, exist_ok=True)
    _json(
        folder / "scenario.json",
        {
            "name": scene.name,
            "description": scene.description,
            "seed": scene.seed,
            "start": to_iso(scene.start_ns, digits=6),
            "duration_s": scene.span_s,
            "radars": [
                {
                    "id": r.id,
                    "lat": round(math.degrees(r.latitude_rad), 6),
                    "lon": round(math.degrees(r.longitude_rad), 6),
                    "height_m": round(r.height_m, 2),
                    "scan_period_s": r.rotation_s,
                    "max_range_m": r.instrumented_m,
                    "sigma_range_m": r.range_m_sigma,
                    "sigma_azimuth_deg": round(math.degrees(r.azimuth_rad_sigma), 6),
                    "ssr": r.secondary,
                    "latency_s": r.latency_s,
                    "detection_prob": r.detection_prob,
                    **({"small_range_m": round(r.small_range_m, 1)} if math.isfinite(r.small_range_m) else {}),
                    "false_plots_per_scan": round(sum(c.plots_per_scan for c in r.clutter), 1),
                }
                for r in scene.radars
            ],
            "frame": FRAME,
            "border": "border.geojson",
        },
    )
    _write_plots(scene, folder)
    _write_truth(scene, folder)
    _json(folder / "answers.json", answers(scene, territory))
    features = []
    if scene.window is not None:
        line = np.degrees(scene.window.line_rad)
        features.append(
            {
                "type": "Feature",
                "properties": {
                    "name": f"{scene.window.territory.code}-{scene.window.neighbour}",
                    "home_side": scene.window.home_side,
                    "note": "stretch of the pack's line; a made-up night, not a record of any event",
                },
                "geometry": {
                    "type": "LineString",
                    "coordinates": [[round(lon, 6), round(lat, 6)] for lat, lon in line.tolist()],
                },
            }
        )
    _json(folder / "border.geojson", {"type": "FeatureCollection", "features": features}, indent=None)


def _json(path: Path, value: Any, indent: int | None = 1) -> None:
    path.write_text(json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False), encoding="utf-8")


def _write_plots(scene: Scene, folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, list[np.ndarray]] = {}
    for number, (radar, plots) in enumerate(zip(scene.radars, scene.plots, strict=True)):
        first, last = (int(plots.sector.min()), int(plots.sector.max())) if len(plots) else (0, 0)
        arrived_s = sector_received_s(radar, scene.seed, first, last)[plots.sector - first]
        answered = plots.mode3a >= 0
        for key, values in {
            "time": plots.measured_128 * (1_000_000_000 // TIME_STEPS) // 1000,
            "recv_time": scene.start_ns // 1000 + np.round(arrived_s * 1e6).astype(np.int64),
            "radar": np.full(len(plots), number, np.int32),
            "kind": np.where(plots.kind == KIND_COMBINED, 2, np.where(plots.kind == KIND_SSR, 1, 0)).astype(np.int32),
            "range": (plots.range_steps * RANGE_STEP_M).astype(np.float32),
            "azimuth": (plots.azimuth_steps * (360.0 / AZIMUTH_STEPS)).astype(np.float32),
            "amplitude": (np.rint(plots.amplitude_db * 4.0) / 4.0).astype(np.float32),
            "mode3a": plots.mode3a,
            "level": np.where(answered, plots.level_steps / 4.0, np.nan).astype(np.float32),
            "mode_s": plots.icao_address.astype(np.int32),
            "truth_id": plots.truth_id.astype(np.int16),
        }.items():
            columns.setdefault(key, []).append(np.asarray(values))
    joined = {key: np.concatenate(values) for key, values in columns.items()}
    order = np.lexsort((joined["time"], joined["radar"], joined["recv_time"]))
    c = {key: values[order] for key, values in joined.items()}
    codes, code_row = np.unique(c["mode3a"], return_inverse=True)
    table = pa.table(
        {
            "time": pa.array(c["time"], pa.timestamp("us", tz="UTC")),
            "recv_time": pa.array(c["recv_time"], pa.timestamp("us", tz="UTC")),
            "radar_id": pa.DictionaryArray.from_arrays(pa.array(c["radar"]), [radar.id for radar in scene.radars]),
            "plot_type": pa.DictionaryArray.from_arrays(pa.array(c["kind"]), ["psr", "ssr", "cmb"]),
            "slant_range_m": pa.array(c["range"]),
            "azimuth_deg": pa.array(c["azimuth"]),
            "amplitude_db": pa.array(c["amplitude"], mask=np.isnan(c["amplitude"])),
            "mode3a": pa.DictionaryArray.from_arrays(
                pa.array(code_row.astype(np.int32), mask=c["mode3a"] < 0),
                [f"{max(code, 0):04o}" for code in codes.tolist()],
            ),
            "flight_level": pa.array(c["level"], mask=np.isnan(c["level"])),
            "mode_s": pa.array(c["mode_s"], mask=c["mode_s"] < 0),
        }
    )
    pq.write_table(table, folder / "plots.parquet", compression="zstd")
    pq.write_table(pa.table({"truth_id": c["truth_id"]}), folder / "plot_origin.parquet", compression="zstd")


def _write_truth(scene: Scene, folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    truth = scene.truth
    kinds = sorted(set(truth.kind)) or ["drone"]
    kind_row = np.array([0, *(kinds.index(kind) for kind in truth.kind)], np.int32)[truth.truth_id]
    order = np.lexsort((truth.truth_id, truth.time_ns))
    pq.write_table(
        pa.table(
            {
                "truth_id": truth.truth_id[order],
                "class": pa.DictionaryArray.from_arrays(pa.array(kind_row[order]), kinds),
                "time": pa.array(truth.time_ns[order] // 1000, pa.timestamp("us", tz="UTC")),
                "lat": np.round(np.degrees(truth.latitude_rad[order]), 7),
                "lon": np.round(np.degrees(truth.longitude_rad[order]), 7),
                "alt_m": truth.height_m[order].astype(np.float32),
                **{
                    name: truth.velocity_mps[order, k].astype(np.float32)
                    for k, name in enumerate(("v_east", "v_north", "v_up"))
                },
                "in_play": truth.in_play[order],
            }
        ),
        folder / "truth.parquet",
        compression="zstd",
    )


def write_recordings(recording: Recording, folder: Path) -> None:
    """Write one raw recording a link, all of them as a pcap, and what people and microphones said."""
    raw: dict[str, list[bytes]] = {}
    said = []
    ports: dict[str, int] = {}
    packets = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65_535, 1)]  # pcap with nanoseconds, Ethernet
    for received_ns, link, format_, payload in recording.items:
        name = link.split(":", 1)[-1]
        if format_ == "asterix":
            raw.setdefault(name, []).append(payload)
            packets.append(_packet(received_ns, ports.setdefault(name, 8_600 + len(ports)), payload))
        else:
            said.append(
                json.dumps(
                    {
                        "received": to_iso(received_ns, digits=6),
                        "link": link,
                        "format": format_,
                        "record": json.loads(payload),
                    },
                    ensure_ascii=False,
                    sort_keys=True,
                )
            )
    for name, blocks in raw.items():
        (folder / f"{name}.ast").write_bytes(b"".join(blocks))
    (folder / "all.pcap").write_bytes(b"".join(packets))
    (folder / "persons.jsonl").write_text("".join(line + "\n" for line in said), encoding="utf-8")


def _packet(received_ns: int, port: int, payload: bytes) -> bytes:
    """Return a captured UDP datagram to 239.255.0.1 (a group for private use), each link on a port of its own."""
    udp = struct.pack(">HHHH", port, port, 8 + len(payload), 0) + payload
    head = struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 16, 17, 0, bytes([192, 0, 2, 1]), bytes([239, 255, 0, 1])
    )
    words = sum(struct.unpack(">10H", head))
    words = (words & 0xFFFF) + (words >> 16)
    head = head[:10] + struct.pack(">H", ~words & 0xFFFF) + head[12:]
    frame = bytes.fromhex("01005e7f00010200000000010800") + head + udp
    seconds, rest_ns = divmod(received_ns, 1_000_000_000)
    return struct.pack("<IIII", seconds, rest_ns, len(frame), len(frame)) + frame


def sensors_toml(table: SensorTable) -> str:
    """Return a sensor table as a sensors.toml that `sense.sensors_file` reads."""
    return "# Invented sensors of a simulated story.\n" + "".join(_sensor_toml(sensor) for sensor in table.rows)


def _sensor_toml(sensor: Sensor) -> str:
    def number(key: str, value: float, digits: int) -> Sequence[str]:
        return [f"{key} = {round(value, digits)!r}"] if math.isfinite(value) else []

    lines = [f"\n[sensor.{json.dumps(sensor.id)}]", f'kind = "{sensor.kind}"']
    if sensor.sac >= 0:
        lines += [f"sac = {sensor.sac}", f"sic = {sensor.sic}"]
    lines += [
        *number("lat_deg", math.degrees(sensor.latitude_rad), 6),
        *number("lon_deg", math.degrees(sensor.longitude_rad), 6),
        *number("antenna_m_ellipsoid", sensor.height_m, 2),
        *number("rotation_s", sensor.rotation_s, 4),
        *number("range_m_sigma", sensor.range_m_sigma, 2),
        *number("azimuth_deg_sigma", math.degrees(sensor.azimuth_rad_sigma), 4),
        *number("range_m_max", sensor.range_m_max, 1),
        *number("latency_s", sensor.latency_s, 3),
        *number("detection_prob", sensor.detection_prob, 3),
        *number("small_range_m", sensor.small_range_m, 1),
        *number("false_plots_per_scan", sensor.false_plots_per_scan, 2),
        f"categories = {list(sensor.categories)}",
    ]
    if sensor.horizon:
        rows = [[round(math.degrees(azimuth), 4), round(math.degrees(elevation), 4)] for azimuth, elevation in sensor.horizon]
        lines.append(f"horizon = {rows}")
    return "\n".join(lines) + "\n"
