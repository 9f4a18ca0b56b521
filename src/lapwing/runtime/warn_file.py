"""`lapwing warn`: the warner alone over the tracks of a file, with officers played; to try a policy in seconds.

Rows are taken in the order in which they left the tracker, a step a second. What a tracks file does not say is assumed:
the spread of the velocity, and a turn rate of nothing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from lapwing import warn
from lapwing.country.pack import Pack, Policy
from lapwing.country.settings import read_policy
from lapwing.geo.border import signed_distance
from lapwing.judge import Settings as JudgeSettings
from lapwing.judge import traffic
from lapwing.model.alerts import Alert, Decision, Proposal, Warned
from lapwing.model.errors import ConfigError, InputError
from lapwing.model.plots import Bools, Floats, Ints
from lapwing.model.reports import Command
from lapwing.model.times import NS_PER_S, from_seconds
from lapwing.model.tracks import AFFILIATIONS, CLASSES, Tracks
from lapwing.model.verdicts import BorderStates, Judgement
from lapwing.record.canonical import to_json
from lapwing.record.rows import alert_file_row, alert_row, decision_row, proposal_row

STEP_S = 1.0
LIVE_S = 15.0              # a track lives so long after its newest row
VELOCITY_MPS_SIGMA = 2.5   # where the file gives none
POSITION_M_SIGMA = 150.0
RUN_ON_S = 4_000.0         # after the last track the clock runs on until the last warning has ended, but not for ever


@dataclass(frozen=True, slots=True)
class Play:
    """The officers that are played: seconds from proposal to approval, and on to the second person's. Negative: nobody."""

    officer_s: float = 20.0
    second_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Result:
    """What a run made."""

    alerts: tuple[Alert, ...]
    proposals: tuple[Proposal, ...]
    decisions: tuple[Decision, ...]
    notes: tuple[str, ...]


def read_policy_file(path: Path, base: Policy) -> tuple[Policy, Play]:
    """Return a policy with the keys of a TOML file changed, and the officers of its table [officers]. ConfigError."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"no TOML: {error}", where=str(path), remedy="write keys of [policy], such as "
                          "alert_prob = 0.02") from None
    play = table.pop("officers", {})
    known = {field.name for field in fields(Play)}
    if not isinstance(play, dict) or set(play) - known or not all(
            isinstance(v, int | float) and not isinstance(v, bool) for v in play.values()):
        raise ConfigError("has other keys than numbers officer_s and second_s", where=f"{path} [officers]",
                          remedy="write officer_s = 20")
    if set(table) == {"policy"}:
        table = table["policy"]
    return read_policy(str(path), table, base), Play(**{key: float(value) for key, value in play.items()})


def run_warner(path: Path, pack: Pack, play: Play, *, status: str = "Exercise") -> Result:
    """Return what the warner does with the tracks of a file."""
    settings = warn.Settings(status=status)
    state = warn.State()
    alerts: list[Alert] = []
    proposals: list[Proposal] = []
    decisions: list[Decision] = []
    notes: list[str] = []
    waiting: list[Command] = []
    source = _Steps(path, pack)
    for now_ns, tracks, judgement in source.steps():
        if now_ns > source.end_ns + from_seconds(RUN_ON_S) or (now_ns > source.end_ns and not state.busy):
            break
        due = tuple(command for command in waiting if command.time_ns <= now_ns)
        waiting = [command for command in waiting if command.time_ns > now_ns]
        state, warned = warn.step(state, tracks, judgement, due, pack, now_ns, settings)
        alerts += warned.alerts
        proposals += warned.proposals
        decisions += warned.decisions
        notes += warned.notes
        waiting += _played(warned, play)
    return Result(tuple(alerts), tuple(proposals), tuple(decisions), tuple(notes))


def _played(warned: Warned, play: Play) -> list[Command]:
    commands = []
    for proposal in warned.proposals if play.officer_s >= 0.0 else ():
        for number in range(0 if proposal.automatic else proposal.approvals_needed):
            at_ns = proposal.proposed_ns + from_seconds(play.officer_s + number * play.second_s)
            commands.append(Command(at_ns, "approve", alert_id=proposal.id, text="played approval",
                                    by=f"played officer {number + 1}"))
    return commands


def write_result(result: Result, folder: Path) -> None:
    """Write alerts.jsonl, alerts/*.xml, proposals.jsonl and decisions.jsonl."""
    (folder / "alerts").mkdir(parents=True, exist_ok=True)
    lines = []
    for number, alert in enumerate(result.alerts, 1):
        line, name, octets = alert_file_row(alert_row(alert), number)
        (folder / name).write_bytes(octets)
        lines.append(to_json(line) + b"\n")
    (folder / "alerts.jsonl").write_bytes(b"".join(lines))
    (folder / "proposals.jsonl").write_bytes(b"".join(to_json(proposal_row(p)) + b"\n" for p in result.proposals))
    (folder / "decisions.jsonl").write_bytes(b"".join(to_json(decision_row(d)) + b"\n" for d in result.decisions))


class _Steps:
    """The tracks of a file, a step a second."""

    def __init__(self, path: Path, pack: Pack) -> None:
        self._pack = pack
        self._columns = columns = _read(path)
        order = np.argsort(columns["emit_time"], kind="stable")
        self._columns = {key: value[order] for key, value in columns.items()}
        emitted = self._columns["emit_time"]
        self.start_ns, self.end_ns = (int(emitted[0]), int(emitted[-1])) if len(emitted) else (0, -1)
        lat, lon = self._columns["latitude_rad"], self._columns["longitude_rad"]
        found = signed_distance(pack.territory, lat, lon)
        self._columns |= {"border_m": np.asarray(found.signed_distance_m), "nearest_latitude_rad": found.nearest_latitude_rad,
                          "nearest_longitude_rad": found.nearest_longitude_rad}
        self._judged = self._columns.pop("judged", None)
        if self._judged is None or not self._judged.any():
            self._judged = _judged(self._columns)

    def steps(self) -> Iterator[tuple[int, Tracks, Judgement]]:
        """Yield (time, tracks, judgement) for ever; the caller stops."""
        emitted = self._columns["emit_time"]
        rows: dict[str, int] = {}
        seen: dict[str, list[int]] = {}
        taken, now_ns = 0, self.start_ns
        while True:
            now_ns += round(STEP_S * NS_PER_S)
            fresh: set[str] = set()
            upto = int(np.searchsorted(emitted, now_ns, side="right"))
            for row in range(taken, upto):
                name = str(self._columns["track_id"][row])
                rows[name] = row
                if not self._columns["coasting"][row]:
                    fresh.add(name)
                    first = seen.setdefault(name, [int(self._columns["time"][row]), 0, 0])
                    first[1], first[2] = int(self._columns["time"][row]), first[2] + 1
            taken = upto
            rows = {name: row for name, row in rows.items()
                    if now_ns - int(emitted[row]) <= LIVE_S * NS_PER_S}
            names = tuple(sorted(rows))
            yield now_ns, *self._picture(names, np.array([rows[n] for n in names], np.intp), fresh, seen, now_ns)

    def _picture(self, names: tuple[str, ...], at: Any, fresh: set[str], seen: dict[str, list[int]],
                 now_ns: int) -> tuple[Tracks, Judgement]:
        columns, count = self._columns, len(names)
        velocity = columns["velocity_mps"][at]
        age_s = (now_ns - columns["time"][at]) / NS_PER_S
        latitude = columns["latitude_rad"][at] + velocity[:, 1] * age_s / 6_371_000.0
        longitude = columns["longitude_rad"][at] + velocity[:, 0] * age_s / (6_371_000.0 * np.cos(latitude))
        cov = np.zeros((count, 4, 4))
        cov[:, :2, :2] = columns["position_cov_m2"][at]
        cov[:, 2, 2] = cov[:, 3, 3] = VELOCITY_MPS_SIGMA**2
        zero, none = np.zeros(count), np.full(count, -1, np.int32)
        history = [seen.get(name, [now_ns, now_ns, 0]) for name in names]
        tracks = Tracks(
            track_id=names, time_ns=np.full(count, now_ns), born_ns=np.array([h[0] for h in history], np.int64),
            last_plot_ns=np.array([h[1] for h in history], np.int64), latitude_rad=latitude, longitude_rad=longitude,
            height_m=zero * np.nan, height_m_sigma=zero * np.nan, velocity_mps=velocity, state_cov=cov,
            bias_cov_m2=np.zeros((count, 2, 2)), turn_rate_radps=zero, existence_prob=zero + 1.0,
            confirmed=columns["confirmed"][at], coasting=columns["coasting"][at],
            updated=np.array([name in fresh for name in names], np.bool_), class_prob=columns["class_prob"][at],
            affiliation=columns["affiliation"][at], cooperative=np.zeros(count, np.bool_), mode3a=none, icao_address=none,
            callsign=np.zeros(count, "S8"), plot_count=np.array([h[2] for h in history], np.int64),
            sensor_count=columns["sensor_count"][at], sensors_mask=np.ones(count, np.uint64))
        assert self._judged is not None
        states = BorderStates(
            border_m=columns["border_m"][at], border_m_sigma=zero + 100.0,
            nearest_latitude_rad=columns["nearest_latitude_rad"][at],
            nearest_longitude_rad=columns["nearest_longitude_rad"][at], line_bound_95_m=zero, closing_mps=zero,
            time_to_go_s=zero, earliest_s=zero, entry_5_prob=zero, entry_10_prob=zero, entry_15_prob=zero,
            inside_prob=zero, judged=self._judged[at], traffic_reason=("",) * count)
        return tracks, Judgement(states=states, others={})


def _judged(columns: dict[str, Any]) -> Bools:
    """Return which rows are under judgement, by class, affiliation and the slow-inside rule, where the file does not say."""
    settings = JudgeSettings()
    unknown = columns["affiliation"] == AFFILIATIONS.index("unknown")
    first: dict[str, float] = {}
    fastest: dict[str, float] = {}
    speed = np.hypot(columns["velocity_mps"][:, 0], columns["velocity_mps"][:, 1])
    begun, top = np.zeros(len(unknown)), np.zeros(len(unknown))
    for row, name in enumerate(columns["track_id"].tolist()):
        begun[row] = first.setdefault(name, float(columns["border_m"][row]))
        top[row] = fastest[name] = max(fastest.get(name, 0.0), float(speed[row]))
    slow = traffic.slow_inside(begun, top, unknown, settings)
    harmless = np.array([bool(reason) for reason in traffic.class_reasons(columns["class_prob"], slow, settings)], np.bool_)
    return np.asarray(unknown & ~harmless)


def _read(path: Path) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowInvalid as error:
        raise InputError(f"no Parquet: {error}", where=str(path), remedy="give a tracks.parquet") from None
    missing = [name for name in ("track_id", "time", "lat", "lon", "vx_east", "vy_north", "confirmed")
               if name not in table.column_names]
    if missing:
        raise InputError(f"columns missing: {', '.join(missing)}", where=str(path),
                         remedy="give a tracks.parquet of lapwing track or replay")

    def times(name: str) -> Ints:
        return np.asarray(table[name].cast(pa.timestamp("ns", tz="UTC")).cast(pa.int64()).to_numpy(), np.int64)

    def numbers(name: str, default: float) -> Floats:
        if name not in table.column_names:
            return np.full(table.num_rows, default)
        return np.asarray(table[name].to_numpy(zero_copy_only=False), np.float64)

    def flags(name: str) -> Bools:
        if name not in table.column_names:
            return np.zeros(table.num_rows, np.bool_)
        return np.array([bool(value) for value in table[name].to_pylist()], np.bool_)

    squared = POSITION_M_SIGMA**2
    parts = [np.nan_to_num(numbers(f"position_cov_{part}_m2", value), nan=value)
             for part, value in (("ee", squared), ("en", 0.0), ("en", 0.0), ("nn", squared))]
    probs = np.column_stack([numbers(f"class_{name}_prob", 1.0 if name == "drone" else 0.0) for name in CLASSES])
    words = table["affiliation"].to_pylist() if "affiliation" in table.column_names else ["unknown"] * table.num_rows
    columns: dict[str, Any] = {
        "track_id": np.array([str(v) for v in table["track_id"].to_pylist()], dtype=object),
        "time": times("time"), "emit_time": times("emit_time" if "emit_time" in table.column_names else "time"),
        "latitude_rad": np.radians(numbers("lat", np.nan)), "longitude_rad": np.radians(numbers("lon", np.nan)),
        "velocity_mps": np.nan_to_num(np.column_stack([numbers("vx_east", 0.0), numbers("vy_north", 0.0)])),
        "position_cov_m2": np.column_stack(parts).reshape(-1, 2, 2), "class_prob": np.nan_to_num(probs),
        "affiliation": np.array([AFFILIATIONS.index(w) if w in AFFILIATIONS else 0 for w in words], np.uint8),
        "coasting": flags("coasting"), "confirmed": flags("confirmed"),
        "sensor_count": numbers("sensor_count", 2.0).astype(np.int64),
    }
    if "judged" in table.column_names:
        columns["judged"] = flags("judged")
    keep = columns["confirmed"] & np.isfinite(columns["latitude_rad"]) & np.isfinite(columns["longitude_rad"])
    return {key: value[keep] for key, value in columns.items()}


def with_policy(pack: Pack, policy: Policy) -> Pack:
    """Return the pack with another policy."""
    return replace(pack, policy=policy)
