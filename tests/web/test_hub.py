"""Where the loop and the server meet."""

import json
import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.model.errors import InputError
from lapwing.model.times import NS_PER_S, to_iso
from lapwing.web.history import TRACKS_MAX, History
from lapwing.web.hub import WATCHERS_MAX, Hub, to_json


def picture(second: int, ids=("a",)):
    return {
        "time": to_iso(second * NS_PER_S),
        "tracks": [{"id": i, "lat": 45.0, "lon": 29.0, "border_m": 100.0 * second, "border_m_sigma": 9.0, "confirmed": True} for i in ids],
    }


def test_a_watcher_is_woken_by_each_picture_until_it_ends():
    hub, woken = Hub(), []
    end = hub.watch(lambda: woken.append(hub.latest().number))
    hub.publish(picture(1))
    hub.publish(picture(2))
    end()
    hub.publish(picture(3))
    assert woken == [1, 2] and json.loads(hub.latest().document)["time"] == "1970-01-01T00:00:03.000Z"


def test_more_consoles_than_the_bound_are_refused():
    hub = Hub()
    ends = [hub.watch(lambda: None) for _ in range(WATCHERS_MAX)]
    assert all(ends) and hub.watch(lambda: None) is None
    ends[0]()
    assert hub.watch(lambda: None) is not None


def test_pictures_published_from_several_threads_are_all_counted():
    hub = Hub()
    threads = [threading.Thread(target=lambda: [hub.publish(picture(5)) for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hub.latest().number == 200


def test_a_hub_without_a_receiver_refuses_entries_in_words():
    with pytest.raises(InputError, match="only shows"):
        Hub().post("command", b"{}")


def test_a_number_that_json_does_not_know_is_our_own_mistake():
    with pytest.raises(ValueError, match="JSON"):
        Hub().publish({"x": float("nan")})


def test_history_keeps_half_an_hour_of_each_track_at_five_second_steps():
    history = History()
    for second in range(0, 3_600, 2):
        history.add(picture(second))
    points = history.document()["tracks"]["a"]
    steps = {b[0] - a[0] for a, b in pairwise(points)}
    assert steps == {6_000} and points[-1][0] - points[0][0] <= 1_800_000 and len(points) > 290


def test_history_is_written_track_by_track_as_one_document():
    hub, history = Hub(), History()
    assert json.loads(hub.history()) == history.document() == {"tracks": {}}
    for second in range(0, 60, 10):
        hub.publish(picture(second, ["a", 'b"']))
        history.add(picture(second, ["a", 'b"']))
    assert hub.history() == to_json(history.document()) and len(history.document()["tracks"]) == 2


@given(st.lists(st.tuples(st.integers(0, 10_000), st.lists(st.sampled_from("abcdef"), unique=True)), max_size=60))
def test_history_is_in_time_order_whatever_comes(steps):
    history = History()
    for second, ids in steps:
        history.add(picture(second, ids))
    for points in history.document()["tracks"].values():
        assert [p[0] for p in points] == sorted(p[0] for p in points)


def test_history_holds_a_bounded_number_of_tracks_the_newest():
    history = History()
    history.add(picture(10, [f"old{i}" for i in range(TRACKS_MAX)]))
    history.add(picture(20, ["new"]))
    tracks = history.document()["tracks"]
    assert len(tracks) == TRACKS_MAX and "new" in tracks and "old0" not in tracks
