"""The live loop, its queue, its clock and its journal: nothing lost, nothing doubled, and what is wrong has a name."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing import pipeline, sense
from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.model.errors import InputError, StorageError
from lapwing.model.sensors import Sensor, SensorTable
from lapwing.model.times import DAY_NS, NS_PER_S
from lapwing.record import audit, codec
from lapwing.runtime import live as live_module
from lapwing.runtime import segments
from lapwing.runtime.intake import Intake
from lapwing.runtime.live import Live, merged_sensors
from lapwing.runtime.replay import verify_replay
from lapwing.runtime.steady import SteadyClock
from lapwing.sense.asterix.encode import encode_block

START_NS = 1_754_423_400 * NS_PER_S
TABLE = SensorTable((Sensor("tulcea", sac=25, sic=201, latitude_rad=0.789, longitude_rad=0.503, height_m=130.0, rotation_s=4.0,
                            categories=(48,)),))
FACTS = {"lapwing": live_module.__version__, "status": "Exercise", "sensors": codec.encode(TABLE).hex()}


class Hands:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now_ns = START_NS

    def __call__(self) -> int:
        return self.now_ns


def plot(now_ns: int, range_nm: float) -> bytes:
    return encode_block(48, [{"010": {"SAC": 25, "SIC": 201}, "140": now_ns // NS_PER_S % 86_400, "020": {"TYP": 1},
                              "040": {"RHO": range_nm, "THETA": 90.0}}])


def make(folder, said=None, table=TABLE, facts=FACTS):
    clock, intake = Hands(), Intake()
    loop = Live(folder, pipeline.Setup(sense=sense.SenseSetup(sensors=table)), facts, intake, clock,
                lambda level, text: (said if said is not None else []).append((level, text)), checkpoint_s=5.0)
    return loop, intake, clock


def fly(loop, intake, clock, turns, first=0):
    for turn in range(first, first + turns):
        clock.now_ns = START_NS + turn * 4 * NS_PER_S
        intake.put((clock.now_ns, "udp://:8600", "asterix", plot(clock.now_ns, 20.0 - 0.25 * turn)))
        loop.turn()


def test_a_killed_loop_goes_on_with_the_same_tracks_and_the_same_outputs(tmp_path):
    calm, intake, clock = make(tmp_path / "calm")
    calm.recover()
    fly(calm, intake, clock, 12)
    killed, intake, clock = make(tmp_path / "killed")
    killed.recover()
    fly(killed, intake, clock, 7)
    killed.log._release()          # the process dies here: nothing is closed in order
    again, intake, clock = make(tmp_path / "killed")
    again.recover()
    fly(again, intake, clock, 5, first=7)
    calm.log.close()
    again.log.close()
    with (SqliteLog(tmp_path / "calm/journal-000001.sqlite", read_only=True) as one,
          SqliteLog(tmp_path / "killed/journal-000001.sqlite", read_only=True) as two):
        assert list(one.sealed()) == list(two.sealed()) and one.last_batch() == 11
        assert any(output.kind == "tracks" for _, output in two.outputs())


def test_a_new_segment_begins_with_the_day_and_what_comes_out_is_the_same(tmp_path):
    midnight_ns = (START_NS // DAY_NS + 1) * DAY_NS
    found = {}
    for name in ("whole", "daily"):
        loop, intake, clock = make(tmp_path / name)
        loop._daily = name == "daily"
        loop.recover()
        for turn in range(12):
            clock.now_ns = midnight_ns + (turn - 6) * 4 * NS_PER_S
            intake.put((clock.now_ns, "udp://:8600", "asterix", plot(clock.now_ns, 20.0 - 0.25 * turn)))
            loop.turn()
        loop.log.close()
        files = [segment.path for segment in segments.segments(tmp_path / name)]
        found[name] = [output for path in files for _, output in SqliteLog(path, read_only=True).outputs()]
    assert len(files) == 2 and segments.chain_faults(tmp_path / "daily") == []
    assert found["daily"] == found["whole"] and any(output.kind == "tracks" for output in found["whole"])
    with SqliteLog(files[0], read_only=True) as before, SqliteLog(files[1], read_only=True) as after:
        assert before.last_batch() == 5 and before.period()[1] < midnight_ns == after.period()[0]
    for path in files:
        assert not verify_replay(path).differences


def test_what_happened_in_the_batch_of_the_checkpoint_is_told_again_after_a_restart(tmp_path, monkeypatch):
    told = live_module.Happened(START_NS, None, None, None, ())
    loop, intake, clock = make(tmp_path)
    loop.recover()
    monkeypatch.setattr(live_module, "happened", lambda outcome: told)
    fly(loop, intake, clock, 1)              # the first batch carries a checkpoint
    assert loop.log.checkpoint()[0] == 0
    loop.log._release()
    again, intake, clock = make(tmp_path)
    heard = []
    again.retold = [lambda outcome, outputs: heard.append(outcome.now_ns)]
    again.recover()
    assert again.recovered_batches == 0
    fly(again, intake, clock, 1, first=1)
    again.stop()
    assert heard == [START_NS]


def test_a_changed_configuration_begins_a_segment_that_keeps_tracks_and_replays_by_itself(tmp_path):
    loop, intake, clock = make(tmp_path)
    loop.recover()
    fly(loop, intake, clock, 6)
    before = [*loop.state.track.slots.uid[loop.state.track.slots.status > 0]]
    table = SensorTable((replace(TABLE.rows[0], range_m_sigma=80.0), Sensor("new", sac=25, sic=202)))
    loop.reconfigure(pipeline.Setup(sense=sense.SenseSetup(sensors=table)), FACTS | {"sensors": codec.encode(table).hex()})
    assert [*loop.state.track.slots.uid[loop.state.track.slots.status > 0]] == before and before
    fly(loop, intake, clock, 4, first=6)
    loop.stop()
    assert segments.chain_faults(tmp_path) == []
    for segment in segments.segments(tmp_path):
        assert verify_replay(segment.path).differences == ()
    assert len(segments.segments(tmp_path)) == 2


def test_a_segment_that_was_removed_or_cut_is_found(tmp_path):
    loop, intake, clock = make(tmp_path)
    loop.recover()
    for part in range(3):
        fly(loop, intake, clock, 2, first=2 * part)
        loop.reconfigure(loop.setup, FACTS | {"part": str(part)})
    loop.stop()
    assert segments.chain_faults(tmp_path) == []
    (tmp_path / "journal-000002.sqlite").unlink()
    assert [(name, "missing" in what) for name, what in segments.chain_faults(tmp_path)] == [("journal-000003.sqlite", True)]


@pytest.mark.parametrize("made", ["empty file", "tables without facts"])
def test_a_segment_whose_maker_died_before_its_facts_is_begun_again(tmp_path, made):
    loop, intake, clock = make(tmp_path)
    loop.recover()
    fly(loop, intake, clock, 3)
    loop.log._release()
    torn = tmp_path / "journal-000002.sqlite"
    torn.touch() if made == "empty file" else SqliteLog(torn).close()
    again, intake, clock = make(tmp_path)
    again.recover()
    fly(again, intake, clock, 2, first=3)
    again.stop()
    assert [segment.number for segment in segments.segments(tmp_path)] == [1] and segments.chain_faults(tmp_path) == []


def test_a_disk_too_full_for_a_segment_leaves_no_empty_file(tmp_path, monkeypatch):
    def full(path, **_):
        path.touch()
        raise StorageError("disk full", where=str(path))

    monkeypatch.setattr(segments, "SqliteLog", full)
    with pytest.raises(StorageError):
        segments.begin(tmp_path, FACTS)
    assert list(tmp_path.iterdir()) == []


def test_without_a_journal_the_loop_goes_on_and_the_gap_is_a_fact_of_the_next_segment(tmp_path, monkeypatch):
    said = []
    loop, intake, clock = make(tmp_path, said)
    loop.recover()
    fly(loop, intake, clock, 6)
    full = StorageError("disk full", where="journal", remedy="free space")
    monkeypatch.setattr(SqliteLog, "commit", lambda *_: (_ for _ in ()).throw(full))
    begin = segments.begin
    monkeypatch.setattr(segments, "begin", lambda *a, **k: (_ for _ in ()).throw(full))
    fly(loop, intake, clock, 4, first=6)
    assert loop.log is None and loop.unrecorded_batches == 4 and "disk full" in loop.unrecorded_why
    monkeypatch.undo()
    assert segments.begin is begin
    fly(loop, intake, clock, 4, first=10)
    assert loop.log is not None and loop.unrecorded_batches == 6 and loop.unrecorded_since_ns == 0  # asked again after 10 s
    loop.stop()
    newest = segments.segments(tmp_path)[-1].path
    with SqliteLog(newest, read_only=True) as log:
        assert "disk full" in log.meta()["gap"] and audit.check(log.sealed(), log.head()).faults == ()
    assert verify_replay(newest).differences == () and segments.chain_faults(tmp_path) == []
    assert [level for level, _ in said] == ["error", "notice"]


def test_a_silent_sky_ticks_once_a_second_and_no_more(tmp_path):
    loop, _, clock = make(tmp_path)
    loop.recover()
    for _ in range(100):
        clock.now_ns += NS_PER_S // 10
        loop.turn()
    assert 10 <= loop.batch_count <= 11
    loop.stop()


def test_configured_sensors_keep_the_rows_of_those_already_known():
    known = SensorTable((Sensor("found", sac=1, sic=2), Sensor("tulcea", sac=25, sic=201)))
    table = merged_sensors(known, SensorTable((Sensor("b"), Sensor("tulcea", sac=25, sic=201, rotation_s=4.0))))
    assert [sensor.id for sensor in table.rows] == ["found", "tulcea", "b"] and table.rows[1].rotation_s == 4.0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 50)), max_size=200), st.integers(1, 30), st.integers(1, 400))
def test_the_queue_is_bounded_and_what_it_sheds_is_counted(arrivals, entries_max, octets_max):
    intake = Intake(entries_max=entries_max, octets_max=octets_max)
    for number, (link, size) in enumerate(arrivals):
        intake.put((number, link, "asterix", bytes(size)))
        assert intake.waiting() <= entries_max
    kept = intake.take()
    assert sum(len(item[3]) for item in kept) <= octets_max
    assert len(kept) + sum(counts.shed for counts in intake.counts.values()) == len(arrivals)
    assert [item[0] for item in kept] == sorted(item[0] for item in kept) and intake.waiting() == 0


def test_a_flooding_link_loses_its_own_oldest_datagrams_and_a_person_loses_nothing():
    intake = Intake(entries_max=10, people_max=3)
    intake.put((0, "quiet", "asterix", b"q"))
    intake.put_person((1, "console", "command", b"{}"))
    for number in range(100):
        intake.put((number, "flood", "asterix", b"f"))
    kept = intake.take()
    assert [item[1] for item in kept].count("quiet") == 1 and [item[1] for item in kept].count("console") == 1
    assert [item[0] for item in kept if item[1] == "flood"] == list(range(91, 100))
    assert (intake.counts["flood"].shed, intake.counts["quiet"].shed) == (91, 0)


def test_a_turn_takes_two_seconds_of_what_waits_and_all_of_peoples(tmp_path):
    loop, intake, clock = make(tmp_path)
    loop.recover()
    for second in range(10):
        intake.put((START_NS + second * NS_PER_S, "udp://:8600", "asterix", plot(START_NS + second * NS_PER_S, 20.0)))
    clock.now_ns = START_NS + 10 * NS_PER_S
    intake.put_person((clock.now_ns, "console", "command", b"{}"))
    loop.turn()
    assert (loop.entry_count, loop.behind, intake.waiting()) == (3, True, 8)
    for _ in range(4):
        loop.turn()
    assert (loop.entry_count, loop.behind, intake.waiting()) == (11, False, 0)
    loop.stop()


@pytest.mark.parametrize(("gains", "sheds"), [(True, False), (False, True)])
def test_a_loop_that_does_not_gain_on_what_waits_sheds_what_is_old_and_says_so(tmp_path, gains, sheds):
    said = []
    loop, intake, clock = make(tmp_path, said=said)
    loop.recover()
    for second in range(20):
        intake.put((START_NS + second * NS_PER_S, "udp://:8600", "asterix", plot(START_NS + second * NS_PER_S, 20.0)))
    clock.now_ns = START_NS + 20 * NS_PER_S
    for turn in range(12):
        clock.now_ns += (1 if gains else 3) * NS_PER_S       # a turn takes two seconds' worth
        second = 20 + (turn * (1 if gains else 3))
        for each in range(second, second + (1 if gains else 3)):
            intake.put((START_NS + each * NS_PER_S, "udp://:8600", "asterix", plot(START_NS + each * NS_PER_S, 20.0)))
        loop.turn()
    shed = intake.counts["udp://:8600"].shed
    assert (shed > 0) == sheds and any("did not gain" in text for _, text in said) == sheds
    assert loop.entry_count + shed + intake.waiting() == intake.counts["udp://:8600"].entries
    loop.stop()


def test_too_many_entries_of_people_are_refused_to_them():
    intake = Intake(people_max=1)
    intake.put_person((0, "console", "command", b"{}"))
    with pytest.raises(InputError, match="wait already"):
        intake.put_person((1, "console", "command", b"{}"))


class Machine:
    """Two clocks of a machine; the wall one may be set."""

    def __init__(self) -> None:
        self.wall, self.monotonic = START_NS, 5 * NS_PER_S

    def passes(self, seconds: float) -> None:
        self.wall += round(seconds * NS_PER_S)
        self.monotonic += round(seconds * NS_PER_S)


@given(st.lists(st.tuples(st.floats(0.0, 20.0), st.floats(-4_000.0, 4_000.0) | st.just(0.0)), max_size=30))
def test_the_clock_never_goes_back_whatever_the_system_clock_does(changes):
    machine = Machine()
    clock = SteadyClock(lambda: machine.wall, lambda: machine.monotonic)
    seen = [clock()]
    for passed_s, step_s in changes:
        machine.passes(passed_s)
        machine.wall += round(step_s * NS_PER_S)
        seen.append(clock())
    assert seen == sorted(seen)


def test_a_leap_forward_is_named_and_followed_only_when_it_stays():
    machine = Machine()
    clock = SteadyClock(lambda: machine.wall, lambda: machine.monotonic)
    machine.wall += 3_600 * NS_PER_S
    assert clock() == START_NS and "+3600" in clock.wrong
    for _ in range(120):
        machine.passes(0.1)
        last = clock()
    assert last == machine.wall and clock.wrong == "" and clock.steps == 1


def test_a_step_back_is_caught_up_by_running_slow():
    machine = Machine()
    clock = SteadyClock(lambda: machine.wall, lambda: machine.monotonic)
    machine.wall -= 2 * NS_PER_S
    clock()
    assert clock.wrong
    readings = []
    for _ in range(250):
        machine.passes(0.1)
        readings.append(clock())
    assert np.all(np.diff(readings) > 0) and clock.wrong == "" and abs(clock.offset_ns) < NS_PER_S // 1_000
