"""Thresholds of the judge. None of them names a country; each says why it has its value."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from lapwing.country.volumes import Volume
from lapwing.judge.net_settings import NetSettings
from lapwing.model.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Settings:
    """What an authority may set. Times in seconds, distances in metres, shares from 0 to 1."""

    entered_prob: float = 0.95             # at least so sure: `entered`
    not_entered_prob: float = 0.05         # at most so sure of an entry: `not_entered`; between them `undetermined`
    recompute_s: float = 1.0               # border clock of a row without a new plot
    forecast_s: float = 5.0                # forecast of a row that flies on as before
    verdict_s: float = 10.0                # verdict of a live track, unless it comes near the line
    repeat_s: float = 60.0                 # an unchanged live verdict is handed on again at the earliest after this
    gap_s: float = 30.0                    # a stretch without plots longer than this is named in the evidence
    sustained_s: float = 20.0              # a stay inside without two plots in it must last so long to be one
    unseen_prob: float = 0.03              # an object seen without holes and then silent: P(it flew on unseen)
    traffic_prob: float = 0.9              # bird, weather or surface at least so probable: not judged
    traffic_hold_s: float = 45.0           # ... for so long without a break
    slow_inside_m: float = 3_000.0         # slow-inside rule, see `traffic.slow_inside`: first seen so deep inside
    slow_inside_mps: float = 22.0          # ... and never faster than this
    slow_inside_odds: float = 20.0         # ... multiplies the odds of bird against everything else
    undecided_bound_m: float = 7_000.0     # 95 % bound of an undecided stretch whose pack states none
    # A filter's own sigma is too small where the object weaves and turns (made-up nights: 68 % of errors within 1.3 of
    # it, 95 % within 2.7): the judge multiplies it, and never takes less than the least.
    track_sigma_factor: float = 1.4
    track_m_sigma_min: float = 20.0
    trusted_m_sigma: float = 400.0         # a plot that leaves the position less certain than this proves nothing
    neighbour_m: float = 30_000.0          # an object so near a neighbour's line is judged against it as well
    history_rows: int = 512                # of a live track; older rows far from the line are thinned
    net: NetSettings = field(default_factory=NetSettings)
    volumes: tuple[Volume, ...] = ()       # watched by the safety net beside the own airspace


def read_settings(data: bytes, where: str) -> Settings:
    """Return the settings of a TOML file: keys of `Settings`, alone or in a table [judge]; those of the safety net in a
    table [net]. Raises ConfigError."""
    try:
        document = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"no TOML: {error}", where=where, remedy="write key = value, one a line") from None
    return settings_of(document, where)


def settings_of(document: Mapping[str, Any], where: str) -> Settings:
    """Return the settings of a table as `read_settings` reads it. Raises ConfigError."""
    own, net = dict(document), document.get("net", {})
    own.pop("net", None)
    own = own.get("judge", own)
    return Settings(**_numbers(own, Settings(), "judge", where), net=NetSettings(**_numbers(net, NetSettings(), "safety net", where)))


def _numbers(table: object, usual: Settings | NetSettings, whose: str, where: str) -> dict[str, Any]:
    known = {each.name: value for each in fields(usual) if isinstance(value := getattr(usual, each.name), int | float)}
    values: dict[str, float | int] = {}
    if not isinstance(table, Mapping):
        raise ConfigError(f"{table!r}: no table", where=where, remedy="write [judge] or [net] and key = value below")
    for key, value in table.items():
        if key not in known:
            raise ConfigError(f"{key}: no setting of the {whose}", where=where, remedy=f"known: {', '.join(known)}")
        share = "_prob" in key
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9 or (share and value > 1):
            raise ConfigError(f"{key} = {value!r}: must be a number from 0 on" + (" to 1" if share else ""),
                              where=where, remedy=f"usually {known[key]:g}")
        if isinstance(known[key], int) and value != int(value):
            raise ConfigError(f"{key} = {value!r}: must be a whole number", where=where, remedy=f"usually {known[key]}")
        values[key] = int(value) if isinstance(known[key], int) else float(value)
    return values
