"""``lapwing run``: links, loop, journal, channels, health and the service manager, joined up; starts, reloads, stops in order."""

from __future__ import annotations

import gc
import json
import threading
import time
from collections import deque
from collections.abc import Callable

import numpy as np

from lapwing import pipeline
from lapwing.adapters.nats_link import parse_target
from lapwing.adapters.outbox_store import OutboxStore
from lapwing.adapters.systemd import Notifier
from lapwing.model.errors import ConfigError, InputError, LapwingError, StorageError
from lapwing.model.ports import Output
from lapwing.model.sensed import SensorHealth
from lapwing.model.times import to_iso
from lapwing.runtime import sensor_health
from lapwing.runtime.archiving import keepers_of
from lapwing.runtime.deliver import Heart
from lapwing.runtime.environment import state_dir
from lapwing.runtime.first_look import FirstLook
from lapwing.runtime.handover import hand_over, hand_over_recovered
from lapwing.runtime.health import Health, Report, resident_octets
from lapwing.runtime.intake import Intake
from lapwing.runtime.latency import Latency
from lapwing.runtime.links import Link, link_rows
from lapwing.runtime.live import Live
from lapwing.runtime.logs import Log
from lapwing.runtime.outbox import Outbox, Postmen
from lapwing.runtime.probe import TURNS, Probe, Probed
from lapwing.runtime.regions import Regions
from lapwing.runtime.register_process import RegisterProcess
from lapwing.runtime.runner import Observer
from lapwing.runtime.site_config import Site, require_site
from lapwing.runtime.site_facts import channels_of, facts_of, setup_of_site
from lapwing.runtime.stall import StallWatch
from lapwing.runtime.standby import Standby
from lapwing.runtime.steady import SteadyClock
from lapwing.runtime.upstream import Upstream
from lapwing.runtime.vitals import problems, samples
from lapwing.runtime.wiring import load_country
from lapwing.runtime.zone_seal import ZoneWatch

REPORT_EVERY_S = 0.5
TIDY_EVERY_S = 60.0
_NEVER = 1_000_000
JOURNALED_S_MAX = 5.0       # how long a person's entry may wait until it is durable


class Service:
    """A live site at work. `start`, then `run` until `stop` is called from a signal handler or another thread."""

    def __init__(self, site: Site, *, log: Log | None = None, clock: SteadyClock | None = None) -> None:
        self.site = site
        self.clock = clock or SteadyClock(time.time_ns, time.monotonic_ns, site.limits.clock_step_s)
        self.say = log or Log(self.clock)
        self.health = Health()
        self.country = load_country(site.country, state_dir()) if site.country else None
        self.intake = Intake(entries_max=site.limits.queue_entries, octets_max=site.limits.queue_octets)
        setup, facts = setup_of_site(site, self.country), facts_of(site, self.country)
        self._probe = Probe(setup)
        self.upstream = Upstream(parse_target(site.log), site.log_credentials, site.data / "journal", self.say) if site.log else None
        self.live = Live(self.upstream or site.data / "journal", setup, facts, self.intake, self.clock, self.say,
                         window_s=site.window_s, checkpoint_s=site.limits.checkpoint_s, daily=self.upstream is None)
        self.standby = Standby(self.upstream, self.live, site.data / "journal", self.say) if self.upstream else None
        self.store = OutboxStore(site.data / "outbox.sqlite")
        channels = channels_of(site)
        self.outbox = Outbox(self.store, channels, clock=self.clock, say=lambda text: self.say("error", text),
                             news=lambda text: self.say("info", text))
        self.postmen = Postmen(self.outbox)
        self.heart = Heart(channels, lambda text: self.say("error", text))
        self.links: dict[str, Link] = {}
        self._look = FirstLook(self.intake, {link.url: link.name for link in site.links}, site.sensors, self.say)
        self.zone_watch = ZoneWatch(site.zones, self.country.pack if self.country else None, site.country, self.clock)
        self.notifier = Notifier()
        self.keepers = keepers_of(site, self.clock, self.say)
        self.register = RegisterProcess(site.database, site.data, has_journal=self.upstream is None, say=self.say)
        self.regions = Regions(site.region, self.intake, self.clock, self.say) if site.region.name else None
        self.stall = StallWatch(site.limits.stall_s, self.say)
        self.stopping, self._reloading = threading.Event(), threading.Event()
        self._probed_s, self._probe_due_s, self.probe_problem, self.probe_took_s = 0.0, 0.0, "not finished yet", 0.0
        self._fed_s = self._reported_s = self._tidied_s = self.begun_s = self.turned_s = 0.0
        self.turn_s = 0.0
        self.turns: deque[tuple[float, float]] = deque(maxlen=2_000)    # (when, how long) of the last minutes
        self.to_track, self.to_proposal = Latency("lapwing_plot_to_track_seconds"), Latency("lapwing_plot_to_proposal_seconds")
        self.alerts = 0
        self.degraded: dict[str, str] = {}
        self._since: dict[str, int] = {}
        self.tracks = (0, 0)
        self.sensors: tuple[SensorHealth, ...] = ()
        self.reload_problem = ""
        self.troubles: list[Callable[[], dict[str, str]]] = []    # degraded modes of what stands around the service
        self.is_writer = self.upstream is None      # of a journal in a cluster: once the lease is ours
        self.stop_reason = ""

    # Life

    def start(self, observers: tuple[Observer, ...] = ()) -> bool:
        """Open the links, make the kernels ready, recover the journal; with a journal in a cluster, stand by until this is the writer.

        Returns False where it was stopped while it stood by. Raises LapwingError where the site cannot run.
        """
        self.live.observers = [self._observe, *observers]
        self.live.retold = list(observers)
        self.register.start()
        try:
            self.listen()
            return self._recover()
        except BaseException:
            self.close_links()
            raise
        finally:
            self._look.stop()

    def listen(self) -> None:
        """Open the links: what comes in from now on waits, and is looked at with the kernels' plain twin until they are ready.

        A standby has none: its links would take what the writer is sent.
        """
        if not self.links and self.is_writer:
            self._open_links()
            for link in self.links.values():
                link.start()
            self._look.start()

    def close_links(self) -> None:
        """Close the links."""
        for link in self.links.values():
            link.close()

    def _recover(self) -> bool:
        # The first aircraft compiles or loads every kernel: before a turn waits for it.
        for _ in range(TURNS):
            self._probed(self._probe.step(self.clock()))
        if self.standby is not None:
            self.notifier.tell(READY=1, STATUS=f"{self.site.name}: standing by")
            if not self.standby.wait(self.stopping.is_set, self._stand):
                self._close()
                return False
            self.is_writer = True
            self.listen()
        self.live.recover(self.store.mark())
        if self.live.recovered_batches:
            self.say("notice", f"recovered: {self.live.recovered_batches} batches stepped again after the newest checkpoint")
        self.alerts += hand_over_recovered(self.outbox, self.store, self.live.recovered_outputs)
        self.live.recovered_outputs.clear()
        self.postmen.start()
        self.heart.start()
        if self.regions is not None:
            self.regions.start()
        return True

    def _stand(self) -> None:
        """Show that a standby lives."""
        self.turned_s = time.monotonic()
        self._step_probe()
        if self.turned_s - self._reported_s >= REPORT_EVERY_S:
            self._report()

    def _step_probe(self) -> None:
        if self.turned_s >= self._probe_due_s:
            self._probe_due_s = self.turned_s + self.site.limits.probe_every_s / TURNS
            self._probed(self._probe.step(self.clock()))

    def _open_links(self) -> None:
        """Open the links of the configuration that are not open; close those that are no longer in it."""
        wanted = {link.name: link for link in self.site.links}
        for name in [name for name, link in self.links.items() if name not in wanted or wanted[name].url != link.url]:
            self.links.pop(name).close()
        try:
            for name, link in wanted.items():
                if name not in self.links:
                    self.links[name] = Link(name, link.url, link.allow_from, self.intake, self.clock, self.say)
        except LapwingError:
            for opened in self.links.values():
                opened.close()
            self.links.clear()
            raise

    def run(self, *, ready: Callable[[], None] = lambda: None) -> None:
        """Turn until told to stop; then stop in order. Raises what only a bug of ours could cause."""
        self.begun_s = time.monotonic()
        # What lives as long as the service (pack, tables, modules: some million objects) is never looked through again: a full
        # collection of it would hold up a turn.
        gc.collect()
        gc.freeze()
        # What else lives for long is looked through after a turn, once a minute: with thousands of tracks that takes 100 ms.
        thresholds = gc.get_threshold()
        gc.set_threshold(*thresholds[:2], _NEVER)
        self.stall.start()
        ready()
        self.notifier.tell(READY=1, STATUS=f"{self.site.name}: watching")
        self.say("notice", f"watching: {self.site.name}, {len(self.links)} links, {len(self.site.sensors.rows)} sensors, "
                           f"status {self.site.status}")
        next_s = time.monotonic()
        try:
            while not self.stopping.is_set():
                next_s = max(next_s + self.site.window_s, time.monotonic())
                self.stopping.wait(0.0 if self.live.behind else max(0.0, next_s - time.monotonic()))
                if self._reloading.is_set():
                    self._reload()
                self._turn()
        finally:
            gc.set_threshold(*thresholds)
            self._end()

    def _turn(self) -> None:
        begun_s = time.monotonic()
        outcome = self.live.turn()
        self.turned_s = time.monotonic()
        if outcome is not None:
            self.turn_s = self.turned_s - begun_s
            self.turns.append((self.turned_s, self.turn_s))
        self.stall.beat()
        self._step_probe()
        if time.monotonic() - self._reported_s >= REPORT_EVERY_S:
            for keeper in self.keepers.values():
                keeper.look()
            self._report()
        if time.monotonic() - self._tidied_s >= TIDY_EVERY_S:
            self._tidied_s = time.monotonic()
            gc.collect()

    def _probed(self, probed: Probed | None) -> None:
        if probed is not None:
            self.probe_problem, self.probe_took_s = probed.problem, probed.took_s
            self._probed_s = time.monotonic() if probed.ok else self._probed_s

    def stop(self, why: str = "asked to stop") -> None:
        """Have the loop end after this turn."""
        self.stop_reason = self.stop_reason or why
        self.stopping.set()

    def reload(self) -> None:
        """Have the configuration read again before the next turn."""
        self._reloading.set()

    def _end(self) -> None:
        self.notifier.tell(STOPPING=1, STATUS=self.stop_reason)
        self.say("notice", f"stopping: {self.stop_reason or 'the loop ended'}")
        self.close_links()
        try:
            self.live.stop()
        except StorageError as error:
            self.say("error", f"the journal could not be closed in order: {error}")
        for keeper in self.keepers.values():
            keeper.close()
        self.heart.stop()
        self.postmen.stop()
        self.stall.close()
        self._report()
        self._close()

    def _close(self) -> None:
        if self.regions is not None:
            self.regions.stop()
        self.register.close()
        self.store.close()
        if self.upstream is not None:
            self.upstream.release()
        self.say("notice", "stopped")

    def _reload(self) -> None:
        """Read the configuration again; tracks and warnings stay. What is wrong is said, and the old one stays in force."""
        self._reloading.clear()
        self.notifier.tell(RELOADING=1, MONOTONIC_USEC=time.monotonic_ns() // 1_000)
        try:
            site, _ = require_site(self.site.path)
            fixed = [key for key in ("country", "mode", "data", "window_s", "console", "channels", "limits", "archive", "log", "zones",
                                     "database", "journal", "oidc", "log_credentials", "region")
                     if getattr(site, key) != getattr(self.site, key)]
            if fixed:
                raise ConfigError(f"{', '.join(fixed)} changed", where=str(self.site.path),
                                  remedy="these take a restart (`systemctl restart`): the journal brings the tracks back")
            self.site = site
            self._open_links()
            for link in self.links.values():
                if not link.started:
                    link.start()
            setup, facts = setup_of_site(site, self.country), facts_of(site, self.country)
            if facts != self.live.facts:
                self.live.reconfigure(setup, facts)
                self._probe = Probe(setup)
            self.reload_problem = ""
            self.say("notice", f"configuration read again: {len(self.links)} links, {len(site.sensors.rows)} sensors")
        except LapwingError as error:
            self.reload_problem = str(error)
            self.say("error", f"the new configuration is not used: {error}")
        self.notifier.tell(READY=1)

    # What comes out

    def _observe(self, outcome: pipeline.Outcome, outputs: list[Output]) -> None:
        try:
            self.alerts += hand_over(self.outbox, self.store, outputs, self.live.place if self.live.log is not None else None)
            if "outbox" in self.degraded and any(output.kind == "alert" for output in outputs):
                del self.degraded["outbox"]
        except StorageError as error:
            self.degraded["outbox"] = f"{error}; alerts go to the channels without it"
            self.say("error", f"alerts could not be queued on disk: {error}")
        if self.upstream is not None:
            self.upstream.release_notices(outputs)
        if self.regions is not None:
            self.regions.publish(outputs)
        for event in outcome.events:
            self.say("info" if event.severity in ("info", "clear") else "notice", event.text, event=event.kind,
                     event_time=to_iso(event.time_ns))
        self.sensors = outcome.sensed.health
        tracks = outcome.update.tracks
        self.tracks = (int(tracks.confirmed.sum()), int((tracks.confirmed & tracks.coasting).sum()))
        received_ns = outcome.sensed.plots.received_ns
        if len(received_ns):
            now_ns = self.clock()
            self.to_track.add(received_ns, now_ns)
            proposed = len(outcome.warned.proposals) if outcome.warned is not None else 0
            self.to_proposal.add(np.full(proposed, received_ns.min()), now_ns)

    def receive(self, kind: str, payload: bytes) -> None:
        """Take a person's entry; return when it is durable. Raises InputError where it could not be taken."""
        if not self.is_writer and self.standby is not None:
            raise InputError(f"this machine stands by: {self.standby.writer or 'nobody yet'} writes the journal",
                             remedy="open the console of that machine")
        now_ns = self.clock()
        record = json.loads(payload)
        record.setdefault("time", to_iso(now_ns))
        with self.live.written:
            due = self.live.taken_count + 1
            self.intake.put_person((now_ns, "console", kind, json.dumps(record, ensure_ascii=False).encode()))
            if not self.live.written.wait_for(lambda: self.live.taken_count >= due, JOURNALED_S_MAX):
                raise InputError(f"not journaled within {JOURNALED_S_MAX:.0f} s: the loop stands still",
                                 remedy="it is taken when the loop goes on; see /readyz before entering it again")

    # Health

    def _report(self) -> None:
        now_s, now_ns = time.monotonic(), self.clock()
        self._reported_s = now_s
        degraded = problems(self, now_s, now_ns)
        for name in [name for name in self._since if name not in degraded]:
            self.say("notice", f"no longer degraded: {name}")
            del self._since[name]
        for name, text in degraded.items():
            if name not in self._since:
                self._since[name] = now_ns
                self.say("warning", f"degraded: {name}: {text}")
        shown = {name: f"{text} (since {to_iso(self._since[name], digits=0)})" for name, text in degraded.items()}
        ready = not ({"journal", "probe", "blind", "standby"} & set(degraded)) and not self.stopping.is_set()
        links = link_rows([(link.name, link.url) for link in self.site.links], self.intake.counts, now_ns)
        self.health.set(Report(now_ns, self.turned_s, ready, shown, tuple(links), tuple(sensor_health.rows(self.sensors, now_ns)),
                               tuple(samples(self, now_ns, len(degraded)))))
        self._feed_watchdog(now_s)
        if resident_octets() > self.site.limits.memory_mb * 1_048_576:
            self.stop(f"memory above limits.memory_mb = {self.site.limits.memory_mb}: ended in order, the service manager starts it again")

    def _feed_watchdog(self, now_s: float) -> None:
        """Feed the service manager's watchdog: only after a synthetic plot crossed the chain since it was fed last."""
        if self.notifier.watchdog_s and self._probed_s > self._fed_s:
            self.notifier.tell(WATCHDOG=1)
            self._fed_s = now_s
