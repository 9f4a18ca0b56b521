"""Plots to tracks: `step` takes a batch, `finish` ends everything, `trajectory` smooths one track's life."""

from lapwing.track.engine import clutter_maps, finish, step, trajectory, with_clutter
from lapwing.track.learned import ClutterMap
from lapwing.track.rows import concatenate
from lapwing.track.settings import Settings
from lapwing.track.state import State, fits
from lapwing.track.timing import told as told_clocks

__all__ = ["ClutterMap", "Settings", "State", "clutter_maps", "concatenate", "finish", "fits", "step", "told_clocks",
           "trajectory", "with_clutter"]
