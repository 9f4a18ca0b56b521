"""Sense: octets in, plots out. Open `step`, then `formats` (the table of readers) and `reports` (record to plot)."""

from lapwing.sense.state import SenseSetup, State
from lapwing.sense.step import step

__all__ = ["SenseSetup", "State", "step"]
