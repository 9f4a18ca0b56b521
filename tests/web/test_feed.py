"""The observer that turns outcomes of the loop into pictures."""

import json

from fake_feed import START_NS, STEP_S, judgement_of, made_up_pack, made_up_sensors, tracks_at, warned_at

from lapwing.model.alerts import Warned
from lapwing.model.plots import empty_bearings, empty_looks, empty_plots
from lapwing.model.sensed import Sensed
from lapwing.model.sensors import Sensor, SensorTable
from lapwing.model.times import NS_PER_S
from lapwing.model.tracks import TrackUpdate
from lapwing.pipeline import Outcome
from lapwing.web.feed import Feed
from lapwing.web.hub import Hub


def outcome_at(t_s: float, warned: Warned, sensors: SensorTable) -> Outcome:
    tracks = tracks_at(t_s)
    sensed = Sensed(empty_plots(), empty_bearings(), empty_looks(), (), sensors, (), 0)
    return Outcome(START_NS + round(t_s * NS_PER_S), sensed, TrackUpdate(tracks), judgement_of(tracks, made_up_pack()), warned)


def fed(until_s: float, **settings) -> Hub:
    hub, warned, t_s = Hub(), Warned(), 0.0
    feed = Feed(hub, made_up_pack(), {}, mode="REPLAY", **settings)
    feed.show_site(made_up_sensors())
    while t_s < until_s:
        t_s += STEP_S
        warned = warned_at(t_s, made_up_pack(), tracks_at(t_s), warned)
        feed.take(outcome_at(t_s, warned, made_up_sensors()), [])
    feed.flush(ended=True)
    return hub


def test_what_happened_between_two_pictures_is_in_the_next_one():
    picture = json.loads(fed(100.0, gap_s=1e9).latest().document)
    assert picture["alert_count"] == 1 and picture["alerts"][0]["in_force"] and picture["ended"] is True


def test_a_replay_at_full_speed_makes_few_pictures():
    assert fed(60.0, gap_s=1e9).latest().number == 2  # the first and the last
    assert fed(60.0, gap_s=0.0).latest().number == 31


def test_pictures_that_take_long_come_less_often_and_what_asks_for_a_person_at_once(monkeypatch):
    """A clock of this thread that says half a second for each picture: nine halves of pause, six seconds at most."""
    clock = iter(range(10_000))
    monkeypatch.setattr("lapwing.web.feed.thread_time", lambda: 0.5 * next(clock))
    hub, warned, t_s, asked = Hub(), Warned(), 0.0, 0
    feed = Feed(hub, made_up_pack(), {}, mode="LIVE", gap_s=0.0)
    while t_s < 60.0:
        t_s += STEP_S
        warned = warned_at(t_s, made_up_pack(), tracks_at(t_s), warned)
        asked += bool(warned.proposals or warned.alerts)
        feed.take(outcome_at(t_s, warned, made_up_sensors()), [])
    assert 0 < asked < 29 and hub.latest().number == 1 + asked


def test_a_sensor_found_in_the_data_changes_the_site():
    hub = Hub()
    feed = Feed(hub, None, {}, mode="REPLAY")
    feed.show_site(SensorTable())
    feed.take(outcome_at(2.0, Warned(), SensorTable((Sensor("found"),))))
    number, site = hub.site()
    assert number == 2 and json.loads(site)["sensors"][0]["id"] == "found"


def test_nothing_is_shown_before_the_first_outcome():
    hub = Hub()
    Feed(hub, None, {}, mode="LIVE").flush()
    assert hub.latest() is None
