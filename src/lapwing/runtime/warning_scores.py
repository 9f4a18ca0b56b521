"""`lapwing score warnings`: reads truth and messages from files and has them scored beside the baselines."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from lapwing.adapters import packs
from lapwing.country.pack import Pack
from lapwing.geo.border import Territory, signed_distance
from lapwing.judge.half_plane import parse_border
from lapwing.model.errors import InputError
from lapwing.model.times import from_iso
from lapwing.runtime.track_scores import load_truth
from lapwing.sim import warning_scoring as rules
from lapwing.sim.track_scoring import Path as Flown
from lapwing.sim.track_scoring import distances_m

ALL_PACKS = ("ro", "lt", "md", "pl", "lv", "ee", "fi", "bg", "ua")
NIGHT_HOURS = (22, 6)
POLICIES = ("lapwing", "B0", "B1", "B2")


@dataclass(frozen=True, slots=True)
class Scored:
    """A run and the baselines, scored: what `figures` and what is said of places are made from."""

    objects: Sequence[Flown]
    messages: Sequence[rules.Message]
    places: rules.Places
    truth: rules.Truth
    night: Sequence[rules.Span]
    policies: Mapping[str, rules.Policy]


def score_files(truth_file: Path, messages_file: Path, *, country: str, border_file: str, delay_s: float,
                state_dir: Path) -> dict[str, Any]:
    """Return the figures of a run and of the baselines. InputError where a file cannot be used.

    Parameters
    ----------
    country : pack (code or folder); empty: `border_file` is the line, the places of all packs on its home side count
    delay_s : of people, put on every message that a person decided, and on B0 and B1
    """
    scored = score_run(truth_file, messages_file, country=country, border_file=border_file, delay_s=delay_s,
                       baseline_delay_s=delay_s, state_dir=state_dir)
    found = {name: rules.figures(policy, scored.truth, scored.places, scored.night) for name, policy in scored.policies.items()}
    return {"places": len(scored.places), "people": round(float(scored.places.population.sum())), "delay_s": delay_s,
            "objects": len(rules.threats_among(scored.objects)), "messages": len(scored.messages),
            "threatened_places": int(np.isfinite(scored.truth.first_s).sum()), **found, "bars": bars(found),
            "ranking": {key: sorted(POLICIES, key=lambda name: found[name][key])
                        for key in ("cost_at_1000", "cost", "cost_at_100000")},
            "worst": worst_places(scored)}


def score_run(truth_file: Path, messages_file: Path, *, country: str, border_file: str, delay_s: float, baseline_delay_s: float,
              state_dir: Path) -> Scored:
    """Return what the run and the baselines did. InputError where a file cannot be used."""
    objects = load_truth(truth_file)
    cache = state_dir / "packs"
    if country:
        pack = packs.load_country(country, cache)
        territory, members = pack.territory, [pack]
    else:
        data = Path(border_file).read_bytes()
        territory = parse_border(data, border_file, hashlib.sha256(data).hexdigest())
        members = [packs.load_country(code, cache) for code in ALL_PACKS]
    places, zone_name = places_of(members, territory, home_only=not country, objects=objects)
    messages = read_messages(messages_file, places, delay_s)
    truth = rules.truth_of(objects, places, territory)
    return Scored(objects, messages, places, truth, nights(objects, messages, zone_name), {
        "lapwing": rules.of_messages(messages, len(places)),
        "B0": rules.fixed_strip(objects, places, territory, truth, baseline_delay_s),
        "B1": rules.twenty_km(objects, places, territory, baseline_delay_s),
        "B2": rules.knows_truth(truth),
    })


def worst_places(scored: Scored, most: int = 10) -> dict[str, list[dict[str, Any]]]:
    """Return where the run did worst: the places with the most needless person-minutes, and with the most people missed."""
    places, own = scored.places, scored.policies["lapwing"]
    needless = rules.needless_person_min(own, scored.truth, places, scored.night)
    missed = rules.missed_people(own, scored.truth, places)

    def rows(weight: Any) -> list[dict[str, Any]]:
        return [{"place": places.name[i], "lat_deg": round(float(places.lat_deg[i]), 5), "lon_deg": round(float(places.lon_deg[i]), 5),
                 "people": round(float(places.population[i])), "nearest_m": _nearest_m(scored.objects, places, i),
                 "needless_alert_person_min": round(float(needless[i, 0])),
                 "needless_pre_alert_person_min": round(float(needless[i, 1])), "missed_people": round(float(missed[i]), 1)}
                for i in np.argsort(-weight, kind="stable")[:most].tolist() if weight[i] > 0.0]

    return {"needless": rows(needless.sum(axis=1)), "missed": rows(missed)}


def _nearest_m(objects: Sequence[Flown], places: rules.Places, place: int) -> int:
    """Return how near any drone or decoy came to a place."""
    lat, lon = places.lat_deg[place : place + 1], places.lon_deg[place : place + 1]
    return round(min(float(distances_m(lat, lon, each.lat_deg, each.lon_deg).min()) for each in rules.threats_among(objects)))


def bars(found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return how the run stands to each bar: value, bar, whether it holds."""
    own, strip, near = found["lapwing"], found["B0"], found["B1"]

    def line(value: float | None, bar: float, ok: bool) -> dict[str, Any]:
        return {"value": None if value is None else round(value, 4), "bar": bar, "ok": bool(ok)}

    def less(than: float) -> float | None:
        return 1.0 - own["needless_person_min"] / than if than > 0.0 else None

    b0, b1 = less(strip["needless_person_min"]), less(near["needless_person_min"])
    lead, delay = own["lead_s_p5_where_given"], own["clear_delay_min_median"]
    return {
        "missed_share": line(own["missed_share"], 0.002, own["missed_share"] <= 0.002),
        "missed_share_above_B1": line(own["missed_share"] - near["missed_share"], 0.001,
                                      own["missed_share"] <= near["missed_share"] + 0.001),
        "needless_less_than_B0": line(b0, 0.97, b0 is None or b0 >= 0.97),
        "needless_less_than_B1": line(b1, 0.60, b1 is None or b1 >= 0.60),
        "lead_s_p5_where_given": line(lead, 150.0, lead is None or lead >= 150.0),
        "clear_delay_min_median": line(delay, 3.0, delay is None or delay <= 3.0),
        "silent_ends": line(own["silent_ends"], 0.0, own["silent_ends"] == 0),
        "alarms_per_person": line(own["alarms_per_person"], 1.3, own["alarms_per_person"] <= 1.3),
        "reversal_share": line(own["reversal_share"], 0.01, own["reversal_share"] < 0.01),
    }


def places_of(members: Sequence[Pack], territory: Territory, *, home_only: bool,
              objects: Sequence[Flown]) -> tuple[rules.Places, str]:
    """Return the places of packs, and the time zone of the country that the objects are nearest to."""
    lat = np.concatenate([np.degrees(p.places.latitude_rad) for p in members])
    lon = np.concatenate([np.degrees(p.places.longitude_rad) for p in members])
    people = np.concatenate([p.places.population.astype(np.float64) for p in members])
    zones = [(p, int(i)) for p in members for i in p.places.zone_index]
    names = [name for p in members for name in p.places.name]
    pack_of = np.repeat(np.arange(len(members)), [len(p.places) for p in members])
    found = signed_distance(territory, np.radians(lat), np.radians(lon)).signed_distance_m
    keep = np.flatnonzero(found <= 0.0) if home_only else np.arange(len(lat))
    county: list[str] = []
    codes: dict[str, list[int]] = {}
    parents = [{zone.code: zone.parent for zone in p.zones} for p in members]
    for row, at in enumerate(keep.tolist()):
        pack, zone = zones[at]
        own = pack.zones[zone] if zone >= 0 else None
        county.append(own.county if own is not None else "")
        for code in _ancestry(own.code if own is not None else "", parents[int(pack_of[at])]):
            codes.setdefault(code, []).append(row)
    paths = rules.threats_among(objects)
    near = int(np.argmin(np.hypot(lat - paths[0].lat_deg[0], lon - paths[0].lon_deg[0]))) if paths and len(lat) else 0
    name = members[int(pack_of[near])].time_zone if len(lat) else "UTC"
    return rules.Places(lat[keep], lon[keep], people[keep], tuple(county),
                        {k: np.array(v, np.intp) for k, v in codes.items()}, np.abs(found[keep]),
                        tuple(names[i] for i in keep.tolist())), name


def _ancestry(code: str, parent: Mapping[str, str]) -> list[str]:
    chain: list[str] = []
    while code and code not in chain:
        chain.append(code)
        code = parent.get(code, "")
    return chain


def read_messages(path: Path, places: rules.Places, delay_s: float) -> list[rules.Message]:
    """Return the messages of an alerts.jsonl; tests and drafts are left out. InputError with the line at fault."""
    messages = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if row.get("status", "Actual") not in ("Actual", "Exercise"):
                continue
            messages.append(_message(row, places, delay_s))
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise InputError(f"not a message ({type(error).__name__}: {error})", where=f"{path} line {number}",
                             remedy="give an alerts.jsonl: see the manual for its fields") from None
    return messages


def _message(row: Mapping[str, Any], places: rules.Places, delay_s: float) -> rules.Message:
    level = str(row["level"])
    if row.get("msg_type") == "Cancel":
        level = "all_clear"
    by_engine = list(row.get("approved_by") or []) == ["engine"]
    sent_s = from_iso(str(row["sent"])) * 1e-9
    if level != "all_clear" and not by_engine:
        sent_s += delay_s
    references = tuple(part.split(",")[1] if part.count(",") == 2 else part for part in row.get("references") or ())
    covers = covered(row.get("zones") or (), row.get("polygon") or (), places)
    return rules.Message(
        identifier=str(row["identifier"]), sent_s=sent_s,
        expires_s=from_iso(str(row["expires"])) * 1e-9, level=level, references=references, covers=covers,
        rings=bool(row.get("rings", True)),
        cleared=covered(row.get("cleared") or (), (), places) & ~covers)


def covered(zones: Sequence[Mapping[str, Any]], rings: Sequence[Sequence[Sequence[float]]], places: rules.Places) -> Any:
    """Return which places a message reaches: by the codes of its zones; by its polygons where no code is known."""
    found = np.zeros(len(places), np.bool_)
    known = [str(zone["code"]) for zone in zones if str(zone["code"]) in places.codes]
    for code in known:
        found[places.codes[code]] = True
    if known or not rings:
        return found
    for ring in rings:
        points = np.asarray(ring, np.float64)
        inside = np.zeros(len(places), np.bool_)
        for (lat0, lon0), (lat1, lon1) in pairwise(points):
            if lat0 != lat1:
                across = (lat0 > places.lat_deg) != (lat1 > places.lat_deg)
                inside ^= across & (places.lon_deg < lon0 + (places.lat_deg - lat0) / (lat1 - lat0) * (lon1 - lon0))
        found |= inside
    return found


def nights(objects: Sequence[Flown], messages: Sequence[rules.Message], zone_name: str) -> list[rules.Span]:
    """Return the spans from 22 to 6 local time around a run."""
    times = [t for path in objects for t in (path.time_s[:1].tolist() + path.time_s[-1:].tolist())]
    times += [t for m in messages for t in (m.sent_s, m.expires_s)]
    if not times:
        return []
    try:
        zone: Any = ZoneInfo(zone_name)
    except (ZoneInfoNotFoundError, ValueError):
        zone = UTC
    first = datetime.fromtimestamp(math.floor(min(times)), UTC).astimezone(zone) - timedelta(days=1)
    days = int((max(times) - min(times)) / 86_400.0) + 3
    spans = []
    for day in range(days):
        evening = datetime(first.year, first.month, first.day, NIGHT_HOURS[0], tzinfo=zone) + timedelta(days=day)
        morning = datetime(evening.year, evening.month, evening.day, NIGHT_HOURS[1], tzinfo=zone) + timedelta(days=1)
        spans.append((evening.timestamp(), morning.timestamp()))
    return spans
