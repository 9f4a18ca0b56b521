"""A warning from the first plot to the all clear."""

import numpy as np
import pytest
from warn_fakes import START_NS, Run, S, make_object, make_pack, reference_of, replace

from lapwing.model.alerts import CANCEL, UPDATE
from lapwing.model.reports import Command
from lapwing.warn import Settings


def since_start_s(time_ns):
    return (time_ns - START_NS) / S


@pytest.fixture(scope="module")
def entered():
    """One object flies from 39 km outside straight in, is lost 30 km inside, and the officer approves after 20 s."""
    run = Run()
    run.fly([make_object(lat_deg=45.35)], 1300)
    run.wait(900)
    return run


def test_the_first_alert_is_on_the_air_five_minutes_before_the_border_strip(entered):
    # 38.9 km out at 50 m/s: 5 km from the border at (38,896 - 5,000) / 50 = 678 s.
    first = next(a for a in entered.alerts if a.level == "alert")
    assert since_start_s(first.sent_ns) <= 678 - 300


def test_every_village_flown_past_is_red_two_and_a_half_minutes_before(entered):
    pack = entered.pack
    red_ns: dict[str, int] = {}
    for alert in entered.alerts:
        if alert.level == "alert":
            for zone in alert.zones:
                red_ns.setdefault(zone.code, alert.sent_ns)
    for second in range(1300):
        lat = 45.35 - 50.0 * second / 111_132.0
        north = (np.degrees(pack.places.latitude_rad) - lat) * 111_132.0
        east = (np.degrees(pack.places.longitude_rad) - 28.0) * 111_132.0 * np.cos(np.radians(lat))
        for place in np.flatnonzero(np.hypot(north, east) < 3_000.0):
            code = pack.zones[pack.places.zone_index[place]].code
            assert red_ns[code] <= START_NS + (second - 150) * S, code


def test_the_warning_is_narrow(entered):
    most = max(len(a.zones) for a in entered.alerts if a.level == "alert")
    assert most <= 0.2 * sum(zone.addressable for zone in entered.pack.zones)


def test_the_all_clear_comes_once_and_in_its_window(entered):
    clear = entered.alerts[-1]
    last_plot_s = 1296.0   # every 5th second, counted from 1
    assert clear.level == "all_clear"
    assert 390.0 <= since_start_s(clear.sent_ns) - last_plot_s <= 600.0
    assert clear.msg_type == UPDATE
    assert not entered.state.busy


def test_every_message_is_named_by_the_one_that_replaces_or_ends_it(entered):
    assert not entered.in_force()
    for alert in entered.alerts:
        after = [a for a in entered.alerts if reference_of(alert) in a.references]
        assert bool(after) == (alert.level != "all_clear")
        for later in after:
            assert set(alert.references) <= set(later.references), "the chain of references has a gap"
        if after:
            assert after[0].sent_ns <= alert.expires_ns, "a warning lapsed before its next message"


def test_nobody_is_told_twice_of_what_has_not_changed_for_them(entered):
    for place in {z.code for a in entered.alerts for z in a.zones}:
        rings = [a for a in entered.alerts if a.level == "alert" and a.rings and place in {z.code for z in a.zones}]
        assert len(rings) <= 1, place


@pytest.fixture(scope="module")
def passing():
    """One object flies in, turns along the border and goes on: what it leaves behind comes down while it is a threat."""
    run = Run()
    rows = run.fly([make_object(lat_deg=45.1, east_mps=0.0)], 300)
    run.fly([{**rows[0], "east_mps": 50.0, "north_mps": 0.0}], 1_500)
    return run


def test_zones_taken_out_of_an_alert_are_told_to_be_ready_before_their_all_clear(passing):
    level, lowered, cleared = {}, set(), set()
    for alert in passing.alerts:
        for zone in (z.code for z in alert.zones):
            if alert.level == "all_clear":
                assert level.get(zone) == "pre_alert", f"{zone} was under {level.get(zone)} until its all clear"
                cleared.add(zone)
            lowered |= {zone} if (level.get(zone), alert.level) == ("alert", "pre_alert") else set()
            level[zone] = alert.level
        assert not {z.code for z in alert.cleared} & {z.code for z in alert.zones}
        assert all(level.pop(z.code) == "pre_alert" for z in alert.cleared)
    assert len(lowered) > 5 and cleared


def test_nobody_who_was_told_that_it_is_over_is_told_to_be_ready_within_ten_minutes(passing):
    over = {}
    for alert in passing.alerts:
        if alert.level == "pre_alert":
            assert not [z.code for z in alert.zones if alert.sent_ns - over.get(z.code, -10**18) < 600 * S]
        for zone in alert.zones if alert.level == "all_clear" else alert.cleared:
            over[zone.code] = alert.sent_ns


def test_the_same_input_gives_the_same_octets():
    first, second = (Run() for _ in range(2))
    for run in (first, second):
        run.fly([make_object(lat_deg=45.2)], 300)
    assert [a.cap_xml for a in first.alerts] == [a.cap_xml for a in second.alerts]
    assert first.proposals == second.proposals


def test_an_object_that_flies_away_from_the_border_gets_no_alert():
    run = Run()
    run.fly([make_object(lat_deg=45.25, north_mps=50.0)], 400)
    assert not [a for a in run.alerts if a.level == "alert"]
    assert run.threats == ("T-1",)


@pytest.mark.parametrize("class_name", ["bird", "weather", "balloon", "surface", "airliner"])
def test_what_is_probably_harmless_gives_no_warning(class_name):
    run = Run()
    run.fly([make_object(lat_deg=45.05, class_name=class_name, class_prob=0.95)], 120)
    assert not run.alerts
    assert not run.proposals


def test_traffic_and_unconfirmed_tracks_give_no_warning():
    run = Run()
    run.fly([make_object(lat_deg=45.05, judged=False), make_object("T-2", lat_deg=45.05, confirmed=False)], 120)
    assert not run.proposals


def test_an_object_first_seen_near_the_border_is_proposed_at_its_first_step():
    run = Run()
    warned = run.step([make_object(lat_deg=45.08)])
    assert [p.level for p in warned.proposals if not p.automatic] == ["alert"]


def test_a_slow_object_is_watched_for_a_while_before_it_is_a_threat():
    run = Run()
    rows = run.fly([make_object(lat_deg=45.1, north_mps=-18.0)], 80)
    assert not run.threats
    run.fly(rows, 60)
    assert run.threats == ("T-1",)
    assert [p for p in run.proposals if p.level == "alert"]


@pytest.mark.parametrize("class_prob", [0.5, 0.7])
def test_a_slow_object_that_may_well_be_a_bird_never_becomes_a_threat(class_prob):
    run = Run()
    run.fly([make_object(lat_deg=44.9, north_mps=14.0, class_name="bird", class_prob=class_prob + 0.15)], 300)
    assert not run.proposals


def none_of_five(bird_prob):
    """Return the chance that a slow one is no bird: one that comes in is a bird five times as probably as the tracker says."""
    return (1.0 - bird_prob) / (1.0 + 4.0 * bird_prob)


@pytest.mark.parametrize(("north_mps", "ratio"), [(-17.0, none_of_five(0.5 + 4 * 0.5 / 9) / none_of_five(5 * 0.5 / 9)), (-45.0, 1.0)])
def test_a_slow_object_counts_by_the_chance_that_it_is_no_bird(north_mps, ratio):
    # A bird by 1 in 2, and by 1 in 18 each of the four other harmless classes; or a drone by 1 in 2, and five times 1 in 18.
    prob = []
    for class_name in ("bird", "drone"):
        run = Run()
        run.fly([make_object(lat_deg=45.08, north_mps=north_mps, class_name=class_name, class_prob=0.5, sensor_count=2)], 120)
        (threat,) = run.state.threats
        prob.append(threat.reach.prob.sum())
    assert prob[0] / prob[1] == pytest.approx(ratio, rel=1e-6)   # the same flights are flown for both


def test_a_slow_object_first_seen_inside_is_no_threat_until_it_has_flown_as_drones_do_for_some_time():
    run = Run()
    rows = run.fly([make_object(lat_deg=44.9, north_mps=-17.0, class_prob=0.5, sensor_count=2)], 300)
    assert not run.proposals
    rows = run.fly([{**rows[0], "north_mps": -35.0}], 30)        # a speed misjudged
    assert not run.proposals
    run.fly([{**rows[0], "north_mps": -45.0}], 600)
    assert run.proposals


def test_one_whose_speed_was_misjudged_at_first_is_a_bird_by_how_it_flies_since():
    run = Run()
    rows = run.fly([make_object(lat_deg=44.9, lon_deg=28.05, north_mps=-44.0, class_name="bird", class_prob=0.5, sensor_count=2)], 40)
    (threat,) = run.state.threats
    assert threat.harmless_prob == 0.0
    run.fly([{**rows[0], "north_mps": -17.0}], 400)
    (threat,) = run.state.threats
    assert threat.harmless_prob > 0.95


def test_a_slow_one_that_does_not_come_in_puts_nobody_under_alert():
    along, coming = Run(), Run()
    along.fly([make_object(lat_deg=45.02, lon_deg=27.2, north_mps=0.0, east_mps=17.0, class_name="bird", class_prob=0.4)], 900)
    coming.fly([make_object(lat_deg=45.12, lon_deg=28.05, north_mps=-17.0, class_name="bird", class_prob=0.4)], 1_500)
    assert len({z.code for a in along.alerts if a.level == "alert" for z in a.zones}) <= 1     # the county's first
    assert len({z.code for a in coming.alerts if a.level == "alert" for z in a.zones}) > 1


def test_the_words_speak_of_the_objects_that_matter_now_not_of_all_that_ever_were():
    run = Run()
    both = run.fly([make_object(lat_deg=45.12), make_object("T-2", lat_deg=45.12, lon_deg=28.03)], 60)
    assert b"several flying objects" in run.alerts[-1].cap_xml
    rows = run.fly([{**both[0], "north_mps": -45.0}], 500)
    assert run.threats == ("T-1",)
    newest = next(a for a in reversed(run.alerts) if a.level == "alert")
    assert set(newest.caused_by) == {"T-1", "T-2"}
    assert b"a flying object" in newest.cap_xml and b"several" not in newest.cap_xml
    assert rows


def test_a_lost_object_lets_go_of_the_last_zone_of_its_county_as_of_any_other():
    run = Run()
    run.fly([make_object(lat_deg=45.15, north_mps=-45.0)], 180)
    lost_ns = run.now_ns
    assert run.in_force()
    run.wait(280)
    lowered = [a for a in run.alerts if a.level == "pre_alert" and a.references]
    assert lowered and lowered[0].sent_ns - lost_ns <= 240 * S


def test_a_track_that_coasts_from_its_first_step_is_no_threat():
    run = Run()
    for _ in range(60):
        run.step([make_object(lat_deg=45.05, updated=False, last_plot_ns=START_NS)])
    assert not run.proposals


def test_a_track_that_is_flown_on_without_plots_is_held_as_a_lost_one():
    # Where every sensor falls silent a tracker may fly its tracks on for ever: none may be warned of all over the country.
    run = Run()
    rows = run.fly([make_object(lat_deg=45.15, north_mps=-45.0)], 300)
    last_plot_ns = rows[0]["last_plot_ns"]
    for _ in range(900):
        rows = [{**row, "updated": False, "last_plot_ns": last_plot_ns} for row in rows]
        run.step(rows)
        rows = [{**row, "lat_deg": row["lat_deg"] - 45.0 / 111_132.0} for row in rows]
    clear = run.alerts[-1]
    assert clear.level == "all_clear" and 390.0 <= (clear.sent_ns - last_plot_ns) / S <= 600.0
    assert not [a for a in run.alerts if a.level == "alert" and a.rings and a.sent_ns > last_plot_ns + 150 * S]
    assert not run.state.busy


def test_a_very_fast_object_needs_more_than_one_look():
    run = Run()
    run.fly([make_object(lat_deg=45.2, north_mps=-230.0)], 20)
    assert not run.proposals


def test_jitter_at_the_threshold_gives_no_extra_message():
    quiet, noisy = Run(), Run()
    generator = np.random.default_rng(7)
    for run, sigma_m in ((quiet, 0.0), (noisy, 150.0)):
        for _ in range(900):
            shake = generator.normal(0.0, sigma_m, 2) if sigma_m else (0.0, 0.0)
            turn = generator.normal(0.0, 2.0, 2) if sigma_m else (0.0, 0.0)
            # 11 km from the nearest village, turning in place: where a village is just about to become wanted
            run.step([make_object(lat_deg=45.065 + shake[0] / 111_132.0, lon_deg=28.05 + shake[1] / 78_000.0,
                                  east_mps=40.0 + turn[0], north_mps=-20.0 + turn[1])])
    assert len([a for a in noisy.alerts if a.level == "alert"]) <= len([a for a in quiet.alerts if a.level == "alert"])
    assert not [a for a in noisy.alerts if a.cleared]


def test_nobody_approves_the_proposal_lapses_loudly_and_comes_again():
    run = Run(officer_s=None)
    run.fly([make_object(lat_deg=45.3, north_mps=-30.0)], 900)
    asked = [p for p in run.proposals if p.level == "alert"]
    lapsed = [d for d in run.decisions if d.action == "lapsed"]
    assert len(asked) >= 2
    assert lapsed[0].proposal_id == asked[0].id
    assert any("LAPSED" in note for note in run.notes)
    assert not [a for a in run.alerts if a.level == "alert"]


def test_nobody_approves_the_all_clear_the_warning_is_renewed_not_ended_in_silence():
    run = Run()
    run.fly([make_object(lat_deg=45.1)], 120)
    run.officer_s = None
    run.queue.clear()
    run.wait(4_000, every_s=2.0)
    chain = run.public("alert")
    # The object was lost: for half the hold they shelter, then they are to be ready, until a person says that it is over.
    assert chain[-1].level == "pre_alert"
    assert chain[-1].expires_ns > run.now_ns
    assert len([p for p in run.proposals if p.level == "all_clear" and not p.automatic]) > 5


def test_objects_identified_as_ours_lead_to_a_cancellation():
    run = Run()
    rows = run.fly([make_object(lat_deg=45.15)], 120)
    run.step([{**rows[0], "judged": False}])
    run.wait(60)
    last = run.alerts[-1]
    assert not run.in_force()
    assert last.msg_type == CANCEL
    assert last.level == "all_clear"
    assert since_start_s(last.sent_ns) < 200


def test_a_threat_that_comes_back_before_the_all_clear_keeps_the_warning():
    run = Run()
    rows = run.fly([make_object(lat_deg=45.2)], 200)
    run.wait(320)
    assert [p for p in run.proposals if p.level == "all_clear" and not p.automatic]
    run.fly([{**rows[0], "track_id": "T-9", "born_ns": run.now_ns, "lat_deg": 45.05}], 60)
    assert not [a for a in run.public("alert") if a.level == "all_clear"]
    assert any("stays in force" in note for note in run.notes)


def test_widening_inside_the_approved_envelope_needs_no_person(entered):
    inside = [a for a in entered.alerts if a.level == "alert" and a.approved_by == ("engine",) and not a.cleared]
    assert inside
    for alert in inside:
        earlier = {z.code for a in entered.alerts if a.sent_ns < alert.sent_ns for z in a.zones}
        approved = {z.code for p in entered.proposals if not p.automatic for z in (*p.zones, *p.envelope)}
        assert {z.code for z in alert.zones} <= earlier | approved


def test_two_incidents_far_apart_have_two_chains():
    pack = make_pack()
    run = Run(pack)
    run.fly([make_object("W", lat_deg=45.1, lon_deg=27.2), make_object("E", lat_deg=45.1, lon_deg=29.8)], 60)
    chains = {a.references[0] if a.references else a.identifier for a in run.alerts if a.level == "alert"}
    assert len(chains) == 2


def test_status_stands_in_every_message_and_text():
    run = Run(settings=Settings(status="Test"))
    run.fly([make_object(lat_deg=45.1)], 60)
    assert {a.status for a in run.alerts} == {"Test"}
    for alert in run.alerts:
        assert b"<status>Test</status>" in alert.cap_xml
        assert b"TEST. THIS IS NOT A REAL WARNING." in alert.cap_xml
    actual = Run(settings=Settings(status="Actual"))
    actual.fly([make_object(lat_deg=45.1)], 60)
    assert b"NOT A REAL" not in b"".join(a.cap_xml for a in actual.alerts)


def test_zone_levels_follow_what_is_in_force(entered):
    run = Run()
    run.fly([make_object(lat_deg=45.3)], 10)
    assert set(run.levels.values()) <= {"watch", "pre_alert"}
    run.fly([make_object(lat_deg=45.2)], 60)
    assert "alert" in run.levels.values()
    assert entered.levels == {}


def test_a_policy_without_approvals_sends_alone():
    pack = make_pack()
    pack = replace(pack, policy=replace(pack.policy, needs_approval=()))
    run = Run(pack, officer_s=None)
    run.fly([make_object(lat_deg=45.1)], 60)
    run.wait(500)
    assert [a.level for a in run.public("alert")][-1] == "all_clear"
    assert {a.approved_by for a in run.alerts} == {("engine",)}


def test_a_command_for_nothing_is_answered_with_a_note():
    run = Run()
    run.step(commands=[Command(START_NS, "approve", alert_id="nothing", by="A")])
    run.step(commands=[Command(START_NS, "approve", alert_id="nothing", by=" ")])
    assert len(run.notes) == 2
