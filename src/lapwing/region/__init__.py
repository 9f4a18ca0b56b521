"""Region: of a country watched in parts, which part answers for a track, and under which number."""

from lapwing.region.area import Area, make_area
from lapwing.region.stage import Named, plots_near, step
from lapwing.region.state import State

__all__ = ["Area", "Named", "State", "make_area", "plots_near", "step"]
