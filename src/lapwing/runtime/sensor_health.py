"""What the watch over the sensors says, for whoever watches the service: degraded modes, rows of /readyz, metrics."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from lapwing.model.sensed import SensorHealth
from lapwing.model.sensors import RADAR, SURFACE, TRACKER, SensorTable
from lapwing.model.times import NS_PER_S
from lapwing.runtime.health import Sample

NEVER_HEARD_S = 60.0     # a configured sensor that sends nothing for so long from the start is missed
_EXPECTED = (RADAR, SURFACE, TRACKER)
STATES = ("reports", "degraded", "silent", "quarantined", "never_heard")


def problems(health: Iterable[SensorHealth], configured: SensorTable, now_ns: int, running_s: float) -> Iterator[tuple[str, str]]:
    """Yield degraded modes: a sensor that is silent, not believed, or says itself that it is not well."""
    kinds = {sensor.id: sensor.kind for sensor in configured.rows}
    for one in health:
        if one.state == "silent":
            quiet_s = (now_ns - one.last_ns) / NS_PER_S
            yield f"sensor {one.sensor_id}", f"no data for {quiet_s:.0f} s; its tracks coast and its area is blind"
        elif one.state == "quarantined":
            yield f"sensor {one.sensor_id}", f"not believed: {one.words}; its plots are not used"
        elif one.state == "degraded":
            yield f"sensor {one.sensor_id}", f"it says of itself: {one.words}"
        elif one.state == "never_heard" and kinds.get(one.sensor_id) in _EXPECTED and running_s > NEVER_HEARD_S:
            yield f"sensor {one.sensor_id}", "configured, and never heard; its area is blind"


def rows(health: Iterable[SensorHealth], now_ns: int) -> Iterator[dict[str, Any]]:
    """Yield a row of /readyz a sensor; null where nothing is known."""
    for one in health:
        yield {"id": one.sensor_id, "state": one.state, "silent_s": _number((now_ns - one.last_ns) / NS_PER_S, 1) if one.last_ns else None,
               "rotation_s": _number(one.rotation_s, 3), "delay_s": _number(one.delay_s, 3), "delay_s_least": _number(one.delay_s_least, 3),
               "reach_m": _number(one.reach_m, 0), "reach_m_expected": _number(one.reach_m_expected, 0),
               "coverage_share": _number(one.coverage_share, 3), "words": one.words}


def samples(health: Iterable[SensorHealth], now_ns: int) -> Iterator[Sample]:
    """Yield what Prometheus asks for of every sensor; what is not known is left out."""
    for one in health:
        label = {"sensor": one.sensor_id}
        for state in STATES:
            yield "lapwing_sensor_state", {**label, "state": state}, float(one.state == state)
        found = {"silent_seconds": (now_ns - one.last_ns) / NS_PER_S if one.last_ns else math.nan, "delay_seconds": one.delay_s,
                 "rotation_seconds": one.rotation_s, "reach_metres": one.reach_m, "reach_expected_metres": one.reach_m_expected,
                 "coverage_ratio": one.coverage_share}
        yield from ((f"lapwing_sensor_{name}", label, value) for name, value in found.items() if math.isfinite(value))


def _number(value: float, digits: int) -> float | None:
    return round(value, digits) if math.isfinite(value) else None
