"""Figures of many nights as of one: sums of people and minutes, quantiles over all people of all nights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lapwing.sim.warning_scoring import quantile, share

Weighted = Sequence[tuple[float, float]]      # (value, people)


def pooled(figures: Sequence[Mapping[str, Any]], leads: Weighted, delays: Weighted) -> dict[str, Any]:
    """Return the figures of one policy over several runs, under the names that one run has them.

    Parameters
    ----------
    figures : of the runs, as `warning_scoring.figures` gives them
    leads : seconds and people, of all places that were given a fair chance
    delays : minutes from the end of the threat to the all clear, and people, of all places warned
    """
    def total(key: str) -> float:
        return float(sum(each[key] for each in figures))

    def by_warned(key: str) -> float:
        return share(sum(each[key] * each["warned_people"] for each in figures), total("warned_people"))

    return {
        "threatened_people": round(total("threatened_people")), "warned_people": round(total("warned_people")),
        "missed_people": round(total("missed_people"), 1),
        "missed_share": share(total("missed_people"), total("threatened_people")),
        "missed_share_where_given": share(sum(each["missed_share_where_given"] * each["given_people"] for each in figures),
                                          total("given_people")),
        "given_people": round(total("given_people")),
        "lead_s_p5_where_given": quantile([v for v, _ in leads], [p for _, p in leads], 0.05),
        "needless_person_min": round(total("needless_person_min"), 1),
        "messages_per_person": round(by_warned("messages_per_person"), 3),
        "alarms_per_person": round(by_warned("alarms_per_person"), 3),
        "reversal_share": round(by_warned("reversal_share"), 5),
        "silent_ends": round(total("silent_ends")),
        "clear_delay_min_median": quantile([v for v, _ in delays], [p for _, p in delays], 0.5),
        "cost": round(total("cost"), 1),
    }
