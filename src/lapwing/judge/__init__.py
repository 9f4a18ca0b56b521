"""judge: how close each object comes to the protected territory, whether it entered, when, and how sure that is."""

from lapwing.judge.blind import with_blind
from lapwing.judge.conclude import judge_trajectory
from lapwing.judge.settings import Settings
from lapwing.judge.stage import finish, named, step
from lapwing.judge.state import State

__all__ = ["Settings", "State", "finish", "judge_trajectory", "named", "step", "with_blind"]
