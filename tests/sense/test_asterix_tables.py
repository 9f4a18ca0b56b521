"""The tables are the whole of the open definitions, corrected where proven wrong."""

import asterix.generated as generated
import pytest

from lapwing.sense.asterix import tables
from lapwing.sense.asterix.items import read_record


def test_every_category_and_edition_of_the_open_definitions_is_there():
    theirs = {category: {"{}.{}".format(*spec.cv_edition) for spec in specs}
              for category, specs in generated.manifest["CATS"].items()}
    ours = {category: set(tables.editions(category)) for category in tables.CATEGORIES if category != 129}
    assert ours == theirs
    assert (len(ours), sum(map(len, ours.values()))) == (27, 68)


def test_newest_edition_is_taken_by_default_as_the_golden_files_were():
    used = {1: "1.4", 2: "1.2", 8: "1.3", 10: "1.1", 19: "1.3", 20: "1.11", 21: "2.7", 23: "1.3", 34: "1.29",
            48: "1.32", 62: "1.21", 63: "1.7", 65: "1.6"}
    assert {category: tables.default_edition(category) for category in used} == used


def test_every_correction_has_its_proof_and_takes_effect():
    assert all(len(row["proof"]) > 5 for row in tables.overlay())
    # I010/202 is FRN 9: FSPEC 00000001 01000000, VX = 4 counts of 0.25 m/s, VY = -4.
    octets = bytes([0x01, 0x40]) + (4).to_bytes(2, "big") + (-4).to_bytes(2, "big", signed=True)
    assert read_record(octets, 0, len(octets), tables.edition(10))[0] == {"202": {"VX": 1.0, "VY": -1.0}}


def test_correlation_of_multilateration_has_a_sign():
    # I020/500 is FRN 19 (third octet, bit 0x08): compound, SDP alone = 0x40, X = 1 m, Y = 1 m, XY = -0.5.
    octets = bytes([0x01, 0x01, 0x08, 0x40, 0, 4, 0, 4, 0xFF, 0xFE])
    assert read_record(octets, 0, len(octets), tables.edition(20))[0] == {"500": {"SDP": {"X": 1.0, "Y": 1.0,
                                                                                         "XY": -0.5}}}


def test_unmanned_aircraft_report_by_hand():
    # CAT129 1.2: FSPEC flags FRN 1, 6, 7, 8, 9: "PL", 12:00:00 = 0x546000, 54.5 N 15 E in 180/2^30, 120.0 m.
    octets = bytes.fromhex("87 c0 0000 504c 546000 1360b60b 05555555 0004b0")
    items, end, _ = read_record(octets, 0, len(octets), tables.edition(129))
    assert end == len(octets)
    assert items["050"] == "PL"
    assert (items["070"], items["090"]) == (43_200.0, 120.0)
    assert items["080"]["LAT"] == pytest.approx(54.5, abs=1e-7)
    assert items["080"]["LON"] == pytest.approx(15.0, abs=1e-7)


def test_unknown_category_and_edition_are_named():
    with pytest.raises(tables.UnknownEdition, match="CAT099: no table; known are 1, 2"):
        tables.edition(99)
    with pytest.raises(tables.UnknownEdition, match=r"no edition 9\.9; known are 1\.27"):
        tables.edition(48, "9.9")
