"""Where Lapwing keeps what it may lose: compiled kernels and compiled country packs.

What is compiled once for an installation (`lapwing prepare`, which `./run` calls at set-up) lies in the environment itself
and is taken over by a state folder that has none, so that a new user, service account or container compiles nothing.

`prepare` must run before the first kernel is imported, because Numba reads its cache folder when it is imported. The
folder carries the versions that matter and a digest of the sources, so an update never loads another version's machine code:
Numba itself looks at the file of a kernel alone, not at the kernels and numbers that this one takes from other files.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from lapwing import __version__
from lapwing.model.errors import StorageError

# LLVM's level for the kernels: 1 compiles in 0.7 of the time of 3 (39 s against 56 s for the whole chain), runs as fast (decoder 9.7 M
# records/s against 7.5 M, border 665,000 points/s against 674,000), and gives the same bits: no level may reorder floating point.
LEVEL = "1"
KERNEL_PACKAGES = ("geo", "judge", "sense", "track", "warn")
_KERNEL = re.compile(rb"^@(inner_)?kernel\b", re.MULTILINE)
_IMPORTED = re.compile(rb"^\s*from (lapwing[\w.]*) import (\([^)]*\)|[^\n]*)", re.MULTILINE)
KERNELS_KEPT = 4         # folders of compiled kernels: of so many versions of the sources


def state_dir() -> Path:
    """Return the state folder: LAPWING_STATE, else XDG_CACHE_HOME/lapwing, else ~/.cache/lapwing, else a temporary one."""
    named = os.environ.get("LAPWING_STATE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        folder = Path(base) if base else Path.home() / ".cache"
    except RuntimeError:  # no home folder: a service account
        folder = Path(tempfile.gettempdir())
    return folder / "lapwing"


def sources_digest() -> str:
    """Return a short digest of all sources that kernels are made of: their files, what these import, and so on."""
    root, digest = Path(__file__).resolve().parents[1], hashlib.sha256()
    texts = {path: path.read_bytes() for package in KERNEL_PACKAGES for path in sorted((root / package).rglob("*.py"))}
    waiting, found = [path for path, text in texts.items() if _KERNEL.search(text)], dict[Path, bytes]()
    while waiting:
        path = waiting.pop()
        found[path] = text = texts.get(path) or path.read_bytes()
        for module, names in _IMPORTED.findall(text):
            base = root.joinpath(*module.decode().split(".")[1:])
            tried = (base.with_suffix(".py"), *(base / f"{name.decode()}.py" for name in re.findall(rb"\w+", names)))
            waiting += [each for each in tried if each not in found and each not in waiting and each.is_file()]
    for path in sorted(found):
        digest.update(path.relative_to(root).as_posix().encode() + b"\n" + found[path])
    return digest.hexdigest()[:10]


def _forget_old(folder: Path) -> None:
    """Remove the compiled kernels of former sources, all but the newest few."""
    found = sorted(folder.glob("kernels-*"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in found[KERNELS_KEPT:]:
        shutil.rmtree(path, ignore_errors=True)


def prepared_dir() -> Path:
    """Return the folder of this environment for what is compiled once for all its users."""
    return Path(sys.prefix) / "share" / "lapwing" / "prepared"


def _take_over(folder: Path, kernels: Path) -> None:
    """Fill a state folder that has no kernels of this version with the prepared ones and the compiled country packs.

    Numba takes a kernel only where source, version and processor are the ones that it was compiled for.
    """
    source = prepared_dir()
    if kernels.exists() or source == folder or not (source / kernels.name).is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{kernels.name}-{os.getpid()}"
    shutil.copytree(source / kernels.name, part)
    packs = folder / "packs"
    packs.mkdir(exist_ok=True)
    for path in sorted((source / "packs").glob("*.npz")):
        if not (packs / path.name).exists():
            try:
                os.link(path, packs / path.name)       # tens of megabytes that nobody changes
            except OSError:                            # another file system
                shutil.copyfile(path, packs / path.name)
    try:
        part.rename(kernels)
    except OSError:                  # another process was first
        shutil.rmtree(part, ignore_errors=True)


def prepare() -> Path:
    """Make the state folder and point Numba at the versioned kernel cache in it; return the state folder.

    Raises StorageError only where LAPWING_STATE names a folder that cannot be written; the default falls back to a
    temporary folder, which costs a compilation at every start and nothing else.
    """
    folder = state_dir()
    level = os.environ.setdefault("NUMBA_OPT", LEVEL) if "numba" not in sys.modules else os.environ.get("NUMBA_OPT", "3")
    kernels = folder / (f"kernels-{__version__}-py{sys.version_info.major}.{sys.version_info.minor}"
                        f"-numba{metadata.version('numba')}-opt{level}-{sources_digest()}")
    try:
        _take_over(folder, kernels)
        if not kernels.exists():
            kernels.mkdir(parents=True, exist_ok=True)
            _forget_old(folder)
        probe = kernels / f".probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        if "LAPWING_STATE" in os.environ:
            raise StorageError(f"cannot write: {error.strerror}", where=str(folder),
                               remedy="free space, change its owner, or name another folder in LAPWING_STATE") from error
        folder = Path(tempfile.mkdtemp(prefix="lapwing-"))
        kernels = folder / "kernels"
        kernels.mkdir()
    if "numba" not in sys.modules:
        os.environ["NUMBA_CACHE_DIR"] = str(kernels)      # over one that is set: it may hold kernels of other sources
    return folder
