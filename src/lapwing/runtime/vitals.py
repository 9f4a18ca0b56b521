"""What a running service says of itself: its degraded modes by name, and the numbers of /metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lapwing.geo import jit
from lapwing.model.times import NS_PER_S
from lapwing.runtime import sensor_health
from lapwing.runtime.health import Sample, open_files, resident_octets
from lapwing.runtime.links import link_samples
from lapwing.runtime.segments import journal_samples

if TYPE_CHECKING:
    from lapwing.runtime.service import Service


def problems(service: Service, now_s: float, now_ns: int) -> dict[str, str]:
    """Return the degraded modes by name, each with what is wrong."""
    if service.standby is not None and not service.is_writer:
        return service.standby.problems()
    found: dict[str, str] = {}
    if service.upstream is not None and service.upstream.lost_why:
        found["no upstream"] = f"the cluster is not written: {service.upstream.lost_why}; the journal is kept here until it is"
    silent = []
    for link in service.site.links:
        counts = service.intake.counts.get(link.url)
        last_ns = counts.last_ns if counts is not None else 0
        silent_s = (now_ns - last_ns) / NS_PER_S if last_ns else now_s - service.begun_s
        if silent_s > link.silent_after_s:
            why = service.links[link.name].failure() if link.name in service.links else ""
            silent.append(link.name)
            found[f"link {link.name}"] = f"no data for {silent_s:.0f} s{': ' + why if why else ''}; its area is shown as blind"
    if silent and len(silent) == len(service.site.links):
        found["blind"] = "no link brings data: the picture is not the sky"
    found |= dict(sensor_health.problems(service.sensors, service.site.sensors, now_ns, now_s - service.begun_s))
    if service.live.log is None and service.live.unrecorded_since_ns:
        found["journal"] = f"not written: {service.live.unrecorded_why}; {service.live.unrecorded_batches} batches are not on record"
    if jit.PLAIN:
        found["kernels"] = "plain Python: slow; unset LAPWING_PLAIN"
    if service.probe_problem:
        found["probe"] = f"the synthetic plot did not cross the chain: {service.probe_problem}"
    if service.clock.wrong:
        found["clock"] = service.clock.wrong
    shed = sum(counts.shed for counts in service.intake.counts.values())
    if shed:
        found["shedding"] = f"{shed} datagrams were shed because the loop did not keep up"
    for name, problem in service.outbox.problems.items():
        found[f"channel {name}"] = problem
    if service.reload_problem:
        found["configuration"] = f"the file was changed and is not used: {service.reload_problem}"
    found |= {name: f"{kept.problem}; the journal keeps everything meanwhile" for name, kept in service.keepers.items() if kept.problem}
    if zones := service.zone_watch.problem():
        found["zones"] = zones
    for trouble in (service.register.problems, *([service.regions.problems] if service.regions is not None else []), *service.troubles):
        found |= trouble()
    return found | service.degraded


def samples(service: Service, now_ns: int, degraded: int) -> list[Sample]:
    """Return what /metrics says."""
    live = service.live
    recent = [took for when, took in service.turns if when > service.turned_s - 60.0]
    found: list[Sample] = [
        ("lapwing_batches_total", {}, live.batch_count), ("lapwing_entries_total", {}, live.entry_count),
        ("lapwing_plots_total", {}, live.plot_count), ("lapwing_alerts_total", {}, service.alerts),
        ("lapwing_tracks", {"state": "confirmed"}, service.tracks[0]), ("lapwing_tracks", {"state": "coasting"}, service.tracks[1]),
        ("lapwing_queue_entries", {}, service.intake.waiting()), ("lapwing_turn_seconds", {}, service.turn_s),
        ("lapwing_turn_seconds_max", {}, max(recent, default=0.0)),
        ("lapwing_unrecorded_batches_total", {}, live.unrecorded_batches), ("lapwing_stalls_total", {}, service.stall.count),
        ("lapwing_clock_offset_seconds", {}, service.clock.offset_ns / NS_PER_S), ("lapwing_degraded", {}, degraded),
        ("lapwing_probe_seconds", {}, service.probe_took_s), ("lapwing_resident_octets", {}, resident_octets()),
        ("lapwing_open_files", {}, open_files()),
    ]
    found += service.to_track.samples() + service.to_proposal.samples()
    found += [("lapwing_refused_total", {"reason": reason}, count) for reason, count in sorted(live.refused.items())]
    for link in service.site.links:
        dropped = service.links[link.name].dropped_count if link.name in service.links else None
        found += link_samples(link.name, service.intake.counts.get(link.url), dropped, now_ns)
    found += service.regions.samples() if service.regions is not None else []
    found += [*sensor_health.samples(service.sensors, now_ns), *service.register.samples(), *journal_samples(service.site.data / "journal")]
    if not service.stopping.is_set():
        for name, (median_s, late_s) in service.outbox.latencies_s().items():
            found += [("lapwing_delivery_seconds", {"channel": name, "quantile": "0.5"}, median_s),
                      ("lapwing_delivery_seconds", {"channel": name, "quantile": "0.99"}, late_s)]
        found += [("lapwing_deliveries_waiting", {"channel": name}, count) for name, count in service.store.waiting_count().items()]
    return found
