"""The past that the tracker keeps: bounded for all tracks together, and thinned first where an object is known by name."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from radar_flights import confirmed, fly, radar, seen, table

from lapwing import track
from lapwing.track import history
from lapwing.track.columns import LOG_FLOATS, LOG_INTS, LOG_TIME, LOG_UID
from lapwing.track.state import Chunk


def log(uids):
    """Return a log with a row for each of these, in order of time."""
    ints = np.zeros((len(uids), LOG_INTS), np.int64)
    ints[:, LOG_UID], ints[:, LOG_TIME] = uids, np.arange(len(uids))
    floats = np.zeros((len(uids), LOG_FLOATS))
    floats[:, 0] = np.arange(len(uids))
    return Chunk(floats, ints)


@given(st.lists(st.integers(1, 9), max_size=200), st.integers(1, 4))
def test_settling_in_parts_moves_every_row_of_a_track_once_and_in_order(uids, parts):
    tracks, seeds = dict.fromkeys((1, 2, 3, 4), 1_000), {5, 6}
    young, archive = log(uids), {}
    for part in range(parts):
        mine, rest = history.parted(young, parts, part)
        stays, archive = history.settle(mine, archive, tracks, seeds)
        young = history.joined((rest, stays))
    for uid in tracks:
        times = history.joined(archive.get(uid, ())).ints[:, LOG_TIME].tolist()
        assert times == [time for time, each in enumerate(uids) if each == uid]
    assert sorted(young.ints[:, LOG_TIME].tolist()) == [time for time, each in enumerate(uids) if each in seeds]
    assert history.rows_in(archive) == sum(each in tracks for each in uids)


@given(st.lists(st.integers(1, 5), max_size=100), st.sets(st.integers(1, 5)))
def test_what_is_gathered_for_one_track_leaves_the_others_where_they_are(uids, chosen):
    young = (log(uids[:40]), log(uids[40:]))
    rest, archive = history.gathered(young, {}, sorted(chosen))
    left = history.joined(rest).ints[:, LOG_UID].tolist()
    assert sorted(left) == sorted(each for each in uids if each not in chosen)
    for uid in chosen:
        assert len(history.joined(archive.get(uid, ())).ints) == uids.count(uid) == sum(len(c.ints) for c in history.rows_of(young, uid))


def test_where_memory_is_short_the_past_of_who_answers_is_thinned_first_and_no_track_changes():
    sensors = table(radar(), radar("R2", lat_deg=45.2))
    flights = [(20_000.0, 10_000.0 + 5_000.0 * k, 60.0, 20.0, *((0x4A0000 + k,) if k < 4 else ())) for k in range(6)]
    plots = seen(sensors, flights, 20)
    free, bound = track.Settings(), replace(track.Settings(), history_rows_max=1_200)
    kept = {}
    for name, settings in (("free", free), ("bound", bound)):
        state, updates = fly(plots, sensors, settings)
        last = updates[-1].tracks
        assert len(confirmed(updates[-1])) == 6
        kept[name] = state, last
        lengths = {state.ids[uid]: sum(len(c.ints) for c in chunks) for uid, chunks in state.archive.items() if uid in state.ids}
        named = [lengths[track_id] for track_id, known in zip(last.track_id, last.cooperative, strict=True) if known]
        unnamed = [lengths[track_id] for track_id, known in zip(last.track_id, last.cooperative, strict=True) if not known]
        if name == "bound":
            assert max(named) <= 200 < 300 < min(unnamed)      # a sixth of 1,200 each, four sixths of who does not answer
        else:
            assert min(named) > 300
    assert np.array_equal(kept["free"][1].latitude_rad, kept["bound"][1].latitude_rad)
    whole = track.trajectory(kept["bound"][0], kept["bound"][1].track_id[0], bound)
    assert whole.time_ns[0] == track.trajectory(kept["free"][0], kept["free"][1].track_id[0], free).time_ns[0]
    assert np.all(np.diff(whole.time_ns) > 0)
