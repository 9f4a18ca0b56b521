"""The tutorial is executed: each `$ lapwing ...` line of docs/tutorial.md runs, and what it promises is printed."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


def steps() -> list[tuple[str, list[str]]]:
    """Return (command, lines that must be printed) of every console block, in order."""
    found: list[tuple[str, list[str]]] = []
    for block in BLOCK.findall((ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif line.strip() and not line.startswith("...") and found:
                found[-1][1].append(line.strip())
    return found


@pytest.mark.slow
def test_the_tutorial_runs_as_written(tmp_path):
    assert steps(), "docs/tutorial.md has no console block"
    env = dict(os.environ, PYTHONPATH=str(ROOT / "src"))
    for command, promised in steps():
        words = shlex.split(command)
        if words[0] == "cat":
            printed = (tmp_path / words[1]).read_text(encoding="utf-8")
        else:
            assert words[0] == "lapwing", f"the tutorial runs lapwing and cat only, not {words[0]!r}"
            done = subprocess.run([sys.executable, "-m", "lapwing", *words[1:]], cwd=tmp_path, env=env,
                                  capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, f"$ {command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
            printed = done.stdout + done.stderr
        for line in promised:
            pattern = ".*".join(re.escape(part.strip()) for part in line.split("..."))
            assert re.search(pattern, printed), f"$ {command}\ndid not print: {line}\nbut:\n{printed[-3000:]}"
