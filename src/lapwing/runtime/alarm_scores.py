"""`lapwing score alarms`: reads alarms, tracks, truth and the border from files and has them scored."""

from __future__ import annotations

import json
from pathlib import Path as FilePath
from typing import Any

from lapwing.model.errors import InputError
from lapwing.model.times import from_iso
from lapwing.runtime.track_scores import load_tracks, load_truth
from lapwing.runtime.verdict_scores import territory_of
from lapwing.sim.alarm_scoring import RedAlarm, Rules, score


def score_files(alarms: FilePath, tracks: FilePath, truth: FilePath, country: str | None, border: FilePath | None) -> dict[str, Any]:
    """Return the figures. InputError where a file cannot be used."""
    territory = territory_of(country, border)
    return score(load_truth(truth), load_tracks(tracks), load_reds(alarms, territory.code), territory, Rules())


def load_reds(path: FilePath, volume: str) -> list[RedAlarm]:
    """Return when each alarm of one volume turned red first, of an alarms.jsonl."""
    found: dict[str, RedAlarm] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            alarm = RedAlarm(str(row["alarm_id"]), str(row["track_id"]), from_iso(str(row["time"])) * 1e-9)
            if row["level"] == "red" and row["state"] != "ended" and row["volume"] == volume:
                found.setdefault(alarm.alarm_id, alarm)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(f"no alarm: {error!r}", where=f"{path} line {number}",
                             remedy="give an alarms.jsonl of lapwing replay or judge --alarms") from None
    return list(found.values())
