"""``lapwing score warnings``: public messages against truth, beside a fixed strip, a 20 km rule and perfect knowledge."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--truth", required=True, metavar="TRUTH", help="truth.parquet")
    parser.add_argument("--messages", required=True, metavar="FILE", help="alerts.jsonl")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--country", metavar="CC", help="country pack (code or folder): its border and places")
    which.add_argument("--border", metavar="FILE", help="GeoJSON line with home_side: the places of all packs on its home "
                                                        "side count")
    parser.add_argument("--delay", type=float, default=0.0, metavar="S",
                        help="seconds that people take, put on every message that a person decided, and on the baselines B0 "
                             "and B1 (default 0)")
    parser.add_argument("--json", metavar="OUT", help="write all figures there")


def run(arguments: argparse.Namespace) -> int:
    """Print a table of the figures; 0, or 2 where the input cannot be used."""
    from lapwing.model.errors import InputError
    from lapwing.runtime.environment import prepare

    state_dir = prepare()
    from lapwing.runtime.warning_scores import score_files

    if not arguments.delay >= 0.0:
        raise InputError(f"{arguments.delay} is no delay", where="--delay", remedy="give seconds, 0 or more")
    found = score_files(Path(arguments.truth), Path(arguments.messages), country=arguments.country or "",
                        border_file=arguments.border or "", delay_s=arguments.delay, state_dir=state_dir)
    print(_table(found))
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


def _table(found: dict[str, Any]) -> str:
    names = ("lapwing", "B0", "B1", "B2")
    lines = [f"{found['objects']} drones and decoys, {found['threatened_places']} of {found['places']} places threatened, "
             f"{found['messages']} messages; people's delay {found['delay_s']:g} s",
             f"{'':<26}" + "".join(f"{name:>14}" for name in names)]
    for key in found["lapwing"]:
        cells = "".join(f"{_cell(key, found[name][key]):>14}" for name in names)
        lines.append(f"{key:<26}{cells}")
    lines.append("bars:")
    for key, bar in found["bars"].items():
        lines.append(f"  {'ok  ' if bar['ok'] else 'MISS'}  {key:<26} {_cell(key, bar['value'])} (bar {bar['bar']:g})")
    lines.append("cheapest first: " + ", ".join(found["ranking"]["cost"]))
    for key in ("needless", "missed"):
        for row in found["worst"][key][:5]:
            count = f"{row['missed_people']:,.0f}" if key == "missed" else (
                f"{row['needless_alert_person_min']:,} person-min under alert, {row['needless_pre_alert_person_min']:,} under pre-alert")
            lines.append(f"most {key}: {row['place']} ({row['people']:,} people, nearest {row['nearest_m'] / 1000.0:.1f} km): {count}")
    return "\n".join(lines)


def _cell(key: str, value: float | None) -> str:
    if value is None:
        return "-"
    if key.endswith(("share", "share_above_B1")) or "less_than" in key:
        return f"{100.0 * value:.2f} %"
    return f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"
