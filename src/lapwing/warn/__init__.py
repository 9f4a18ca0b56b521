"""Verdicts -> alerts: who must be told, when, in which words, until when. The engine proposes, a person decides."""

from lapwing.warn.stage import step
from lapwing.warn.state import Settings, State

__all__ = ["Settings", "State", "step"]
