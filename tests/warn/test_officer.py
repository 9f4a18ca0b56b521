"""What the officer's commands do, and what they cannot do."""

import pytest
from warn_fakes import START_NS, Run, S, make_object, make_pack

from lapwing.country.pack import Policy
from lapwing.model.alerts import CANCEL
from lapwing.model.reports import Command
from lapwing.warn import Settings


def asked(run, level="alert"):
    return next(p for p in reversed(run.proposals) if p.level == level and not p.automatic)


def say(run, action, name, by, **values):
    return run.step(run.rows, commands=[Command(run.now_ns, action, alert_id=name, by=by, **values)])


@pytest.fixture
def two_needed():
    """A dense border: the first zones hold more people than one person may warn."""
    run = Run(make_pack(population=150_000), officer_s=None)
    run.rows = run.fly([make_object(lat_deg=45.15, north_mps=-30.0)], 30)
    return run


@pytest.fixture
def in_force():
    run = Run()
    run.rows = run.fly([make_object(lat_deg=45.15, north_mps=-30.0)], 60)
    run.officer_s = None
    run.queue.clear()
    return run


def test_many_people_need_two_different_persons(two_needed):
    proposal = asked(two_needed)
    assert proposal.approvals_needed == 2
    assert not say(two_needed, "approve", proposal.id, "Ana").alerts
    again = say(two_needed, "approve", proposal.id, "Ana")
    assert not again.alerts
    assert "different" in again.notes[0]
    done = [a for a in say(two_needed, "approve", proposal.id, "Ion").alerts if a.level == "alert"]
    assert done[0].approved_by == ("Ana", "Ion")


def test_a_whole_county_needs_two_persons():
    from lapwing.warn.policy import approvals_needed

    pack = make_pack(population=1)
    west = [i for i, zone in enumerate(pack.zones) if zone.county == "XX-W" and zone.addressable]
    assert approvals_needed(pack, west) == 2
    assert approvals_needed(pack, west[:-1]) == 1
    assert approvals_needed(pack, [0]) == 2


def test_widening_alone_never_passes_what_one_person_may_approve():
    from lapwing.warn.policy import fit_envelope, population

    pack = make_pack(population=9_000)
    cells = [i for i, zone in enumerate(pack.zones) if zone.addressable]
    envelope = fit_envelope(pack, (), tuple(cells[:3]), cells[3:80])
    assert population(pack, (*cells[:3], *envelope)) <= pack.policy.two_persons_above
    assert len(envelope) == 8


def test_a_refused_warning_is_not_proposed_again_at_once(two_needed):
    proposal = asked(two_needed)
    count = len([p for p in two_needed.proposals if p.level == "alert"])
    assert say(two_needed, "refuse", proposal.id, "Ana", text="training").decisions[0].action == "refuse"
    two_needed.fly(two_needed.rows, 200)
    assert len([p for p in two_needed.proposals if p.level == "alert"]) == count


def test_a_false_alarm_is_cancelled_by_one_person_at_once(in_force):
    alert = next(a for a in in_force.alerts if a.level == "alert")
    warned = say(in_force, "cancel", alert.identifier, "Ana", text="a kite")
    cancelled = [a for a in warned.alerts if a.msg_type == CANCEL]
    assert cancelled[0].approved_by == ("Ana",)
    assert alert.identifier in {name.split(",")[1] for name in cancelled[0].references}
    in_force.fly(in_force.rows, 120)
    assert not [p for p in in_force.proposals if p.proposed_ns > cancelled[0].sent_ns and not p.automatic]


def test_an_all_clear_while_an_object_is_a_threat_is_refused_with_a_note(in_force):
    alert = next(a for a in in_force.alerts if a.level == "alert")
    warned = say(in_force, "all-clear", alert.identifier, "Ana")
    assert not warned.alerts
    assert "still a threat" in warned.notes[0]


def test_an_all_clear_by_hand_after_the_threat_waits_for_its_time(in_force):
    alert = next(a for a in in_force.alerts if a.level == "alert")
    last_ns = in_force.state.threats[0].last_plot_ns
    in_force.rows = []
    in_force.wait(310)
    say(in_force, "all-clear", alert.identifier, "Ana")
    in_force.wait(120)
    clear = in_force.public("alert")[-1]
    assert clear.level == "all_clear"
    assert 390 <= (clear.sent_ns - last_ns) / S <= 400


def test_a_warning_by_hand_needs_zones_a_reason_and_an_end():
    run = Run()
    run.rows = []
    for values in ({}, {"zones": ("XX-W-0000",)}, {"zones": ("XX-W-0000",), "text": "fire"},
                   {"zones": ("nowhere",), "text": "fire", "expires_ns": START_NS + 600 * S},
                   {"zones": ("XX-W",), "text": "fire", "expires_ns": START_NS + 600 * S}):
        warned = say(run, "raise", "", "Ana", **values)
        assert not warned.alerts
        assert "not done" in warned.notes[0]


def test_a_warning_by_hand_goes_out_and_ends_at_its_time_with_an_all_clear():
    run = Run(officer_s=None)
    run.rows = []
    end_ns = START_NS + 1_500 * S
    warned = say(run, "raise", "", "Ana", zones=("XX-W-0000", "XX-W-0001"), text="fire", expires_ns=end_ns)
    assert [a.level for a in warned.alerts] == ["alert"]
    assert warned.alerts[0].approved_by == ("Ana",)
    run.wait(1_510)
    assert run.alerts[-1].level == "all_clear"
    assert abs(run.alerts[-1].sent_ns - end_ns) <= 2 * S
    for before, after in zip(run.alerts, run.alerts[1:], strict=False):
        assert after.sent_ns < before.expires_ns
    assert not run.state.busy


def test_a_warning_by_hand_may_be_ended_earlier_by_hand():
    run = Run(officer_s=None)
    run.rows = []
    alert = say(run, "raise", "", "Ana", zones=("XX-W-0000",), text="fire", expires_ns=START_NS + 1_500 * S).alerts[0]
    run.wait(60)
    say(run, "all-clear", alert.identifier, "Ion")
    run.wait(3)
    assert run.alerts[-1].level == "all_clear"
    assert run.alerts[-1].approved_by == ("Ion",)


def test_a_big_warning_by_hand_waits_for_a_second_person():
    run = Run(make_pack(population=150_000), officer_s=None)
    run.rows = []
    warned = say(run, "raise", "", "Ana", zones=("XX-W-0000",), text="fire", expires_ns=START_NS + 1_500 * S)
    assert not warned.alerts
    assert not say(run, "approve", warned.proposals[0].id, "Ana").alerts
    assert say(run, "approve", warned.proposals[0].id, "Ion").alerts[0].approved_by == ("Ana", "Ion")


PEOPLE = (("Ana", "supervisor"), ("Ion", "officer"))


@pytest.fixture
def one_sensor():
    """A proposal of an object that one sensor sees, at a site with a table of people."""
    run = Run(officer_s=None, settings=Settings(status="Exercise", people=PEOPLE))
    run.rows = run.fly([make_object(lat_deg=45.15, north_mps=-30.0)], 60)
    return run


def test_an_officer_does_not_decide_on_what_one_sensor_sees_and_nobody_unknown_decides_at_all(one_sensor):
    name = asked(one_sensor).id
    assert "supervisor must decide" in say(one_sensor, "approve", name, "Ion").notes[0]
    assert "table of people" in say(one_sensor, "approve", name, "Vlad").notes[0]
    assert say(one_sensor, "approve", name, "Ana").alerts


def test_the_role_of_an_account_counts_before_the_table(one_sensor):
    name = asked(one_sensor).id
    assert not say(one_sensor, "approve", name, "Ana", role="officer").alerts
    assert say(one_sensor, "approve", name, "Vlad", role="supervisor").alerts


@pytest.mark.parametrize("bias_m, role", [(30.0, "officer"), (400.0, "supervisor")])
def test_objects_of_sensors_whose_alignment_is_not_known_take_a_supervisor(bias_m, role):
    run = Run(officer_s=None)
    run.rows = run.fly([make_object(lat_deg=45.15, north_mps=-30.0, sensor_count=2, bias_m=bias_m)], 60)
    assert asked(run).role == role
    assert ("alignment" in asked(run).reason) == (role == "supervisor")


def test_what_takes_a_supervisor_never_goes_out_by_itself():
    run = Run(make_pack(policy=Policy(sender="warn@examplia.example", unless_refused_s=10.0)), officer_s=None)
    run.rows = run.fly([make_object(lat_deg=45.15, north_mps=-30.0)], 60)
    assert asked(run).role == "supervisor" and not [a for a in run.alerts if a.level == "alert"]
    seen = Run(make_pack(policy=Policy(sender="warn@examplia.example", unless_refused_s=10.0)), officer_s=None)
    seen.fly([make_object(lat_deg=45.15, north_mps=-30.0, sensor_count=2)], 60)
    assert [a for a in seen.alerts if a.level == "alert"]


def test_an_officer_raises_nothing_by_hand():
    run = Run(officer_s=None, settings=Settings(status="Exercise", people=PEOPLE))
    run.rows = []
    values = {"zones": ("XX-W-0000",), "text": "fire", "expires_ns": START_NS + 1_500 * S}
    assert "supervisor" in say(run, "raise", "", "Ion", **values).notes[0]
    assert say(run, "raise", "", "Ana", **values).alerts
