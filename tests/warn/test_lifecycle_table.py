"""The table of a warning's life is complete and sound."""

import pytest

from lapwing.warn import lifecycle as life


def test_every_phase_answers_every_event():
    assert set(life.TABLE) == {(phase, event) for phase in life.PHASES for event in life.EVENTS}


def test_every_next_phase_exists():
    assert {phase for phase, _ in life.TABLE.values()} <= {*life.PHASES, life.ENDED}


@pytest.mark.parametrize("phase", [life.IN_FORCE, life.CLEARING, life.CLEARED])
def test_a_warning_on_the_air_never_ends_without_a_message(phase):
    for event in life.EVENTS:
        after, action = life.TABLE[phase, event]
        if after == life.ENDED:
            assert action in ("clear", "cancel"), (phase, event)


def test_a_proposal_that_ends_sends_nothing():
    for event in life.EVENTS:
        after, action = life.TABLE[life.PROPOSED, event]
        assert action not in life.ON_THE_AIR or (event == "approved" and after == life.IN_FORCE)


def test_only_an_approval_takes_a_warning_to_its_end():
    for phase, event in life.TABLE:
        if life.TABLE[phase, event][0] == life.CLEARED and phase != life.CLEARED:
            assert event in ("approved", "all_clear")


def test_an_unknown_event_is_our_bug():
    with pytest.raises(KeyError):
        life.next_phase(life.IN_FORCE, "hope")
