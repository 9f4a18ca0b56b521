"""What is known of objects and a partner's own airspace: its clock and its verdict, which is what the partner asks for."""

from __future__ import annotations

import math
from dataclasses import replace

from lapwing.model.notices import NoticeObject
from lapwing.model.verdicts import ENTERED, Judgement, Verdict
from lapwing.share.release import from_verdict


def entered(judgement: Judgement, country: str, told: tuple[str, ...]) -> dict[str, Verdict]:
    """Return the verdicts of now that say that an object entered a neighbour, of objects not told of before.

    Parameters
    ----------
    told : code, a blank and the track of what was told
    """
    return {verdict.track_id: verdict for verdict in judgement.neighbours
            if verdict.country == country and verdict.verdict == ENTERED and f"{country} {verdict.track_id}" not in told}


def as_object(verdict: Verdict) -> NoticeObject:
    """Return what a verdict on the partner's airspace says of an object."""
    return replace(from_verdict(verdict), border_m=verdict.closest_m, verdict=verdict.verdict, entered_prob=verdict.entered_prob)


def judged(item: NoticeObject, judgement: Judgement, country: str) -> NoticeObject:
    """Return an object with what is known of it and the partner's airspace."""
    if not country:
        return item
    for verdict in judgement.neighbours:
        if verdict.country == country and verdict.track_id == item.track_id:
            item = replace(item, verdict=verdict.verdict, entered_prob=verdict.entered_prob)
    for near in judgement.nearby:
        if near.country == country and near.track_id == item.track_id:
            known = near.verdict or item.verdict
            item = replace(item, border_m=near.border_m, verdict=known, entered_prob=near.entered_prob if known else math.nan)
    return item
