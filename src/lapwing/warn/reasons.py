"""What the officer reads beside a proposal: numbers first, and what is not known."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lapwing.country.pack import Pack
from lapwing.model.plots import Floats
from lapwing.model.times import to_iso
from lapwing.warn import policy as rule
from lapwing.warn.state import Chain, Threat


def ask(pack: Pack, chain: Chain, threats: Sequence[Threat], zones: tuple[int, ...], envelope: tuple[int, ...],
        arrival_s: Floats) -> str:
    """Return why a warning is proposed, or widened by `zones`."""
    parts = []
    live = [t for t in threats if t.live]
    if live:
        nearest = min(live, key=lambda t: t.border_m)
        where = f"{nearest.border_m / 1000.0:.1f} km outside" if nearest.border_m >= 0 \
            else f"{-nearest.border_m / 1000.0:.1f} km inside"
        count = "1 object" if len(live) == 1 else f"{len(live)} objects"
        parts.append(f"{count}, nearest {nearest.track_id} {where}")
        if nearest.border_m > pack.policy.alert_border_m and math.isfinite(nearest.border_time_s):
            parts.append(f"{pack.policy.alert_border_m / 1000.0:.0f} km from the border in "
                         f"{nearest.border_time_s / 60.0:.0f} min at worst")
    soonest = sorted(zones, key=lambda i: (float(arrival_s[i]), i))[:3]
    near = [f"{pack.zones[i].name} {_minutes(float(arrival_s[i]))}" for i in soonest if math.isfinite(arrival_s[i])]
    if near:
        parts.append("could be near " + ", ".join(near))
    also = f" more, {len(chain.zones)} warned already" if chain.zones else ""
    parts.append(f"{len(zones)} zones{also}, {rule.population(pack, zones)} people")
    if envelope:
        parts.append(f"approval also covers widening to {len(envelope)} more zones, "
                     f"{rule.population(pack, envelope)} people")
    return "; ".join(parts)


def _minutes(arrival_s: float) -> str:
    return "now" if arrival_s < 30.0 else f"in {arrival_s / 60.0:.0f} min" if arrival_s >= 60.0 else "in under 1 min"


def widen(pack: Pack, chain: Chain, new: Sequence[int]) -> str:
    """Return why zones of the approved envelope are added."""
    names = ", ".join(pack.zones[i].name for i in new[:3])
    more = f" and {len(new) - 3} more" if len(new) > 3 else ""
    return f"widened inside the approved envelope: {names}{more}, {rule.population(pack, new)} people"


def shrink(pack: Pack, stale: Sequence[int]) -> str:
    """Return why zones come down before the end."""
    names = ", ".join(pack.zones[i].name for i in stale[:3])
    more = f" and {len(stale) - 3} more" if len(stale) > 3 else ""
    return f"no object could come near {names}{more} for the length of the hold: all clear there"


def end(pack: Pack, chain: Chain, false_alarm: bool, earliest_ns: int, now_ns: int) -> str:
    """Return why the end is proposed."""
    if false_alarm:
        return "every object of this warning has been identified as harmless or ours: cancel it"
    if chain.by_hand_until_ns and not chain.threats:
        return "the time set by the person who raised it has come"
    when = "" if earliest_ns <= now_ns else f"; once approved it goes out at {to_iso(earliest_ns, digits=0)}"
    last = f"last plot {to_iso(chain.last_plot_ns, digits=0)}, " if chain.last_plot_ns else ""
    return f"{last}hold of the last threat has ended{when}"
