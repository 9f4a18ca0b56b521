"""``lapwing explain``: a verdict down to its plots, each with the octets that it came in."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

NAME = "explain"
HELP = ("Say what a verdict of a journal rests on: number, interval, why this value and not the other two, the line, and the plots "
        "about the closest point, each with its sensor, residual, association probability and the octets that it came in.")
OCTETS_SHOWN = 48


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("journal", help="journal file, folder of a run, or journal folder of a live site")
    parser.add_argument("track", nargs="*", help="ids of objects (default: every final verdict)")
    parser.add_argument("--neighbour", metavar="CC", default="", help="the verdicts on the airspace of this neighbour instead of the own")
    parser.add_argument("--json", action="store_true", help="one JSON line a verdict, its plots with all octets")


def run(arguments: argparse.Namespace) -> int:
    """Explain; 0 done, 2 where journal or object is not there."""
    import json

    from lapwing.runtime.environment import prepare

    prepare()
    from lapwing.runtime.explained import explained

    path = Path(arguments.journal)
    for number, verdict in enumerate(explained(path, tuple(arguments.track), arguments.neighbour.upper())):
        print(json.dumps(verdict, ensure_ascii=False) if arguments.json else ("\n" if number else "") + "\n".join(_lines(verdict)))
    return 0


def _lines(verdict: dict[str, Any]) -> list[str]:
    evidence, boundary = verdict["evidence"], verdict["boundary"]
    lines = [
        f"{verdict['track_id']}  {verdict['country']}  {verdict['verdict'].replace('_', ' ')}  P(entered) {verdict['entered_prob']:.4f}",
        f"  closest    {_metres(verdict['closest_m'])} ({_metres(verdict['closest_m_low'])} to {_metres(verdict['closest_m_high'])}, "
        f"95 %) at {verdict['closest_time']}",
        f"  why        {verdict['reason']}",
        f"  line       {boundary['name']} {boundary['version']}, 95 % within {boundary['bound_95_m']:.0f} m there",
        f"  evidence   {evidence['plots']} plots by {', '.join(evidence['sensors']) or 'no sensor'}, {evidence['first_time']} to "
        f"{evidence['last_time']}; registration 1 sigma {evidence['bias']['m_sigma']:.0f} m"]
    lines += [f"  no plots   {gap['start']} to {gap['end']}" for gap in evidence["gaps"]]
    if not evidence["decisive"]:
        return [*lines, "  no plot is named: the verdict was reached from tracks, or while the object was still followed"]
    lines.append("  about the closest point: time, sensor, border distance +- 1 sigma, residual, P(this object's), entry of the journal, "
                 "octets")
    for plot in evidence["decisive"]:
        octets = plot["octets"]
        shown = octets[: 2 * OCTETS_SHOWN] + ("..." if len(octets) > 2 * OCTETS_SHOWN else "")
        sigma, found = plot["distance_m_sigma"] or 0.0, f"#{plot['entry']}  {plot['format']}  {shown}" if octets else "not at hand"
        lines.append(f"    {plot['time'][11:23]}  {plot['sensor']:<12} {_metres(plot['distance_m']):>10} +- {sigma:.0f} m  "
                     f"{_metres(plot['residual_m']):>8}  {_share(plot['association_prob'])}  {found}")
    return lines


def _metres(value: float | None) -> str:
    return "?" if value is None else f"{value:.0f} m"


def _share(value: float | None) -> str:
    return "  ?  " if value is None else f"{value:.3f}"
