"""What the officer reads beside a proposal: numbers first, and what is not known."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lapwing.country.pack import Pack
from lapwing.model.plots import Floats
from lapwing.model.times import to_iso
from lapwing.warn import policy as rule
from lapwing.warn.state import Chain, Threat
from lapwing.warn.threat import doubtful


def ask(pack: Pack, chain: Chain, threats: Sequence[Threat], zones: tuple[int, ...], envelope: tuple[int, ...],
        prob: Floats) -> str:
    """Return why a warning of `zones` is proposed. `prob` as in `chains.Demand`."""
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
        if all(t.sensor_count <= 1 for t in live):
            parts.append("seen by one sensor only")
        elif all(doubtful(pack.policy, t) for t in live):
            parts.append(f"seen by sensors whose alignment is not known to {pack.policy.registered_m:.0f} m")
    likely = sorted(zones, key=lambda i: (-float(prob[i].sum()), i))[:3]
    near = [_near(pack.zones[i].name, prob[i]) for i in likely if prob[i, -1] > 0.0]
    if near:
        parts.append("may come near " + ", ".join(near))
    held = len(chain.zones("alert"))
    also = f" more, {held} warned already" if held else ""
    parts.append(f"{len(zones)} zone{'' if len(zones) == 1 else 's'}{also}, {rule.population(pack, zones)} people")
    if envelope:
        parts.append(f"approval also covers widening to {len(envelope)} more zones, "
                     f"{rule.population(pack, envelope)} people")
    return "; ".join(parts)


def _near(name: str, prob: Floats) -> str:
    """Return ``Isaccea (12 % within 5 min)``: the soonest horizon that holds half of what there is."""
    column = next(k for k, value in enumerate(prob) if value >= 0.5 * prob[-1])
    share = f"{100.0 * prob[column]:.0f} %" if prob[column] >= 0.01 else "under 1 %"
    return f"{name} ({share} within {rule.HORIZONS_S[column] / 60.0:.0f} min)"


def widen(pack: Pack, new: Sequence[int]) -> str:
    """Return why zones of the approved envelope are added."""
    return f"widened inside the approved envelope: {_names(pack, new)}, {rule.population(pack, new)} people"


def _names(pack: Pack, zones: Sequence[int]) -> str:
    names = ", ".join(pack.zones[i].name for i in zones[:3])
    return names + (f" and {len(zones) - 3} more" if len(zones) > 3 else "")


def shrink(pack: Pack, stale: Sequence[int]) -> str:
    """Return why zones come down before the end."""
    return f"no object is likely to come near {_names(pack, stale)} within {rule.KEEP_S / 60.0:.0f} min: all clear there"


def lower(pack: Pack, zones: Sequence[int]) -> str:
    """Return why the last zones of an alert are lowered to a pre-alert."""
    return (f"no object is likely to come near {_names(pack, zones)} within {rule.KEEP_S / 60.0:.0f} min, but one can still "
            "reach the border: lowered until the all clear")


def end(pack: Pack, chain: Chain, false_alarm: bool, earliest_ns: int, now_ns: int) -> str:
    """Return why the end is proposed."""
    if false_alarm:
        return "every object of this warning has been identified as harmless or ours: cancel it"
    if chain.by_hand_until_ns and not chain.threats:
        return "the time set by the person who raised it has come"
    when = "" if earliest_ns <= now_ns else f"; once approved it goes out at {to_iso(earliest_ns, digits=0)}"
    last = f"last plot {to_iso(chain.last_plot_ns, digits=0)}, " if chain.last_plot_ns else ""
    return f"{last}hold of the last threat has ended{when}"
