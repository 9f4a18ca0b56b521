"""Runs a source through the chain into a folder, and proves a journal by running its input again."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from lapwing import __version__, pipeline
from lapwing.adapters import parquet_out
from lapwing.adapters.sqlite_log import SqliteLog
from lapwing.model.errors import InputError, StorageError
from lapwing.model.ports import Batch, Output
from lapwing.model.sensors import SensorTable
from lapwing.record import codec
from lapwing.runtime.batches import Batcher
from lapwing.runtime.environment import state_dir
from lapwing.runtime.opening import Opened
from lapwing.runtime.outputs import outputs_of
from lapwing.runtime.played import Cast
from lapwing.runtime.runner import Counts, Observer, Runner
from lapwing.runtime.site_region import region_of_fact
from lapwing.runtime.wiring import Country, load_country, make_setup, with_policy
from lapwing.sense.asterix.edition_names import edition_texts, parse_editions

JOURNAL = "journal.sqlite"
# In a replay the source is still there after a crash, so batches may share a transaction: the run resumes before them.
COMMIT_EVERY = 100
# A batch of a story: about one turn of a surveillance radar (4 to 12 s), so a thing is told at most a turn later than it would be live.
# The cost of a batch hardly depends on what is in it: a story of 50 minutes takes a quarter of the time of batches of a second.
STORY_WINDOW_S = 6.0
# Of a recording, whose radar may turn once a second: the tracks file has a row of a track and batch.
RECORDING_WINDOW_S = 2.0


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run."""

    folder: Path
    counts: Counts
    resumed_batches: int
    files: tuple[Path, ...]


def usual_window_s(opened: Opened) -> float:
    """Return the length of a batch where nobody watches."""
    return RECORDING_WINDOW_S if opened.recording is None else STORY_WINDOW_S


def run_to_folder(opened: Opened, folder: Path, country: Country | None, *, cast: Cast | None, status: str = "Exercise",
                  window_s: float | None = None, observers: Sequence[Observer] = (),
                  before_batch: Callable[[Batcher], None] | None = None) -> Run:
    """Run a source through the chain and leave all outputs in a folder; an unfinished run there is resumed.

    Raises StorageError where the folder holds the journal of another source, or cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if window_s is None:
        window_s = usual_window_s(opened)
    setup = make_setup(opened.sensors, country, status=status, editions=opened.editions)
    log = SqliteLog(folder / JOURNAL, synchronous="NORMAL", commit_every=COMMIT_EVERY)
    try:
        log.set_meta(meta_of(opened, country, cast, status, window_s))
        runner = Runner(setup, log, cast=cast, window_s=window_s, observers=observers)
        runner.run(opened.items, before_batch=before_batch)
    finally:
        log.close()
    return Run(folder, runner.counts, runner.resumed_batches, write_outputs(folder, country))


def meta_of(opened: Opened, country: Country | None, cast: Cast | None, status: str, window_s: float) -> dict[str, str]:
    """Return what a journal must say of its run so that the run can be done again."""
    meta = {"lapwing": __version__, "source": opened.title, "source_sha256": opened.sha256, "status": status,
            "window_s": repr(window_s), "sensors": codec.encode(opened.sensors).hex(),
            "cast": codec.encode(cast).hex()}
    chosen = edition_texts(opened.editions)
    if chosen:
        meta["editions"] = json.dumps(chosen)
    if country is not None:
        meta |= {"country": country.pack.code, "country_sha256": country.pack.sha256,
                 "country_version": country.pack.version}
    return meta


def setup_of(meta: dict[str, str], country_name: str | None = None) -> tuple[pipeline.Setup, Country | None]:
    """Return the setup of a journaled run. Raises StorageError where its country pack is not the one it was made with."""
    sensors = codec.decode(bytes.fromhex(meta["sensors"]))
    assert isinstance(sensors, SensorTable), "the journal's sensors are a table: its meta is sealed"
    country = None
    if "country" in meta:
        country = load_country(country_name or meta["country"], state_dir())
        if country.pack.sha256 != meta["country_sha256"]:
            raise StorageError(f"the country pack here has sha256 {country.pack.sha256[:12]}, the journal was made with "
                               f"{meta['country_sha256'][:12]} (version {meta['country_version']})",
                               where=f"country {meta['country']}",
                               remedy="name the folder of that version in LAPWING_PACKS")
        if "policy" in meta:
            country = with_policy(country, json.loads(meta["policy"]))
    allow = tuple((int(sac), int(sic)) for sac, sic in json.loads(meta.get("allow", "[]")))
    own = tuple((int(sac), int(sic)) for sac, sic in json.loads(meta.get("own", "[]")))
    people = tuple((str(name), str(role)) for name, role in json.loads(meta.get("people", "[]")))
    editions = parse_editions(json.loads(meta.get("editions", "[]")))
    judge = codec.decode(bytes.fromhex(meta["judge"])) if "judge" in meta else None
    return make_setup(sensors, country, status=meta["status"], allow=allow, editions=editions, judge=judge,
                      people=people, own=own, region=region_of_fact(meta["region"]) if "region" in meta else None), country


def initial_state(meta: dict[str, str]) -> pipeline.State:
    """Return the state that a journal begins with: empty, or for a segment of a live site the one it goes on from."""
    if "initial_state" not in meta:
        return pipeline.State()
    state = codec.decode(bytes.fromhex(meta["initial_state"])).state
    assert isinstance(state, pipeline.State), "a journal's initial state is one: its meta is sealed"
    return state


@dataclass(frozen=True, slots=True)
class Equality:
    """Whether running a journal's input again gives its outputs."""

    batches: int
    outputs: int
    differences: tuple[str, ...]     # where, and which kind; the first twenty


def stepped_again(setup: pipeline.Setup, batches: Iterator[Batch], state: pipeline.State,
                  ) -> Iterator[tuple[Batch, pipeline.Outcome, list[Output]]]:
    """Step batches through the pipeline from the state that they began with."""
    for batch in batches:
        state, outcome = pipeline.step(state, batch.entries, setup)
        yield batch, outcome, outputs_of(outcome)


def verify_replay(path: Path) -> Equality:
    """Run the input of a journal again and compare every output octet by octet. Raises StorageError, ConfigError."""
    log = SqliteLog(path, read_only=True)
    try:
        setup, _ = setup_of(log.meta())
        stored: dict[int, list[Output]] = {}
        for number, output in log.outputs():
            stored.setdefault(number, []).append(output)
        batches = outputs = 0
        found: list[str] = []
        for batch, _, made in stepped_again(setup, log.read(), initial_state(log.meta())):
            batches += 1
            outputs += len(made)
            for was, now in zip_longest(stored.get(batch.number, []), made):
                if was != now and len(found) < 20:
                    kinds = f"{was.kind if was else 'nothing'} stored, {now.kind if now else 'nothing'} made"
                    found.append(f"batch {batch.number}: {kinds}, {'octets differ' if was and now else 'one is missing'}")
        return Equality(batches, outputs, tuple(found))
    finally:
        log.close()


def replay_journal(path: Path, folder: Path, observers: Sequence[Observer] = ()) -> Run:
    """Run a journal's input again into a new folder, batch by batch as it was. Raises StorageError, InputError."""
    if folder.resolve() == path.resolve().parent:
        raise InputError("the journal's own folder", where=f"--out {folder}", remedy="name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    old = SqliteLog(path, read_only=True)
    new = SqliteLog(folder / JOURNAL, synchronous="NORMAL", commit_every=COMMIT_EVERY)
    counts = Counts()
    try:
        if new.last_batch() >= 0:
            raise StorageError("holds a journal already", where=str(folder), remedy="name an empty folder")
        setup, country = setup_of(old.meta())
        new.set_meta(old.meta())
        for batch, outcome, outputs in stepped_again(setup, old.read(), initial_state(old.meta())):
            new.append(batch)
            new.commit(batch.number, outputs)
            counts.add(batch, outcome)
            for observer in observers:
                observer(outcome, outputs)
    finally:
        new.close()
        old.close()
    return Run(folder, counts, 0, write_outputs(folder, country))


def write_outputs(folder: Path, country: Country | None) -> tuple[Path, ...]:
    """Write every output file from the journal in the folder; return their paths."""
    log = SqliteLog(folder / JOURNAL, read_only=True)
    try:
        return tuple(parquet_out.write_folder(folder, log, country.pack if country is not None else None))
    finally:
        log.close()


def say(text: str) -> None:
    """Say something about the run itself, apart from its results."""
    print(text, file=sys.stderr, flush=True)
