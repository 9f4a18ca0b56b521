"""Find country packs on disk, read them, and keep their compiled form in a cache folder.

Looked for, in this order: a folder that is named outright; the folders of LAPWING_PACKS; `lapwing_packs` beside the
installed package; `packs/` at the root of the repository.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tomllib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from lapwing.country import compile_pack, load_pack, load_territory, pack_sha256
from lapwing.country.compiled import read_compiled, read_value, write_compiled
from lapwing.country.geometry import read_territory, read_zones
from lapwing.country.pack import Pack, Zone
from lapwing.geo.areas import Areas
from lapwing.geo.border import Territory
from lapwing.model.errors import ConfigError

ENVIRONMENT = "LAPWING_PACKS"
OWN = ("pack.toml", "territory.geojson", "zones.geojson", "places.csv")
COMMON, OUTLINES, DISPLAY = "common", "outlines", "display"
FILE_OCTETS_MAX = 200_000_000


@dataclass(frozen=True, slots=True)
class PackPlace:
    """A pack that was found."""

    code: str
    name: str            # in English
    version: str
    folder: Path


def pack_roots() -> tuple[Path, ...]:
    """Return the folders that hold packs, in the order in which they are asked."""
    source = Path(__file__).resolve().parents[1]                     # .../lapwing
    roots = [Path(part) for part in os.environ.get(ENVIRONMENT, "").split(os.pathsep) if part]
    roots += [source.parent / "lapwing_packs", source.parents[1] / "packs"]
    return tuple(root for root in roots if root.is_dir())


def list_packs() -> tuple[PackPlace, ...]:
    """Return the packs that can be named by their code, sorted by code; the first root that has one counts."""
    found: dict[str, PackPlace] = {}
    for root in pack_roots():
        for folder in sorted(root.iterdir()):
            place = _place(folder) if (folder / "pack.toml").is_file() else None
            if place is not None:
                found.setdefault(place.code, place)
    return tuple(found[code] for code in sorted(found))


def _place(folder: Path) -> PackPlace | None:
    try:
        table = tomllib.loads((folder / "pack.toml").read_text("utf-8-sig"))
        return PackPlace(str(table["code"]), str(table.get("names", {}).get("en", table["code"])),
                         str(table.get("version", "")), folder)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError):
        # A broken pack is not listed; asked for by name it is read and the mistake told.
        return PackPlace(folder.name.upper(), folder.name, "", folder) if len(folder.name) == 2 else None


def find_pack(code_or_path: str) -> dict[str, bytes]:
    """Return the files of a pack, name -> octets: its own, its texts and the texts all packs share.

    Parameters
    ----------
    code_or_path : ISO 3166-1 alpha-2 code in any case, or the path of a pack's folder

    Raises
    ------
    ConfigError naming the known codes where there is none such
    """
    return _read_folder(_folder(code_or_path))


def _folder(code_or_path: str) -> Path:
    path = Path(code_or_path)
    if path.is_dir() and (path / "pack.toml").is_file():
        return path
    if len(code_or_path) == 2:
        for place in list_packs():
            if place.code == code_or_path.upper():
                return place.folder
    known = ", ".join(place.code for place in list_packs()) or "none found"
    remedy = f"known: {known}; or give the folder of a pack, or set {ENVIRONMENT} to the folder that holds packs"
    if path.is_dir():
        raise ConfigError(f"{code_or_path} holds no pack.toml", where="country", remedy=remedy)
    raise ConfigError(f"no country pack {code_or_path!r}", where="country", remedy=remedy)


def _read_folder(folder: Path) -> dict[str, bytes]:
    files = {name: _read(folder / name) for name in OWN if (folder / name).is_file()}
    for text in sorted((folder / "texts").glob("*.toml")):
        files[f"texts/{text.name}"] = _read(text)
    for root in (folder.parent, *pack_roots()):
        shared = sorted((root / COMMON / "texts").glob("*.toml"))
        if shared:
            files.update({f"{COMMON}/texts/{text.name}": _read(text) for text in shared})
            break
    return files


def _read(path: Path) -> bytes:
    size = path.stat().st_size
    if size > FILE_OCTETS_MAX:
        raise ConfigError(f"has {size} octets, the limit is {FILE_OCTETS_MAX}", where=str(path),
                          remedy="simplify the file")
    return path.read_bytes()


def load_country(code_or_path: str, cache_dir: Path | None = None) -> Pack:
    """Return the checked pack of a country; its compiled form is kept in `cache_dir` where one is given.

    A message about a mistake in the pack names its folder.
    """
    folder = _folder(code_or_path)
    files = _read_folder(folder)
    sha256 = pack_sha256(files)
    cache = None if cache_dir is None else cache_dir / f"pack-{sha256[:32]}.npz"
    ready = read_compiled(data, sha256) if (data := _cached(cache)) is not None else None
    if ready is not None:
        return ready
    try:
        pack = load_pack(files)
    except ConfigError as error:
        raise ConfigError(error.what, where=f"{folder}{os.sep}{error.where}", remedy=error.remedy) from error
    if cache is not None:      # also over a file that another version of Lapwing wrote, or a damaged one
        _keep(cache, compile_pack(pack))
    return pack


def _cached(cache: Path | None) -> bytes | None:
    try:
        return cache.read_bytes() if cache is not None and cache.is_file() else None
    except OSError:
        return None


def _keep(cache: Path, data: bytes) -> None:
    """Write a cache file whole or not at all; a folder that cannot be written only costs the next start some time."""
    part = cache.with_suffix(f".{os.getpid()}.part")
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        part.replace(cache)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()


def load_outlines(cache_dir: Path | None = None, only: Collection[str] | None = None) -> dict[str, Territory]:
    """Return the territory of every country that is known, by code, sorted: of all packs, and of outlines alone.

    `only` names the codes wanted; those that are not known are left out.
    """
    found: dict[str, Territory] = {}
    for place in list_packs():
        if only is None or place.code in only:
            found[place.code] = _territory(place.folder, cache_dir)
    for root in pack_roots():
        for path in sorted((root / OUTLINES).glob("??.geojson")):
            if path.stem.upper() not in found and (only is None or path.stem.upper() in only):
                territory = _outline(path, cache_dir)
                found.setdefault(territory.code, territory)
    return {code: found[code] for code in sorted(found)}


def display_files() -> dict[str, bytes]:
    """Return land and water for the picture, name -> octets; empty where none are installed. Never judged with."""
    for root in pack_roots():
        folder = root / DISPLAY
        if folder.is_dir():
            return {path.name: _read(path) for path in sorted(folder.glob("*.geojson"))}
    return {}


def load_outline_zones(code: str) -> tuple[tuple[Zone, ...], Areas] | None:
    """Return the level-1 units of a country that has an outline and no pack; None where none are known."""
    for root in pack_roots():
        path = root / OUTLINES / f"{code.lower()}.zones.geojson"
        if path.is_file():
            return read_zones(str(path), _read(path), code, "en")
    return None


def _territory(folder: Path, cache_dir: Path | None) -> Territory:
    """Return the territory of a pack with its bounds, without the rest of the pack."""
    files = {name: _read(folder / name) for name in OWN[:2] if (folder / name).is_file()}

    def build() -> Territory:
        return load_territory(files)

    try:
        return _compiled(pack_sha256(files), build, cache_dir)
    except ConfigError as error:
        raise ConfigError(error.what, where=f"{folder}{os.sep}{error.where}", remedy=error.remedy) from error


def _outline(path: Path, cache_dir: Path | None) -> Territory:
    data = _read(path)
    sha256 = hashlib.sha256(data).hexdigest()
    return _compiled(sha256, lambda: read_territory(str(path), data, sha256), cache_dir)


def _compiled(key: str, build: Callable[[], Territory], cache_dir: Path | None) -> Territory:
    cache = None if cache_dir is None else cache_dir / f"outline-{key[:32]}.npz"
    data = _cached(cache)
    ready = read_value(data) if data is not None else None
    if isinstance(ready, Territory):
        return ready
    territory = build()
    if cache is not None:
        _keep(cache, write_compiled(territory))
    return territory
