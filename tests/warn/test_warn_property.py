"""No sequence of plots and commands leaves a warning without its update, cancel or all clear."""

from collections import Counter

import hypothesis.strategies as st
import numpy as np
import pytest
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


def shaken(north_m, sigma_m, seed):
    """An object flies along the border, so far north of it, for seven minutes; every plot is off by one sigma."""
    run, generator, lon_deg = Run(), np.random.default_rng(seed), 27.6
    for second in range(420):
        lon_deg += 50.0 / 78_600.0
        if second % 4 == 0:
            off_m, off_mps = generator.normal(0.0, 1.0, 2) * sigma_m, generator.normal(0.0, 1.0, 2) * (2.0 if sigma_m else 0.0)
        run.step([make_object(lat_deg=45.0 + (north_m + off_m[0]) / 111_132.0, lon_deg=lon_deg + off_m[1] / 78_600.0,
                              east_mps=50.0 + off_mps[0], north_mps=off_mps[1], updated=second % 4 == 0, last_plot_ns=run.now_ns)])
    return run


@pytest.mark.parametrize("north_m", [0.0, 100.0, 3_000.0])
def test_one_sigma_of_jitter_at_the_line_gives_no_extra_message(north_m):
    quiet = shaken(north_m, 0.0, 0)
    for seed in (1, 2):
        noisy, told, over = shaken(north_m, 80.0, seed), Counter(), set()
        for alert in noisy.alerts:
            told.update(z.code for z in alert.zones if alert.rings)
            assert alert.level == "all_clear" or not over & {z.code for z in alert.zones}, "told that it is over, then warned again"
            over |= {z.code for z in (alert.zones if alert.level == "all_clear" else alert.cleared)}
        assert max(told.values()) <= 2, "a place is told to be ready and to take shelter, and no more"
        if north_m <= 100.0:
            assert len(noisy.alerts) <= len(quiet.alerts)
