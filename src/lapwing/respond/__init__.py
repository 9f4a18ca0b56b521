"""respond: the patrol log, sightings and impact points that people report."""

from lapwing.respond.stage import State, step

__all__ = ["State", "step"]
