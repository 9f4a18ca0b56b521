"""What is compiled for an installation reaches a user who has nothing yet, and never overwrites what a user has."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lapwing.runtime import environment

PROBE = "from lapwing.runtime.environment import prepare; import os; print(prepare()); print(os.environ['NUMBA_CACHE_DIR'])"


def fresh(monkeypatch, tmp_path, installed: bool):
    """Return (state folder, name of its kernels) of a user who has none, beside a prepared installation or a bare one."""
    monkeypatch.setattr(environment, "prepared_dir", lambda: tmp_path / "prefix")
    monkeypatch.setenv("LAPWING_STATE", str(tmp_path / "prefix"))
    environment.prepare()
    kernels = next((tmp_path / "prefix").glob("kernels-*"))
    (kernels / "module.nbi").write_bytes(b"compiled")
    (tmp_path / "prefix" / "packs").mkdir()
    (tmp_path / "prefix" / "packs" / "pack-1.npz").write_bytes(b"pack")
    if not installed:
        kernels.rename(tmp_path / "elsewhere")
    monkeypatch.setenv("LAPWING_STATE", str(tmp_path / "state"))
    return tmp_path / "state", kernels.name


def test_a_new_user_takes_over_what_is_prepared(monkeypatch, tmp_path):
    state, name = fresh(monkeypatch, tmp_path, installed=True)
    environment.prepare()
    assert (state / name / "module.nbi").read_bytes() == b"compiled"
    assert (state / "packs" / "pack-1.npz").read_bytes() == b"pack"
    assert [path.name for path in state.iterdir() if path.name.startswith(".")] == []


def test_what_a_user_has_stays(monkeypatch, tmp_path):
    state, name = fresh(monkeypatch, tmp_path, installed=True)
    (state / name).mkdir(parents=True)
    (state / name / "module.nbi").write_bytes(b"own")
    environment.prepare()
    assert (state / name / "module.nbi").read_bytes() == b"own"


def test_without_anything_prepared_the_folder_is_made(monkeypatch, tmp_path):
    state, name = fresh(monkeypatch, tmp_path, installed=False)
    environment.prepare()
    assert list((state / name).iterdir()) == []


@pytest.mark.parametrize("level", ["1", "3"])
def test_kernels_of_another_level_are_kept_apart(tmp_path, level):
    env = {**os.environ, "LAPWING_STATE": str(tmp_path), "NUMBA_OPT": level}
    env.pop("NUMBA_CACHE_DIR", None)
    out = subprocess.run([sys.executable, "-c", PROBE], env=env, capture_output=True, text=True, check=True).stdout.split()
    assert out[0] == str(tmp_path) and f"-opt{level}-" in out[1]


def test_other_sources_have_kernels_of_their_own(monkeypatch, tmp_path):
    """A kernel takes numbers and kernels from other files; what was compiled with the former ones must not be loaded."""
    monkeypatch.setenv("LAPWING_STATE", str(tmp_path))
    for digest in ("aaaa", "bbbb", "cccc", "dddd", "eeee", "ffff"):
        monkeypatch.setattr(environment, "sources_digest", lambda digest=digest: digest)
        environment.prepare()
        assert next(tmp_path.glob(f"kernels-*-{digest}")).is_dir()
    assert len(list(tmp_path.glob("kernels-*"))) == environment.KERNELS_KEPT


def test_every_package_with_kernels_is_in_the_digest():
    root = Path(environment.__file__).parents[1]
    holders = {path.relative_to(root).parts[0] for path in root.rglob("*.py")
               if re.search(r"^@(inner_)?kernel$", path.read_text(), re.MULTILINE)}
    assert holders <= set(environment.KERNEL_PACKAGES)


@pytest.mark.parametrize(("file", "counts"), [
    ("track/kernels_group.py", True),          # a kernel
    ("track/columns.py", True),                # numbers that kernels take
    ("geo/jit.py", True),                      # how they are compiled
    ("track/engine.py", False),                # calls kernels; nothing of it is compiled into one
    ("judge/stage.py", False),
])
def test_only_what_kernels_are_made_of_is_in_the_digest(monkeypatch, tmp_path, file, counts):
    """Else every change of a sentence would cost two minutes of compiling."""
    root = tmp_path / "lapwing"
    shutil.copytree(Path(environment.__file__).parents[1], root, ignore=shutil.ignore_patterns("__pycache__", "static"))
    monkeypatch.setattr(environment, "__file__", str(root / "runtime/environment.py"))
    before = environment.sources_digest()
    with (root / file).open("a") as out:
        out.write("\n# more\n")
    assert (environment.sources_digest() != before) == counts
