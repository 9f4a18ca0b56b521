"""Stories and made-up nights, played into the octets that real sensors would send; and scores against what they expect.

`load_story` and `play` make a `Recording`; `scoring` compares outputs with a story; `scenes` makes nights to order.
"""

from lapwing.sim.recording import Recording, play
from lapwing.sim.story import Story, load_story, story_names

__all__ = ["Recording", "Story", "load_story", "play", "story_names"]
