"""share: notices to allies and neighbours, with release marking; they expire and are acknowledged."""

from lapwing.share.stage import step
from lapwing.share.state import State

__all__ = ["State", "step"]
