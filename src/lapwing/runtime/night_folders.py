"""Folders of scored nights: a seed each, made once, so that many nights can be run in pieces."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lapwing.model.errors import InputError


def same_setup(folder: Path, setup: Mapping[str, Any]) -> None:
    """Refuse a folder that holds another night under the same seed."""
    kept = folder / "night.json"
    if kept.exists():
        if json.loads(kept.read_text(encoding="utf-8")) != setup:
            raise InputError("holds a night made in another way", where=str(folder), remedy="name another folder with --out")
        return
    folder.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(setup) + "\n", encoding="utf-8")
