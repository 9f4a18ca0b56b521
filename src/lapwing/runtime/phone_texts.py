"""The longest text that each phone template of a country pack can give, also of a pack that is refused for it."""

from __future__ import annotations

from lapwing.adapters import packs
from lapwing.runtime.environment import state_dir
from lapwing.warn.cell_broadcast_templates import Worst, worst_cases


def phone_texts(code_or_path: str) -> list[Worst]:
    """Return them. Raises ConfigError where there is no such pack."""
    return list(worst_cases(packs.load_country(code_or_path, state_dir() / "packs")))
