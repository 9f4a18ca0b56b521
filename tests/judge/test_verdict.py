"""The verdict: three values, correlated errors, gaps, undecided line, what is said."""

from __future__ import annotations

import numpy as np
import pytest
from flights import pack, south, trajectory
from hypothesis import given, settings
from hypothesis import strategies as st
from passes import KINDS, smoothed

from lapwing.geo.border import Stretch
from lapwing.judge import Settings, judge_trajectory
from lapwing.model.times import to_iso
from lapwing.model.verdicts import ENTERED, NOT_ENTERED, UNDETERMINED

SETTINGS = Settings()
NOW = 1_754_430_000_000_000_000


def judged(flight, where=None):
    return judge_trajectory(flight, where or pack(), NOW, SETTINGS)


def test_object_half_a_mile_outside_is_never_said_to_have_entered():
    seconds = np.arange(0.0, 600.0, 4.0)
    verdict = judged(trajectory(seconds, 50 * seconds - 15_000, 800 + 20 * np.abs(seconds - 300)))
    assert verdict.verdict == NOT_ENTERED and verdict.entries == () and verdict.seconds_inside == 0.0
    assert verdict.closest_m == pytest.approx(800, abs=40)
    assert verdict.closest_m_low < 800 < verdict.closest_m_high
    assert to_iso(verdict.closest_ns, digits=0).startswith("2025-08-05T20:05:0")


def test_straight_crossing_gives_time_and_place_of_entry_and_exit():
    # South at 40 m/s from 6 km out until 290 s, then back north: over the line at 150 s and at 430 s.
    seconds = np.arange(0.0, 600.0, 4.0)
    north = np.where(seconds < 290, 6000 - 40 * seconds, 6000 - 40 * (580 - seconds))
    verdict = judged(trajectory(seconds, 10 * seconds, north))
    assert verdict.verdict == ENTERED and len(verdict.entries) == 1
    crossing = verdict.entries[0]
    assert to_iso(crossing.entry_ns, digits=0) == "2025-08-05T20:02:30Z"
    assert to_iso(crossing.exit_ns, digits=0) == "2025-08-05T20:07:10Z"
    assert verdict.seconds_inside == pytest.approx(280, abs=1)
    assert verdict.deepest_m == pytest.approx(5600, abs=120)
    assert np.degrees(crossing.latitude_rad) == pytest.approx(45.0, abs=1e-4)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), minutes=st.integers(5, 15), bound_m=st.sampled_from([0.0, 100.0, 200.0]))
def test_jitter_beside_the_line_never_becomes_an_entry_by_repetition(seed, minutes, bound_m):
    """Ten minutes one sigma outside, jittering by one sigma of the smoothed position."""
    generator = np.random.default_rng(seed)
    sigma = 60.0
    seconds = np.arange(0.0, 60.0 * minutes, 4.0)
    outside = float(np.hypot(sigma, bound_m / 1.96))
    north = outside + generator.normal(0.0, sigma, len(seconds))
    verdict = judged(trajectory(seconds, 50 * seconds - 10_000, north, sigma_m=sigma), pack(south(bound_m)))
    assert verdict.verdict != ENTERED


def test_one_plots_excursion_inside_decides_nothing():
    seconds = np.arange(0.0, 400.0, 8.0)
    north = np.full(len(seconds), 400.0)
    north[25] = -500.0
    flight = trajectory(seconds, 50 * seconds, north, sigma_m=80.0)
    straight = np.tile([50.0, 0.0], (len(seconds), 1))
    verdict = judged(type(flight)(**{name: getattr(flight, name) for name in flight.__slots__} |
                                  {"velocity_mps": straight}))
    assert verdict.verdict == UNDETERMINED
    assert "excursion" in verdict.reason


def test_long_gap_that_could_reach_across_makes_it_undetermined_and_says_so():
    seconds = np.array([*np.arange(0.0, 100.0, 4.0), *np.arange(105.0, 400.0, 5.0), *np.arange(400.0, 500.0, 4.0)])
    measured = (seconds < 100) | (seconds >= 400)
    through = np.clip((seconds - 100) / 300, 0, 1)
    sigma = 30 + 1500 * 4 * through * (1 - through)      # widest in the middle of the gap
    verdict = judged(trajectory(seconds, 40 * seconds, np.full(len(seconds), 1200.0), sigma_m=sigma, measured=measured))
    assert verdict.verdict == UNDETERMINED and "gap" in verdict.reason
    assert len(verdict.evidence.gaps) == 1


def test_object_lost_well_outside_is_not_undetermined_by_growth_after_the_loss():
    seconds = np.array([*np.arange(0.0, 300.0, 4.0), *np.arange(305.0, 420.0, 5.0)])
    measured = seconds < 300
    sigma = np.where(measured, 30.0, 30 + 20 * (seconds - 296))
    verdict = judged(trajectory(seconds, 20 * seconds, 1000 + 30 * (300 - seconds), sigma_m=sigma, measured=measured))
    assert verdict.verdict == NOT_ENTERED
    assert "nothing known after" in verdict.reason
    assert verdict.closest_m == pytest.approx(1000, abs=250)


def test_object_lost_heading_in_where_coverage_had_holes_is_undetermined():
    plots = [0.0, 4.0, 8.0, 60.0, 64.0, 120.0, 124.0, 180.0, 184.0]
    coasted = list(np.arange(189.0, 300.0, 5.0))
    seconds = np.array(plots + coasted)
    verdict = judged(trajectory(seconds, 10 * seconds, 9200 - 45 * seconds, measured=seconds <= 184))
    assert verdict.verdict == UNDETERMINED and "flew on unseen" in verdict.reason


def test_object_first_seen_inside_has_entered_and_the_reason_says_that_the_moment_is_unknown():
    seconds = np.arange(0.0, 200.0, 4.0)
    verdict = judged(trajectory(seconds, 40 * seconds, -5000 + 10 * seconds))
    assert verdict.verdict == ENTERED and verdict.entries[0].entry_ns == verdict.time_ns - NOW + trajectory(
        seconds, seconds, seconds).time_ns[0]
    assert "first seen inside" in verdict.reason
    assert "first seen" in verdict.statement["en"]


def undecided_pack():
    stretch = Stretch("mouth", "sources disagree", 6_900.0, True, box_deg=(27.0, 44.99, 30.0, 45.01))
    return pack(south(100.0, (stretch,)))


def test_entry_across_an_undecided_stretch_is_undetermined():
    seconds = np.arange(0.0, 300.0, 4.0)
    verdict = judged(trajectory(seconds, 40 * seconds, 6000 - 40 * seconds), undecided_pack())
    assert verdict.verdict == UNDETERMINED and "not decided" in verdict.reason


def test_entry_across_an_undecided_stretch_that_goes_beyond_its_bound_is_an_entry():
    seconds = np.arange(0.0, 800.0, 4.0)
    assert judged(trajectory(seconds, 40 * seconds, 6000 - 40 * seconds), undecided_pack()).verdict == ENTERED


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 100_000), kind=st.sampled_from(KINDS), closest_m=st.floats(-2_000, 2_000),
       bound_m=st.sampled_from([0.0, 45.0, 200.0]))
def test_every_verdict_keeps_its_own_rules(seed, kind, closest_m, bound_m):
    flight, _ = smoothed(kind, np.random.default_rng(seed), closest_m)
    verdict = judged(flight, pack(south(bound_m)))
    assert verdict.closest_m_low <= verdict.closest_m <= verdict.closest_m_high
    assert 0.0 <= verdict.entered_prob <= 1.0 and verdict.final
    if verdict.verdict == ENTERED:
        assert verdict.entered_prob >= 0.95 and verdict.entries and verdict.deepest_m > 0.0
    elif verdict.verdict == NOT_ENTERED:
        assert verdict.entered_prob <= 0.05 and not verdict.entries and verdict.deepest_m == 0.0
    else:
        assert 0.05 < verdict.entered_prob < 0.95
    for crossing in verdict.entries:
        assert crossing.exit_ns == 0 or crossing.exit_ns >= crossing.entry_ns
    assert verdict.reason and f"{abs(verdict.closest_m):.0f}" in verdict.statement["en"]
    assert verdict == judged(flight, pack(south(bound_m)))


@pytest.mark.parametrize("count", [40, pytest.param(400, marks=pytest.mark.slow)])
def test_simulated_passes_are_hardly_ever_judged_wrong_and_the_interval_holds_the_truth(count):
    """60 m plots every 4 s with 30 m of bias and a line good to 100 m; flights within 2 km of it."""
    generator = np.random.default_rng(7)
    held = wrong = 0
    for index in range(count):
        flight, true_m = smoothed(KINDS[index % len(KINDS)], generator, generator.uniform(-2000, 2000),
                                  plot_m_sigma=60.0, bias_m=30.0, every_s=4.0)
        true_m += generator.normal(0, 100 / 1.96)
        verdict = judged(flight, pack(south(100.0)))
        held += verdict.closest_m_low <= true_m <= verdict.closest_m_high
        wrong += verdict.verdict == (NOT_ENTERED if true_m < 0 else ENTERED)
    assert held / count >= 0.92
    assert wrong <= max(1, 0.005 * count)
