"""The working copy of the stage's memory: what grows while the entries of one step are worked through."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lapwing.model.sensors import SensorTable
from lapwing.sense.drafts import Refusals
from lapwing.sense.state import SenseSetup, State


@dataclass(slots=True)
class Work:
    """Everything a reader may change. `memory` holds what a format keeps between steps, by its name."""

    sensors: SensorTable
    refusals: Refusals
    rotation_s: dict[int, float]
    north_ns: dict[int, int]
    last_ns: dict[int, int]
    link_source: dict[str, tuple[int, int]]
    told: set[str]
    memory: dict[str, Any]
    record_count: int = 0
    lies: dict[int, int] = field(default_factory=dict)         # sensor row -> plots of this step not believed
    truths: dict[int, int] = field(default_factory=dict)       # sensor row -> plots of this step that were
    delay_ns: list[Any] = field(default_factory=list)          # (sensor_index, received less measured) of this step
    owned: set[str] = field(default_factory=set)               # memories that are already this step's own

    def own(self, name: str) -> dict[Any, Any]:
        """Return a memory, copied at its first use in a step: what an earlier state holds never changes."""
        if name not in self.owned:
            self.owned.add(name)
            self.memory[name] = dict(self.memory.get(name, {}))
        found: dict[Any, Any] = self.memory[name]
        return found

    def own_places(self) -> dict[int, tuple[int, float, float, float, int]]:
        """Return the last place of each aircraft that names itself."""
        return self.own("places")


def begin(state: State, setup: SenseSetup) -> Work:
    """Return the working copy of a state."""
    return Work(state.sensors or setup.sensors, Refusals(), dict(state.rotation_s), dict(state.north_ns),
                dict(state.last_ns), dict(state.link_source), set(state.told), dict(state.memory))
