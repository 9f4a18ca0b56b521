"""No sequence of plots and commands leaves a warning without its update, cancel or all clear."""

import hypothesis.strategies as st
from hypothesis import given, settings
from warn_fakes import Run, make_object, reference_of

from lapwing.model.alerts import ALERT
from lapwing.model.reports import Command
from lapwing.warn.cap_check import check

ACTIONS = ("none", "approve", "refuse", "cancel", "all-clear")

moves = st.tuples(
    st.integers(1, 3),                                   # objects
    st.floats(44.8, 45.4), st.floats(27.2, 29.8),        # where
    st.floats(-60, 60), st.floats(-60, 60),              # how fast
    st.booleans(),                                       # judged
    st.sampled_from((5.0, 40.0, 150.0)),                 # for how long, seconds a step
    st.integers(1, 6),                                   # steps
    st.sampled_from(ACTIONS), st.integers(0, 3),         # what an officer does, to which open thing
    st.sampled_from(("Ana", "Ion")),
)


def command_of(run, action, which, by):
    names = [p.id for p in run.proposals[-4:]] + [a.identifier for a in run.alerts[-2:]]
    if action == "none" or not names:
        return ()
    return (Command(run.now_ns, action, alert_id=names[which % len(names)], by=by),)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(moves, min_size=1, max_size=8), st.sampled_from((None, 20.0)))
def test_whatever_happens_every_warning_is_followed_until_its_end(script, officer_s):
    run = Run(officer_s=officer_s)
    for count, lat, lon, east, north, judged, seconds, steps, action, which, by in script:
        rows = [make_object(f"T-{i}", lat + 0.03 * i, lon, east, north, now_ns=run.now_ns, judged=judged)
                for i in range(count)]
        for _ in range(steps):
            run.step(rows, commands=command_of(run, action, which, by), seconds=seconds)
    # Then everything is gone and the officer does what is asked.
    run.officer_s = 20.0
    for chain in run.state.chains:
        for pending in chain.pending:
            run.queue += [Command(run.now_ns + 1, "approve", alert_id=pending.proposal.id, by=f"P{n}") for n in (1, 2)]
    run.wait(2_400, every_s=10.0)
    assert not run.state.busy
    assert not run.in_force(), "a warning ended in silence"
    assert len({alert.identifier for alert in run.alerts}) == len(run.alerts)
    replaced: dict[str, int] = {}
    for alert in run.alerts:
        assert (alert.msg_type == ALERT) == (not alert.references)
        for name in alert.references:
            replaced.setdefault(name, alert.sent_ns)
    for alert in run.alerts:
        if alert.level != "all_clear":
            assert replaced[reference_of(alert)] <= alert.expires_ns, "a warning lapsed before its next message"
    for alert in run.alerts[:3] + run.alerts[-3:]:
        assert check(alert.cap_xml).valid
