"""What the watch over the sensors says reaches whoever watches the service: degraded modes, /readyz, metrics."""

import json
import math

import pytest

from lapwing.model.sensed import SensorHealth
from lapwing.model.sensors import ADSB, Sensor, SensorTable
from lapwing.model.times import NS_PER_S
from lapwing.runtime import sensor_health
from lapwing.runtime.health import METRICS, Report, prometheus

NOW_NS = 1_000 * NS_PER_S
TABLE = SensorTable((Sensor("a"), Sensor("rx", kind=ADSB)))


def health(sensor_id="a", state="reports", last_s=990, **more):
    return SensorHealth(sensor_id, state, last_s * NS_PER_S, 4.0, 0.5, math.nan, **more)


@pytest.mark.parametrize(("one", "words"), [
    (health(state="silent"), "no data for 10 s"), (health(state="quarantined", words="20 of 21 plots"), "20 of 21 plots"),
    (health(state="degraded", words="not released"), "not released"), (health(state="never_heard", last_s=0), "never heard"),
])
def test_a_sensor_that_is_not_well_is_a_degraded_mode_that_says_why(one, words):
    [(name, text)] = sensor_health.problems([one], TABLE, NOW_NS, 100.0)
    assert name == "sensor a" and words in text


def test_what_may_be_quiet_or_has_just_begun_is_no_degraded_mode():
    never = health(state="never_heard", last_s=0)
    assert not list(sensor_health.problems([health(), health("rx", "never_heard", 0)], TABLE, NOW_NS, 100.0))
    assert not list(sensor_health.problems([never], TABLE, NOW_NS, 10.0))


def test_rows_are_json_and_samples_are_metrics_that_are_declared():
    found = [health(reach_m=9e4, reach_m_expected=1e5, coverage_share=0.75), health("new", "never_heard", 0)]
    rows = list(sensor_health.rows(found, NOW_NS))
    assert rows[0]["coverage_share"] == 0.75 and rows[1]["silent_s"] is None and json.dumps(rows, allow_nan=False)
    samples = tuple(sensor_health.samples(found, NOW_NS))
    assert {name for name, _, _ in samples} <= set(METRICS)
    text = prometheus(Report(samples=samples))
    assert 'lapwing_sensor_coverage_ratio{sensor="a"} 0.75' in text and "nan" not in text
