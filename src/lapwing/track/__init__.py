"""Plots to tracks: `step` takes a batch, `finish` ends everything, `trajectory` smooths one track's life."""

from lapwing.track.engine import finish, step, trajectory
from lapwing.track.rows import concatenate
from lapwing.track.settings import Settings
from lapwing.track.state import State

__all__ = ["Settings", "State", "concatenate", "finish", "step", "trajectory"]
