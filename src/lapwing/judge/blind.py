"""What a verdict could not see: how much of the border about its closest point is out of every radar's sight.

No plots where nobody looks prove nothing: a verdict that rests on what was not seen says how much of the line was not watched.
"""

from __future__ import annotations

import math
from dataclasses import replace

from lapwing.country.pack import Pack
from lapwing.country.sight import blind_share
from lapwing.judge.hidden import LOW_M
from lapwing.model.sensors import SensorTable
from lapwing.model.verdicts import ENTERED, Judgement, Verdict

AROUND_M = 20_000.0        # of the closest point: seven minutes of flight along the line


def with_blind(judgement: Judgement, sensors: SensorTable, pack: Pack) -> Judgement:
    """Return the judgement with the blind share of the border in each verdict."""
    if not judgement.verdicts:
        return judgement
    return replace(judgement, verdicts=tuple(_told(verdict, sensors, pack) for verdict in judgement.verdicts))


def _told(verdict: Verdict, sensors: SensorTable, pack: Pack) -> Verdict:
    share = blind_share(sensors, pack.territory, verdict.closest_latitude_rad, verdict.closest_longitude_rad, around_m=AROUND_M,
                        height_m=LOW_M)
    if math.isnan(share):
        return verdict
    reason = verdict.reason
    if verdict.verdict != ENTERED and share > 0.0:
        reason += (f"; below {LOW_M:.0f} m above the sea no radar sees {100.0 * share:.0f} % of the line within "
                   f"{AROUND_M / 1_000.0:.0f} km of the closest point: what flew there unseen is not judged")
    return replace(verdict, evidence=replace(verdict.evidence, blind_share=share), reason=reason)
