"""Stories and made-up nights, played into the octets that real sensors would send; and scores against what they expect.

`load_story` and `play` make a `Recording`; `score_story` compares outputs with its story; `scenes` makes
nights to order.
"""

from lapwing.sim.recording import Recording, play
from lapwing.sim.scoring import Check, score_story
from lapwing.sim.story import Story, load_story, story_names

__all__ = ["Check", "Recording", "Story", "load_story", "play", "score_story", "story_names"]
