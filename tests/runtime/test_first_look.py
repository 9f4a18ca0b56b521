"""Before the loop turns: what comes in waits, its first datagram is decoded with plain Python and said; then it is processed in pieces."""

import pytest
from test_live_loop import START_NS, TABLE, make, plot

from lapwing.model.times import NS_PER_S
from lapwing.runtime.first_look import FirstLook
from lapwing.runtime.intake import Intake
from lapwing.runtime.live import pieces

LINK = "udp://:8600"


def test_the_first_datagram_of_a_link_is_decoded_and_said_once():
    intake, said = Intake(), []
    look = FirstLook(intake, {LINK: "radar"}, TABLE, lambda level, text: said.append(text))
    look.look()
    for k in range(3):
        intake.put((START_NS + k, LINK, "asterix", plot(START_NS, 20.0 + k)))
    look.look()
    look.look()
    assert len(said) == 1 and said[0].startswith("radar: first datagram decoded: CAT048 edition ")
    assert f"of 25/201 ({TABLE.rows[0].id}), 1 record" in said[0]


@pytest.mark.parametrize(("format_", "payload", "words"), [
    ("asterix", b"\x30\x00\x01", "block_length"), ("asterix", b"", "first datagram decoded"),
    ("asterix", b"\xfe\x00\x05\x80\x01", "unknown_category"),
    ("sbs", b"MSG,3", "format sbs, 5 octets"),
])
def test_whatever_comes_first_is_named_and_never_stops_the_start(format_, payload, words):
    assert words in FirstLook(Intake(), {}, TABLE, lambda level, text: None).words(format_, payload)


def test_what_waited_is_cut_into_pieces_in_its_order():
    items = [(START_NS + k * NS_PER_S // 2, LINK, "asterix", bytes([k])) for k in range(21)]
    cut = pieces(items)
    assert [item for piece in cut for item in piece] == items
    assert all(piece[-1][0] - piece[0][0] < 2 * NS_PER_S for piece in cut) and len(cut) == 6 and not pieces([])


def test_forty_seconds_that_waited_for_the_kernels_make_the_track_that_they_would_have_made(tmp_path):
    loop, intake, clock = make(tmp_path)
    loop.recover()
    for turn in range(10):
        intake.put((START_NS + turn * 4 * NS_PER_S, LINK, "asterix", plot(START_NS + turn * 4 * NS_PER_S, 20.0 - 0.25 * turn)))
    clock.now_ns = START_NS + 37 * NS_PER_S
    outcome = loop.turn()
    while intake.waiting():
        outcome = loop.turn()
    assert loop.batch_count == 10 and outcome.update.tracks.confirmed.tolist() == [True]
    loop.log.close()

