"""Mode S registers, each bit by hand."""

import pytest

from lapwing.sense.asterix.registers import expand, registers_of


def bits(*pieces):
    """Return 56 bits of (value, width) from the first on."""
    raw = width = 0
    for value, size in pieces:
        raw, width = raw << size | value & (1 << size) - 1, width + size
    return raw << 56 - width


def test_selected_intention():
    # 33,008 ft = 2,063 x 16; no FMS altitude; 1,027.0 hPa = 800 + 2,270 x 0.1; VNAV and approach; source 2.
    data = bits((1, 1), (2_063, 12), (0, 13), (1, 1), (2_270, 12), (0, 8), (1, 1), (0b101, 3), (0, 2), (1, 1), (2, 2))
    assert expand(data, 4, 0) == {"selected_altitude_ft": 33_008.0, "pressure_setting_hpa": 1_027.0, "vnav": 1,
                                  "altitude_hold": 0, "approach": 1, "target_altitude_source": 2}


def test_track_and_turn():
    # Roll -4 x 45/256; track -645 x 90/512 = -113.4, which is 246.6; 220 x 2 kt; rate -1 x 8/256; 227 x 2 kt.
    data = bits((1, 1), (-4, 10), (1, 1), (-645, 11), (1, 1), (220, 10), (1, 1), (-1, 10), (1, 1), (227, 10))
    assert expand(data, 5, 0) == {"roll_deg": -0.703125, "true_track_deg": pytest.approx(246.62109375),
                                  "ground_speed_kt": 440.0, "track_rate_deg_per_s": -0.03125, "true_airspeed_kt": 454.0}


def test_heading_and_speed_without_mach():
    data = bits((1, 1), (512, 11), (1, 1), (250, 10), (0, 11), (1, 1), (-5, 10), (1, 1), (3, 10))
    assert expand(data, 6, 0) == {"magnetic_heading_deg": 90.0, "indicated_airspeed_kt": 250.0,
                                  "barometric_rate_ft_per_min": -160.0, "inertial_rate_ft_per_min": 96.0}


def test_other_registers_are_left_as_they_are():
    assert expand(1, 3, 0) is None
    assert registers_of({"250": [{"MBDATA": 1, "BDS1": 3, "BDS2": 0}], "040": {"RHO": 1.0}}) == []


def test_registers_with_their_number_in_the_element_are_found():
    data = bits((0, 12), (0, 11), (1, 1), (100, 10))
    assert registers_of({"380": {"BDSDATA": [data << 8 | 0x50]}}) == [{"bds": "5,0", "ground_speed_kt": 200.0}]
    assert registers_of({"250": [data << 8 | 0x50]}) == [{"bds": "5,0", "ground_speed_kt": 200.0}]


def test_registers_of_a_real_recording_agree_with_asterix_decoder(shared):
    # Read once with asterix_decoder 0.7.11, which expands them itself: the first MB data of three records.
    from lapwing.sense.asterix.framing import Frame, read_frames
    from lapwing.sense.asterix.listing import Listed, list_records

    data = (shared / "data/asterix/croatiacontrol_cat_034_048.pcap").read_bytes()
    frames = [row for row in read_frames(data, "pcap") if isinstance(row, Frame)]
    found = [registers_of(row.items) for row in list_records(frames)
             if isinstance(row, Listed) and row.category == 48 and "250" in row.items]
    assert len(found) == 90
    assert found[9] == [{"bds": "6,0", "magnetic_heading_deg": 360 - 42.01171875, "indicated_airspeed_kt": 244.0,
                         "mach": 0.804, "barometric_rate_ft_per_min": 0.0, "inertial_rate_ft_per_min": 0.0}]
    assert found[27][0] == {"bds": "4,0", "selected_altitude_ft": 34_000.0, "selected_altitude_fms_ft": 34_000.0,
                            "pressure_setting_hpa": pytest.approx(1_013.3)}


def test_looking_only_where_a_register_may_stand_finds_the_same(shared):
    from lapwing.sense.asterix import framing
    from lapwing.sense.asterix.listing import Listed, list_records
    from lapwing.sense.asterix.registers import holding_items

    path = shared / "data/asterix/reader_network_068test_bds30.gps"
    data = path.read_bytes()
    rows = [row for row in list_records(framing.read_frames(data, framing.detect(data, path.name))) if isinstance(row, Listed)]
    assert rows and all(registers_of(row.items) == registers_of(row.items, row.category) for row in rows)
    assert holding_items(48) == {"250"} and "380" in holding_items(62) and not holding_items(34)
