"""The file of a live site, ``site.toml``: read, checked as a whole, every problem told with key, value and remedy.

`read_site` never stops at the first mistake: `lapwing check` shows them all. A problem is an *error* (the service does
not start) or a *warning* (it starts, and says so each time). What each key means stands in docs/settings.md; a
commented example is written by `lapwing init`.
"""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lapwing.adapters import packs
from lapwing.adapters.channels import make_channel
from lapwing.adapters.nats_link import parse_target
from lapwing.adapters.oidc import ProviderSettings
from lapwing.country.pack import Policy
from lapwing.judge.settings import Settings as JudgeSettings
from lapwing.judge.settings import settings_of
from lapwing.model.alerts import LEVELS
from lapwing.model.errors import ConfigError, LapwingError
from lapwing.model.reports import OFFICER_ROLES
from lapwing.model.sensors import SensorTable
from lapwing.runtime.config_keys import Keys, Problem
from lapwing.runtime.links import check_url
from lapwing.runtime.site_database import DatabaseSettings, database_settings
from lapwing.runtime.site_oidc import oidc_settings
from lapwing.runtime.site_region import RegionSettings, region_settings
from lapwing.runtime.site_sensors import sensor_table
from lapwing.runtime.wiring import read_volumes
from lapwing.runtime.zone_seal import ZoneSettings

STATUS = {"exercise": "Exercise", "live": "Actual"}
# Into the site's own data folder, where nothing public reads: it carries whatever the site sends.
DEFAULT_CHANNEL: dict[str, Any] = {"kind": "cap-files", "folder": "alerts", "statuses": ["Actual", "Exercise", "Test"]}
DATAGRAMS = ("udp:", "cot-udp:")


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """One link: where data comes from."""

    name: str
    url: str
    allow_from: tuple[str, ...] = ()     # networks of senders; empty: anybody
    silent_after_s: float = 30.0


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """Where the console listens."""

    host: str = "127.0.0.1"
    port: int = 8650
    names: tuple[str, ...] = ()          # names by which it is opened, beside the loopback ones
    tls_certificate: str = ""
    tls_key: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a running service."""

    queue_entries: int = 50_000
    queue_octets: int = 268_435_456
    memory_mb: int = 4_096
    stall_s: float = 2.0
    checkpoint_s: float = 60.0
    clock_step_s: float = 0.5
    probe_every_s: float = 10.0


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """Whether and how long published tracks are kept as Parquet files."""

    keep: bool = True
    folder: Path = Path("data/archive")
    keep_days: int = 0                   # 0: for ever


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """How long segments of the journal stay in its folder, and where packed copies go."""

    keep_days: int = 0                   # 0: for ever
    pack: Path | None = None             # None: dropped


@dataclass(frozen=True, slots=True)
class Site:
    """A live site as configured."""

    path: Path
    name: str = "site"
    country: str = ""
    mode: str = "exercise"
    data: Path = Path("data")
    log: str = ""                        # address of a journal in a cluster; empty: files in `data`
    log_credentials: str = ""
    window_s: float = 0.1
    allow: tuple[tuple[int, int], ...] = ()
    own: tuple[tuple[int, int], ...] = ()     # SAC/SIC of what we send ourselves
    console: ConsoleSettings = field(default_factory=ConsoleSettings)
    links: tuple[LinkSettings, ...] = ()
    sensors: SensorTable = field(default_factory=SensorTable)
    policy: Mapping[str, Any] = field(default_factory=dict)
    judge: JudgeSettings = field(default_factory=JudgeSettings)
    channels: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    archive: ArchiveSettings = field(default_factory=ArchiveSettings)
    journal: JournalSettings = field(default_factory=JournalSettings)
    oidc: ProviderSettings | None = None
    zones: ZoneSettings = field(default_factory=ZoneSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    region: RegionSettings = field(default_factory=RegionSettings)
    people: tuple[tuple[str, str], ...] = ()     # (name, role) of those who may decide; empty: any name

    @property
    def status(self) -> str:
        """The CAP status of every message."""
        return STATUS[self.mode]


def read_site(path: Path) -> tuple[Site, tuple[Problem, ...]]:
    """Return the site and all problems found. Raises ConfigError only where the file is no TOML at all."""
    try:
        table = tomllib.loads(path.read_bytes().decode("utf-8"))
    except FileNotFoundError as error:
        raise ConfigError("no such file", where=str(path), remedy="`lapwing init --country ro` writes one") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"no TOML: {error}", where=str(path),
                          remedy="correct the line, or start again from `lapwing init`") from error
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path), remedy="check the path and its mode") from error
    problems: list[Problem] = []
    keys = Keys(path.name, "", table, problems)
    base = path.resolve().parent
    site = _site(keys.table("site"), Site(path), base)
    site = replace(
        site, console=_console(keys.table("console"), base), limits=_limits(keys.table("limits")),
        links=tuple(_link(name, sub) for name, sub in keys.tables("link")),
        sensors=sensor_table(keys, path, base), policy=_policy(keys.table("policy")), judge=_judge(keys, base),
        channels=_channels(keys, site.data), archive=_archive(keys.table("archive"), site.data),
        journal=_journal(keys.table("journal"), site.data),
        people=_people(keys.table("people")), zones=_zones(keys.table("zones"), base),
        region=region_settings(keys.table("region"), base, site.country, site.log, site.log_credentials),
        oidc=oidc_settings(keys.table("oidc"), base), database=database_settings(keys.table("database"), base, site.name))
    keys.end("tables are [site], [console], [limits], [policy], [people], [zones], [judge], [archive], [journal], [database], [oidc], "
             "[region], [net], [link.NAME], [sensor.ID], [channel.NAME]")
    _whole(site, keys)
    return site, tuple(problems)


def require_site(path: Path) -> tuple[Site, tuple[Problem, ...]]:
    """Return the site and its warnings. Raises ConfigError with all errors where there are any."""
    site, problems = read_site(path)
    errors = [problem for problem in problems if problem.is_error]
    if errors:
        more = f" (and {len(errors) - 1} more: `lapwing check {path}`)" if len(errors) > 1 else ""
        raise ConfigError(errors[0].what + more, where=errors[0].where, remedy=errors[0].remedy)
    return site, problems


def _site(keys: Keys, site: Site, base: Path) -> Site:
    mode = keys.choice("mode", tuple(STATUS), "exercise")
    allow, own = _sources(keys, "sources"), _sources(keys, "own_sources")
    country = keys.text("country", "")
    if country:
        try:
            packs.find_pack(country)
        except LapwingError as error:
            keys.problem("country", country, error.what, error.remedy)
    log, credentials = keys.text("log", ""), keys.text("log_credentials", "")
    if log:
        try:
            parse_target(log)
        except LapwingError as error:
            keys.problem("log", log, error.what, error.remedy)
    if credentials and not (base / credentials).is_file():
        keys.wrong("log_credentials", credentials, "no such file: one line user:password, or a .creds file, seen from this one")
    found = replace(site, log=log, log_credentials=str(base / credentials) if credentials else "",
                    name=keys.text("name", "site"), country=country, mode=mode,
                    data=base / keys.text("data", "data"), allow=allow, own=own,
                    window_s=keys.number("window_s", 0.1, 0.02, 1.0, "a radar sector; usually 0.05 to 0.2"))
    keys.end()
    return found


def _sources(keys: Keys, key: str) -> tuple[tuple[int, int], ...]:
    found = []
    for source in keys.texts(key, ()):
        sac, _, sic = source.partition("/")
        if sac.isdigit() and sic.isdigit() and int(sac) < 256 and int(sic) < 256:
            found.append((int(sac), int(sic)))
        else:
            keys.wrong(key, source, "write SAC/SIC, such as \"25/201\"")
    return tuple(found)


def _console(keys: Keys, base: Path) -> ConsoleSettings:
    host = keys.text("host", "127.0.0.1")
    try:
        ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        keys.wrong("host", host, "give an address, such as 127.0.0.1 or 0.0.0.0")
    paths = []
    for key in ("tls_certificate", "tls_key"):
        text = keys.text(key, "")
        if text and not (base / text).is_file():
            keys.wrong(key, text, "no such file: give the path of a PEM file, seen from this one")
        paths.append(str(base / text) if text else "")
    if bool(paths[0]) != bool(paths[1]):
        keys.wrong("tls_certificate", paths[0], "tls_certificate and tls_key stand together")
    found = ConsoleSettings(host, keys.whole("port", 8650, 0, 65_535, "0 takes a free one"), keys.texts("names", ()), *paths)
    keys.end()
    return found


def _limits(keys: Keys) -> Limits:
    default = Limits()
    found = Limits(
        queue_entries=keys.whole("queue_entries", default.queue_entries, 1_000, 10_000_000, "datagrams waiting"),
        queue_octets=keys.whole("queue_octets", default.queue_octets, 1_000_000, 1 << 40, "octets waiting"),
        memory_mb=keys.whole("memory_mb", default.memory_mb, 300, 1 << 20, "the service ends itself in good order above it"),
        stall_s=keys.number("stall_s", default.stall_s, 0.2, 60.0, "seconds"),
        checkpoint_s=keys.number("checkpoint_s", default.checkpoint_s, 1.0, 3_600.0, "seconds between two checkpoints"),
        clock_step_s=keys.number("clock_step_s", default.clock_step_s, 0.05, 60.0, "seconds"),
        probe_every_s=keys.number("probe_every_s", default.probe_every_s, 1.0, 600.0, "seconds"))
    keys.end()
    return found


def _archive(keys: Keys, data: Path) -> ArchiveSettings:
    keep = keys.raw("keep")
    if not isinstance(keep, bool | None):
        keys.wrong("keep", keep, "write true or false")
    found = ArchiveSettings(keep is not False, data / keys.text("folder", "archive"),
                            keys.whole("keep_days", 0, 0, 36_500, "0 keeps for ever"))
    keys.end()
    return found


def _journal(keys: Keys, data: Path) -> JournalSettings:
    days, then = keys.whole("keep_days", 0, 0, 36_500, "0 keeps for ever"), keys.choice("then", ("pack", "drop"), "pack")
    folder = keys.text("folder", "journal-packed")
    if then == "drop" and days and keys.has("folder"):
        keys.problem("folder", folder, "is not used where segments are dropped", 'remove it, or write then = "pack"')
    keys.end()
    return JournalSettings(days, data / folder if then == "pack" else None)


def archive_folder(path: Path) -> Path:
    """Return where the archive of a site.toml lies. Raises ConfigError."""
    return require_site(path)[0].archive.folder


def _link(name: str, keys: Keys) -> LinkSettings:
    url = keys.text("url")
    if url:
        try:
            check_url(url)
        except LapwingError as error:
            keys.problem("url", url, error.what, error.remedy)
    networks = keys.texts("allow_from", ())
    for network in networks:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            keys.problem("allow_from", network, str(error), 'write addresses or networks, such as "10.1.2.0/24"')
    if networks and not url.startswith(DATAGRAMS):
        keys.problem("allow_from", list(networks), "counts for links of datagrams only", "remove it, and use the firewall")
    found = LinkSettings(name, url, networks,
                         keys.number("silent_after_s", 30.0, 1.0, 86_400.0, "usually three turns of the aerial"))
    keys.end()
    return found


def _policy(keys: Keys) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for each in fields(Policy):
        assert each.default is not MISSING
        if not keys.has(each.name):
            continue
        if isinstance(each.default, float):
            values[each.name] = keys.number(each.name, each.default, 0.0, 1e6, "see docs/settings.md")
        elif isinstance(each.default, int):
            values[each.name] = keys.whole(each.name, each.default, 0, 1 << 31, "see docs/settings.md")
        elif isinstance(each.default, str):
            values[each.name] = keys.text(each.name, each.default)
        else:
            values[each.name] = keys.texts(each.name, each.default)
            for level in values[each.name]:
                if level not in LEVELS:
                    keys.wrong(each.name, level, f"use {', '.join(LEVELS)}")
    keys.end("known are " + ", ".join(each.name for each in fields(Policy)))
    return values


def _judge(keys: Keys, base: Path) -> JudgeSettings:
    try:
        told = keys.raw("net") or {}
        if not isinstance(told, dict):
            raise ConfigError(f"net = {told!r}: must be a table", where=keys.where, remedy="write [net] and key = value below")
        net = dict(told)
        files = net.pop("geozones", [])
        if not isinstance(files, list) or not all(isinstance(name, str) for name in files):
            raise ConfigError(f"geozones = {files!r}: must be a list of files", where=f"{keys.where} [net]",
                              remedy='write geozones = ["zones.json"]')
        settings = settings_of({"judge": keys.raw("judge") or {}, "net": net}, keys.where)
        return replace(settings, volumes=read_volumes(tuple(base / name for name in files)))
    except ConfigError as error:
        keys.add(Problem("error", error.where, error.what, error.remedy))
        return JudgeSettings()


def _people(keys: Keys) -> tuple[tuple[str, str], ...]:
    """Return who may decide, by name. Two people are two names: one differs from another by more than case or blanks."""
    found: dict[str, str] = {}
    plain: dict[str, str] = {}
    for name in keys.names():
        role = keys.choice(name, OFFICER_ROLES, OFFICER_ROLES[0])
        folded = " ".join(name.split()).casefold()
        if not folded or name != " ".join(name.split()) or folded == "engine":
            keys.wrong(name, role, "write a person's name, without blanks around it")
        elif folded in plain:
            keys.problem(name, role, f"is {plain[folded]!r} written in another way", "two persons are two names: name each once")
        plain[folded] = name
        found[name] = role
    return tuple(sorted(found.items()))


def _zones(keys: Keys, base: Path) -> ZoneSettings:
    seal, certificate = keys.text("seal", ""), keys.text("certificate", "")
    if bool(seal) != bool(certificate):
        keys.wrong("seal", seal, "seal and certificate stand together: `lapwing zones seal` makes the one, `lapwing cap key` the other")
    keys.end()
    return ZoneSettings(str(base / seal), str(base / certificate)) if seal and certificate else ZoneSettings()


def _channels(keys: Keys, data: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, sub in keys.tables("channel"):
        settings = {key: sub.raw(key) for key in sub.names()}
        kind = settings.get("kind", "")
        if not kind:
            sub.problem("kind", "", "is missing", 'write kind = "cap-files"')
            continue
        try:
            make_channel(name, settings, data)
        except LapwingError as error:
            sub.add(Problem("error", f"{sub.where} ({error.where})", error.what, error.remedy))
        found[name] = settings
    return found or {"files": dict(DEFAULT_CHANNEL)}


def _whole(site: Site, keys: Keys) -> None:
    """Check what only the whole shows."""
    if not site.country:
        keys.problem("site.country", "", "is not set: there is no border to judge and nobody is warned",
                     'write country = "ro" below [site]', level="warning")
    if not site.links:
        keys.problem("link", "", "no [link.NAME]: nothing comes in", 'add [link.radar] with url = "udp://239.1.1.1:8600"')
    host = urlsplit(site.oidc.redirect).hostname if site.oidc is not None else None
    if host and host not in (*site.console.names, "127.0.0.1", "localhost", "::1"):
        keys.problem("oidc.redirect", host, "is not among [console] names: the console would not answer there", f'write names = ["{host}"]')
    if site.log and site.journal.keep_days:
        keys.problem("journal.keep_days", site.journal.keep_days, "counts for files only; the journal lies in a cluster",
                     "remove it: what a stream keeps is set there (docs/cluster.md)", level="warning")
    if site.log and site.database.address is not None:
        keys.problem("database", "", "is fed with accounts and audit alone where the journal lies in a cluster",
                     "run `lapwing cluster fetch`, then `lapwing database feed --journal FOLDER`", level="warning")
    if not site.sensors.rows:
        keys.problem("sensor", "", "no sensor: positions must come from the data, else plots are counted and not tracked",
                     "add [sensor.ID] tables, or sensors = \"sensors.toml\"", level="warning")
    for name, settings in site.channels.items():
        carries = settings.get("statuses", ["Actual"])
        if site.status not in carries:
            keys.problem(f"channel.{name}.statuses", carries, f"does not hold {site.status}: it will refuse every message of this site",
                         f'write statuses = ["{site.status}"], or remove the channel', level="warning")
    seen: dict[str, str] = {}
    for link in site.links:
        if link.url in seen:
            keys.problem(f"link.{link.name}.url", link.url, f"is that of link {seen[link.url]} too", "name each source once")
        seen[link.url] = link.name
        if link.url.startswith(DATAGRAMS) and not link.allow_from:
            keys.problem(f"link.{link.name}.allow_from", "", "anybody who reaches this port can send plots: ASTERIX carries "
                         "no proof of its sender", 'name the senders, such as allow_from = ["10.1.2.3"]', level="warning")
    if site.people and not any(role == "supervisor" for _, role in site.people):
        keys.problem("people", "", "nobody is a supervisor: an object that one sensor alone sees can never be warned of",
                     'write "Name" = "supervisor" below [people]')
    if site.mode == "live" and site.country and not site.zones.seal:
        keys.problem("zones", "", "the zones are not sealed: nobody notices where they are not the ones that were checked",
                     "`lapwing zones seal`, then name seal and certificate below [zones]", level="warning")
    if site.mode == "live" and "sender" not in site.policy:
        keys.problem("policy.sender", "", "is the example's: messages to the public would carry it",
                     'write sender = "warn@your.authority" below [policy]')
