"""The narration never runs backwards."""

import io
from types import SimpleNamespace

from lapwing.runtime.narrate import Narrator

S = 1_000_000_000
NOW = 1_754_423_400 * S


def told(*batches):
    stream = io.StringIO()
    narrator = Narrator(stream)
    for now_ns, events in batches:
        narrator(SimpleNamespace(now_ns=now_ns, events=[
            SimpleNamespace(time_ns=at, kind="sighting", text=text, severity="info") for at, text in events]), [])
    return stream.getvalue().splitlines()


def test_what_is_known_late_stands_where_it_became_known_with_its_own_time():
    lines = told((NOW, [(NOW - S, "first")]), (NOW + 400 * S, [(NOW + 60 * S, "fire"), (NOW + 399 * S, "fresh")]))
    times = [line[:8] for line in lines]
    assert times == sorted(times)
    assert "fire (" in "".join(lines)
    assert lines[0][:8] == "19:49:59"


def test_times_of_lines_never_go_back_whatever_the_events_say():
    lines = told(*[(NOW + k * S, [(NOW + ((7 * k) % 11 - 20) * S, str(k))]) for k in range(30)])
    times = [line[:8] for line in lines]
    assert times == sorted(times)
