"""The public picture does not depend on the order of arrival, and only the sender's own messages end a warning."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lapwing.warn.cap_state import Fact, picture

T0 = datetime(2025, 8, 5, 19, 0, tzinfo=UTC)


def at(minutes):
    return T0 + timedelta(minutes=minutes)


def fact(identifier, sent, msg_type="Alert", references=(), *, expires=60, status="Actual", sender="us", effective=None, clear=False,
         scope="Public"):
    return Fact(sender, identifier, at(sent), status, msg_type, scope,
                tuple(r if isinstance(r, tuple) else (sender, r) for r in references),
                at(sent if effective is None else effective), None if expires is None else at(expires), clear)


CHAIN = [fact("A", 0), fact("U", 10, "Update", ["A"], expires=80), fact("C", 20, "Cancel", ["A", "U"])]


def seen(facts, minutes):
    found = picture(facts, at(minutes))
    return found.in_force, found.ended, found.unknown


def test_alert_update_cancel_over_time():
    assert seen(CHAIN, 5) == (("A",), (), ())
    assert seen(CHAIN, 15) == (("U",), ("A",), ())
    assert seen(CHAIN, 25) == ((), ("A", "U"), ())
    assert seen(CHAIN, -1) == ((), (), ())


@given(st.permutations([*CHAIN, fact("B", 3), fact("X", 12, "Cancel", ["never-came"]), fact("D", 9, "Update", ["lost"]), CHAIN[0]]),
       st.integers(-5, 100))
def test_the_order_of_arrival_does_not_matter(facts, minutes):
    in_order = sorted(facts, key=lambda f: (f.sent, f.identifier))
    assert picture(facts, at(minutes)) == picture(in_order, at(minutes))


def test_expired_warnings_have_ended_at_that_moment():
    assert seen([fact("A", 0, expires=60)], 59)[0] == ("A",)
    assert seen([fact("A", 0, expires=60)], 60) == ((), ("A",), ())


def test_only_actual_and_public_messages_count():
    for status in ("Exercise", "Test", "System", "Draft"):
        assert seen([fact("A", 0, status=status)], 5) == ((), (), ())
        assert seen([fact("A", 0), fact("C", 1, "Cancel", ["A"], status=status)], 5) == (("A",), (), ())
    assert seen([fact("A", 0, scope="Private")], 5) == ((), (), ())


def test_acknowledgements_and_errors_change_nothing():
    assert seen([fact("A", 0), fact("K", 1, "Ack", ["A"]), fact("E", 2, "Error", ["A"])], 5) == (("A",), (), ())


def test_what_is_named_but_never_came_is_unknown():
    assert seen([fact("U", 1, "Update", ["A"])], 5) == (("U",), (), ("A",))
    assert seen([fact("C", 1, "Cancel", ["A"])], 5) == ((), (), ("A",))


def test_a_cancel_of_the_first_ends_what_had_become_of_it_and_nothing_later():
    chain = [fact("A", 0), fact("U1", 1, "Update", ["A"]), fact("U2", 2, "Update", ["U1"]), fact("C", 3, "Cancel", ["A"])]
    assert seen(chain, 5) == ((), ("A", "U1", "U2"), ())
    assert seen([*chain, fact("U3", 4, "Update", ["U2"])], 5)[0] == ("U3",)


def test_a_chain_with_a_missing_link_is_followed_through_it():
    assert seen([fact("A", 0), fact("U2", 2, "Update", ["A", "U1"]), fact("C", 3, "Cancel", ["U1"])], 5) == ((), ("A", "U2"), ("U1",))


def test_two_updates_of_one_alert_are_both_in_force():
    assert seen([fact("A", 0), fact("N", 1, "Update", ["A"]), fact("S", 2, "Update", ["A"])], 5)[0] == ("N", "S")


def test_nobody_ends_the_warning_of_another_sender():
    stranger = fact("C", 1, "Cancel", [("us", "A")], sender="them")
    assert seen([fact("A", 0), stranger], 5)[0] == ("A",)


def test_an_all_clear_is_not_a_warning_in_force():
    assert seen([fact("A", 0), fact("U", 5, "Update", ["A"], clear=True)], 6) == ((), ("A", "U"), ())


def test_an_update_that_takes_effect_later_leaves_the_old_warning_until_then():
    facts = [fact("A", 0), fact("U", 5, "Update", ["A"], effective=30, expires=90)]
    assert seen(facts, 10)[0] == ("A",) and picture(facts, at(10)).coming == ("U",)
    assert seen(facts, 31) == (("U",), ("A",), ())


def test_no_expiry_is_in_force_for_a_day_and_then_unknown():
    assert seen([fact("A", 0, expires=None)], 60 * 23)[0] == ("A",)
    assert seen([fact("A", 0, expires=None)], 60 * 25) == ((), (), ("A",))


def test_rings_of_references_end_the_reckoning():
    ring = [fact("A", 0, "Update", ["B"]), fact("B", 0, "Update", ["A"]), fact("C", 1, "Cancel", ["A"])]
    assert seen(ring, 5) == ((), ("A", "B"), ())


def test_a_name_used_twice_counts_as_its_later_message():
    assert seen([fact("A", 5, expires=90), fact("A", 0, expires=60)], 70)[0] == ("A",)
