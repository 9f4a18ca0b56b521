"""`lapwing score nights`: simulated nights through tracker and warner, scored one by one and as one.

Every night leaves a folder: what was simulated, its tracks, and for each delay of the officers its messages and figures. A night
that is there already is not made again, so that many nights can be run in pieces.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lapwing.adapters import packs
from lapwing.runtime.night_folders import same_setup
from lapwing.runtime.scene_files import write_night
from lapwing.runtime.track_file import track_file
from lapwing.runtime.warn_file import Play, run_warner, write_result
from lapwing.runtime.warning_scores import POLICIES, bars, score_run, worst_places
from lapwing.sim import warning_scoring as rules
from lapwing.sim.warning_pool import pooled

SECOND_S = 15.0                # the second of two persons


@dataclass(frozen=True, slots=True)
class Nights:
    """Which nights."""

    night: str
    country: str
    minutes: float | None
    detection: float
    delays_s: tuple[float, ...]
    folder: Path
    state_dir: Path


def run_nights(nights: Nights, seeds: Sequence[int], said: Callable[[str], None]) -> list[dict[str, Any]]:
    """Make and score nights; return for each delay the figures of each and of all together."""
    found: dict[float, list[dict[str, Any]]] = {delay_s: [] for delay_s in nights.delays_s}
    for seed in seeds:
        for delay_s, scored in one_night(nights, seed):
            found[delay_s].append(scored)
            said(line(f"{seed}, {delay_s:g} s", scored["figures"]["lapwing"], scored["bars"]))
    return [together(delay_s, rows) for delay_s, rows in found.items()]


def together(delay_s: float, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the figures of several nights as of one, with the bars, and the nights beside them."""
    figures = {name: pooled([row["figures"][name] for row in rows],
                            [(v, p) for row in rows for v, p in row["leads"][name]],
                            [(v, p) for row in rows for v, p in row["clear_delays_min"][name]]) for name in POLICIES}
    return {"delay_s": delay_s, "nights": len(rows), **figures, "bars": bars(figures),
            "each": [{"seed": row["seed"], **row["figures"]["lapwing"], "bars": row["bars"], "worst": row["worst"]} for row in rows]}


def one_night(nights: Nights, seed: int) -> Iterator[tuple[float, dict[str, Any]]]:
    """Yield (delay, figures) of one night; only what its folder does not hold yet is made."""
    folder = nights.folder / str(seed)
    setup = {"night": nights.night, "country": nights.country, "minutes": nights.minutes, "detection": nights.detection, "seed": seed}
    same_setup(folder, setup)
    tracks = folder / "tracks.parquet"
    pack = None
    for delay_s in nights.delays_s:
        out = folder / f"delay-{delay_s:g}"
        kept = out / "score.json"
        if kept.exists():
            yield delay_s, json.loads(kept.read_text(encoding="utf-8"))
            continue
        if not tracks.exists():
            write_night(nights.night, nights.country, seed, nights.minutes, None, folder, nights.state_dir / "packs", nights.detection)
            part = folder / "tracks.part"
            track_file(folder / "plots.parquet", folder / "scenario.json", part)
            part.rename(tracks)
        pack = pack or packs.load_country(nights.country, nights.state_dir / "packs")
        write_result(run_warner(tracks, pack, Play(officer_s=delay_s, second_s=SECOND_S)), out)
        scored = _scored(nights, folder / "truth.parquet", out / "alerts.jsonl", delay_s) | {"seed": seed}
        kept.write_text(json.dumps(scored, ensure_ascii=False) + "\n", encoding="utf-8")
        yield delay_s, scored


def _scored(nights: Nights, truth_file: Path, messages_file: Path, delay_s: float) -> dict[str, Any]:
    # The officers that were played took their time: it is in the messages already.
    scored = score_run(truth_file, messages_file, country=nights.country, border_file="", delay_s=0.0, baseline_delay_s=delay_s,
                       state_dir=nights.state_dir)
    people, truth = scored.places.population, scored.truth
    threatened = np.flatnonzero(np.isfinite(truth.first_s))
    figures, leads, delays = {}, {}, {}
    for name, policy in scored.policies.items():
        figures[name] = rules.figures(policy, truth, scored.places, scored.night)
        leads[name] = [(lead_s, float(people[place])) for place, lead_s in zip(threatened.tolist(), rules.leads_of(policy, truth),
                                                                               strict=True) if truth.given[place]]
        delays[name] = [(late_min, float(people[place])) for place, late_min in rules.clear_delays_min(policy, truth).items()]
    return {"figures": figures, "messages": len(scored.messages), "leads": leads, "clear_delays_min": delays, "bars": bars(figures),
            "worst": worst_places(scored)}


COLUMNS = (("threatened", 11), ("missed", 9), ("of given", 9), ("lead P5", 9), ("needless", 12), ("< B0", 8), ("< B1", 9), ("clear", 7),
           ("silent", 7), ("alarms", 8), ("reversed", 9))
HEAD = f"{'seed, delay':<14}" + "".join(f"{name:>{width}}" for name, width in COLUMNS)


def line(name: str, own: Mapping[str, Any], held: Mapping[str, Any]) -> str:
    """Return one row of the table: a night, or all of them."""
    cells = (
        f"{own['threatened_people']:,}", _percent(own["missed_share"], 2), _percent(own["missed_share_where_given"], 2),
        _number(own["lead_s_p5_where_given"], 0), f"{own['needless_person_min']:,.0f}",
        _percent(held["needless_less_than_B0"]["value"], 1), _percent(held["needless_less_than_B1"]["value"], 1),
        _number(own["clear_delay_min_median"], 1), str(own["silent_ends"]), _number(own["alarms_per_person"], 2),
        _percent(own["reversal_share"], 2))
    return f"{name:<14}" + "".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, COLUMNS, strict=True))


def _percent(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{100.0 * value:.{digits}f} %"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
