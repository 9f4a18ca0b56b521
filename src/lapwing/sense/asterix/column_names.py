"""Names and units of the decoder's columns: category -> column -> where it comes from, and the factor to its unit.

A path names the item, then its sub-items. Factors turn the unit of the specification into that of the column's name.
Several paths for one column: the first that the edition knows. Codes and flags are numbers without a unit.
"""

from __future__ import annotations

import math

NM_M = 1_852.0                      # international nautical mile
FOOT_M = 0.3048
NMPS_MPS = 1_852.0                  # NM/s to m/s
DEG_RAD = math.pi / 180.0
FTMIN_MPS = 0.3048 / 60.0

Column = tuple[tuple[tuple[str, ...], ...], float]


def _column(*paths: str, factor: float = 1.0) -> Column:
    return tuple(tuple(path.split("/")) for path in paths), factor


def _mode3a(item: str) -> dict[str, Column]:
    return {"mode3a": _column(f"{item}/MODE3A"), "mode3a_invalid": _column(f"{item}/V"),
            "mode3a_garbled": _column(f"{item}/G")}


def _level(item: str, name: str = "FL") -> dict[str, Column]:
    return {"flight_level": _column(f"{item}/{name}"), "level_invalid": _column(f"{item}/V"),
            "level_garbled": _column(f"{item}/G")}


COLUMNS: dict[int, dict[str, Column]] = {
    1: {"time_of_day_s": _column("141"), "track": _column("020/TYP"), "sim": _column("020/SIM"),
        "detection": _column("020/SSRPSR"), "rab": _column("020/RAB"), "tst": _column("020/TST"),
        "range_m": _column("040/RHO", factor=NM_M), "azimuth_rad": _column("040/THETA", factor=DEG_RAD),
        "x_m": _column("042/X", factor=NM_M), "y_m": _column("042/Y", factor=NM_M),
        "ground_mps": _column("200/GSP", factor=NMPS_MPS), "heading_rad": _column("200/HDG", factor=DEG_RAD),
        "power_dbm": _column("131"), "track_number": _column("161"), **_mode3a("070"), **_level("090", "HGT")},
    2: {"time_of_day_s": _column("030"), "message": _column("000"), "sector_rad": _column("020", factor=DEG_RAD),
        "rotation_s": _column("041")},
    10: {"time_of_day_s": _column("140"), "message": _column("000"), "detection": _column("020/TYP"),
         "sim": _column("020/SIM"), "tst": _column("020/TST"), "rab": _column("020/RAB"),
         "on_ground": _column("020/GBS"), "range_m": _column("040/RHO"),
         "azimuth_rad": _column("040/TH", factor=DEG_RAD), "x_m": _column("042/X"), "y_m": _column("042/Y"),
         "latitude_rad": _column("041/LAT", factor=DEG_RAD), "longitude_rad": _column("041/LON", factor=DEG_RAD),
         "vx_mps": _column("202/VX"), "vy_mps": _column("202/VY"),
         "ground_mps": _column("200/GSP", factor=NMPS_MPS), "heading_rad": _column("200/TRA", factor=DEG_RAD),
         "x_m_sigma": _column("500/DEVX"), "y_m_sigma": _column("500/DEVY"),
         "height_m": _column("091", factor=FOOT_M), "icao_address": _column("220"),
         "callsign": _column("245/CHR"), "track_number": _column("161/TRK"), "coast": _column("170/CST"),
         **_mode3a("060"), **_level("090")},
    15: {"time_of_day_s": _column("145"), "message": _column("000/MT"), "target": _column("020/TTAX"),
         "terminated": _column("170/TUR"), "coast": _column("170/CSTP"),
         "latitude_rad": _column("600/P84/LATITUDE", factor=DEG_RAD),
         "longitude_rad": _column("600/P84/LONGITUDE", factor=DEG_RAD),
         "x_m_sigma": _column("600/HPP/SDHPX"), "y_m_sigma": _column("600/HPP/SDHPY"),
         "xy_correlation": _column("600/HPP/COSDHPXY"), "height_m": _column("601/GH"), "height_m_sigma": _column("601/SDGH"),
         "vx_mps": _column("602/HV/X"), "vy_mps": _column("602/HV/Y"), "range_m": _column("625/R"),
         "range_m_sigma": _column("625/SDR"), "azimuth_rad": _column("627/AZ", factor=DEG_RAD),
         "azimuth_rad_sigma": _column("627/SDASZ", factor=DEG_RAD), "track_number": _column("161")},
    19: {"time_of_day_s": _column("140"), "message": _column("000"), "nogo": _column("550/NOGO"),
         "site_latitude_rad": _column("600/LAT", factor=DEG_RAD),
         "site_longitude_rad": _column("600/LON", factor=DEG_RAD), "site_height_m": _column("610"),
         "undulation_m": _column("620")},
    20: {"time_of_day_s": _column("140"), "sim": _column("020/SIM"), "tst": _column("020/TST"),
         "rab": _column("020/RAB"), "on_ground": _column("020/GBS"), "x_m": _column("042/X"), "y_m": _column("042/Y"),
         "latitude_rad": _column("041/LAT", factor=DEG_RAD), "longitude_rad": _column("041/LON", factor=DEG_RAD),
         "vx_mps": _column("202/VX"), "vy_mps": _column("202/VY"), "height_m": _column("105", factor=FOOT_M),
         "x_m_sigma": _column("500/SDP/X"), "y_m_sigma": _column("500/SDP/Y"), "xy_correlation": _column("500/SDP/XY"),
         "height_m_sigma": _column("500/SDH"), "icao_address": _column("220"), "callsign": _column("245/CHR"),
         "track_number": _column("161/TRN"), **_mode3a("070"), **_level("090")},
    21: {"time_of_day_s": _column("071", "030"), "time_received_s": _column("073"), "time_sent_s": _column("077"),
         "sim": _column("040/SIM"), "tst": _column("040/TST"), "rab": _column("040/RAB"),
         "on_ground": _column("040/GBS"), "latitude_rad": _column("130/LAT", factor=DEG_RAD),
         "longitude_rad": _column("130/LON", factor=DEG_RAD), "fine_latitude_rad": _column("131/LAT", factor=DEG_RAD),
         "fine_longitude_rad": _column("131/LON", factor=DEG_RAD), "height_m": _column("140", factor=FOOT_M),
         "flight_level": _column("145"), "nacp": _column("090/NACP"), "nic": _column("090/NUCPNIC"),
         "nacv": _column("090/NUCRNACV"), "mops_version": _column("210/VN"),
         "ground_mps": _column("160/GS", factor=NMPS_MPS), "heading_rad": _column("160/TA", factor=DEG_RAD),
         "icao_address": _column("080"), "callsign": _column("170"), "mode3a": _column("070/MODE3A", "070"),
         "emitter": _column("020")},
    23: {"time_of_day_s": _column("070"), "message": _column("000"), "nogo": _column("100/NOGO"),
         "spoofed": _column("100/SPO")},
    34: {"time_of_day_s": _column("030"), "message": _column("000"), "sector_rad": _column("020", factor=DEG_RAD),
         "rotation_s": _column("041"), "nogo": _column("050/COM/NOGO"), "overload": _column("050/COM/OVLRDP"),
         "site_height_m": _column("120/HGT"),
         "site_latitude_rad": _column("120/LAT", factor=DEG_RAD),
         "site_longitude_rad": _column("120/LON", factor=DEG_RAD)},
    48: {"time_of_day_s": _column("140"), "detection": _column("020/TYP"), "sim": _column("020/SIM"),
         "rab": _column("020/RAB"), "tst": _column("020/TST"), "range_m": _column("040/RHO", factor=NM_M),
         "azimuth_rad": _column("040/THETA", factor=DEG_RAD), "x_m": _column("042/X", factor=NM_M),
         "y_m": _column("042/Y", factor=NM_M), "height_m": _column("110/3DH", factor=FOOT_M),
         "ground_mps": _column("200/GSP", factor=NMPS_MPS), "heading_rad": _column("200/HDG", factor=DEG_RAD),
         "psr_power_dbm": _column("130/PAM"), "ssr_power_dbm": _column("130/SAM"), "icao_address": _column("220"),
         "callsign": _column("240"), "track_number": _column("161/TRN"), **_mode3a("070"), **_level("090")},
    62: {"time_of_day_s": _column("070"), "sim": _column("080/SIM"),
         "latitude_rad": _column("105/LAT", factor=DEG_RAD), "longitude_rad": _column("105/LON", factor=DEG_RAD),
         "x_m": _column("100/X"), "y_m": _column("100/Y"), "vx_mps": _column("185/VX"), "vy_mps": _column("185/VY"),
         "height_m": _column("130", factor=FOOT_M), "flight_level": _column("136"),
         "tracked_level": _column("135/CTB"), "climb_mps": _column("220", factor=FTMIN_MPS),
         "x_m_sigma": _column("500/APC/X"), "y_m_sigma": _column("500/APC/Y"), "xy_m": _column("500/COV"),
         "latitude_rad_sigma": _column("500/APW/LAT", factor=DEG_RAD),
         "longitude_rad_sigma": _column("500/APW/LON", factor=DEG_RAD),
         "vx_mps_sigma": _column("500/ATV/X"), "vy_mps_sigma": _column("500/ATV/Y"),
         "icao_address": _column("380/ADR"), "derived_callsign": _column("380/ID"), "callsign": _column("245/CHR"),
         "mode3a": _column("060/MODE3A"), "track_number": _column("040"), "coast": _column("080/CST"),
         "track_end": _column("080/TSE"), "tentative": _column("080/CNF")},
    63: {"time_of_day_s": _column("030"), "sensor_sac": _column("050/SAC"), "sensor_sic": _column("050/SIC"),
         "nogo": _column("060/CON"), "time_bias_ms": _column("070")},
    65: {"time_of_day_s": _column("030"), "message": _column("000"), "batch": _column("020"), "nogo": _column("040/NOGO")},
    129: {"time_of_day_s": _column("070"), "latitude_rad": _column("080/LAT", factor=DEG_RAD),
          "longitude_rad": _column("080/LON", factor=DEG_RAD), "altitude_m_amsl": _column("090"),
          "accuracy_m": _column("110"), "vx_mps": _column("185/HVX"), "vy_mps": _column("185/HVY")},
    205: {"time_of_day_s": _column("030"), "message": _column("000"), "latitude_rad": _column("050/LAT", factor=DEG_RAD),
          "longitude_rad": _column("050/LON", factor=DEG_RAD), "x_m": _column("060/X"), "y_m": _column("060/Y"),
          "bearing_rad": _column("070", factor=DEG_RAD), "system_bearing_rad": _column("080", factor=DEG_RAD)},
}
