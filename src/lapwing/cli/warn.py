"""``lapwing warn``: tracks.parquet and a policy -> proposals and public messages, officers played."""

from __future__ import annotations

import argparse
from pathlib import Path

NAME = "warn"
HELP = ("Run the warner alone over the tracks (Parquet) of a run: who would have been warned, when, in which words. Officers "
        "are played; every message is an exercise and none leaves this machine.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("tracks", metavar="TRACKS", help="tracks.parquet, as lapwing track and replay write it")
    parser.add_argument("--country", metavar="CC", required=True, help="country pack (code or folder)")
    parser.add_argument("--policy", metavar="FILE", help="TOML: keys of [policy] of a pack to change; [officers] officer_s, "
                                                         "second_s")
    parser.add_argument("--delay", type=float, metavar="S",
                        help="seconds from a proposal to its approval (default 20; negative: nobody decides)")
    parser.add_argument("--out", metavar="DIR", required=True,
                        help="folder for alerts.jsonl, alerts/*.xml, proposals.jsonl, decisions.jsonl")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run; 0 done, 2 where the input cannot be used."""
    from lapwing.runtime.environment import prepare

    state_dir = prepare()
    from dataclasses import replace

    from lapwing.record.canonical import to_json
    from lapwing.runtime.warn_file import Play, read_policy_file, run_warner, with_policy, write_result
    from lapwing.runtime.wiring import load_country

    pack, play = load_country(arguments.country, state_dir).pack, Play()
    if arguments.policy:
        policy, play = read_policy_file(Path(arguments.policy), pack.policy)
        pack = with_policy(pack, policy)
    if arguments.delay is not None:
        play = replace(play, officer_s=arguments.delay)
    result = run_warner(Path(arguments.tracks), pack, play)
    write_result(result, Path(arguments.out))
    levels = {level: sum(alert.level == level for alert in result.alerts) for level in ("alert", "pre_alert", "all_clear")}
    asked = sum(not proposal.automatic for proposal in result.proposals)
    counts = {"messages": len(result.alerts), **levels, "proposals": asked,
              "lapsed": sum(decision.action == "lapsed" for decision in result.decisions)}
    if arguments.json:
        print(to_json(counts).decode())
    else:
        print(f"{len(result.alerts)} messages ({levels['alert']} alert, {levels['pre_alert']} pre-alert, {levels['all_clear']} "
              f"all clear), {asked} proposals to a person, {counts['lapsed']} lapsed; written to {arguments.out}")
    return 0
