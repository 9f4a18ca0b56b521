"""Entries for the tests of the sense stage: blocks encoded from items, received at a moment."""

import math

from lapwing.model.entries import ASTERIX, Entry
from lapwing.model.sensors import Sensor, SensorTable
from lapwing.model.times import from_iso
from lapwing.sense.asterix.encode import encode_block

DAY_NS = from_iso("2025-08-05T00:00:00Z")
SOURCE = {"SAC": 25, "SIC": 201}


def at(seconds):
    return DAY_NS + round(seconds * 1e9)


def entry(payload, received_s, sequence=0, link="udp://239.1.1.1:8600", format_=ASTERIX):
    return Entry(sequence, at(received_s), link, format_, payload)


def radar(sensor_id="tulcea", sac=25, sic=201, **more):
    known = {"latitude_rad": math.radians(45.19), "longitude_rad": math.radians(28.8), "height_m": 150.0,
             "rotation_s": 4.0}
    return Sensor(sensor_id, sac=sac, sic=sic, **(known | more))


def table(*sensors):
    return SensorTable(sensors or (radar(),))


def plot(time_s, theta=10.0, rho=20.0, **items):
    """Return one CAT048 primary plot as items; more items by keyword ``i090={...}``."""
    more = {key.removeprefix("i"): value for key, value in items.items()}
    record = {"010": SOURCE, "140": time_s, "020": {"TYP": 1}, "040": {"RHO": rho, "THETA": theta}, **more}
    return {key: value for key, value in record.items() if value is not None}


def block(*records, category=48):
    return encode_block(category, records)
