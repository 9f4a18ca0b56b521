"""The commented site.toml that `lapwing init` writes. The tests hold it against the reader: every key is in it."""

from __future__ import annotations

import csv
import io

from lapwing.adapters import packs
from lapwing.country.settings import FILE, read_settings

TEXT = '''\
# A live site of Lapwing. Check it with `lapwing check site.toml`, run it with `lapwing run site.toml`.
# Paths are seen from the folder of this file. docs/settings.md explains every key.

[site]
name = "{name} exercise"
country = "{code}"              # country pack: code or folder
mode = "exercise"           # exercise: every message says so, CAP status Exercise; live: real warnings, CAP status Actual
data = "data"               # journal, outbox, accounts and alerts of this site
window_s = 0.1              # a batch: a radar sector or so; 0.05 to 0.2
# sources = ["25/201"]      # SAC/SIC that are listened to; left out: all. ASTERIX carries no proof of its sender
# sensors = "sensors.toml"  # instead of the [sensor.ID] tables below

[console]
host = "127.0.0.1"          # other addresses only with accounts: `lapwing users add`
port = 8650
# names = ["lapwing.example"]        # names by which the console is opened, beside localhost
# tls_certificate = "site.pem"
# tls_key = "site.key"

# Where data comes from: one table a link.
[link.radar]
url = "udp://127.0.0.1:8600"         # or udp://239.1.1.1:8600?iface=eth1, udp://:8600, tcp://10.0.0.7:8600,
                                     # tcp-listen://:8600, sapient://:5000, cot-udp://239.2.3.1:6969, sbs://, beast://
allow_from = ["127.0.0.1"]           # senders; left out: anybody who reaches the port
silent_after_s = 30                  # no data for so long: shown as blind

# Where the sensors stand. `lapwing listen` shows what is on a link and ends with such a table.
[sensor.example]
sac = 25
sic = 201
categories = [34, 48]
lat_deg = {lat_deg:.4f}
lon_deg = {lon_deg:.4f}
antenna_m_amsl = 100.0
rotation_s = 4.0

# What an authority decides. These stand in the pack; name here what your site does otherwise.
[policy]
sender = "lapwing@example.invalid"   # <sender> of every CAP message: your own before mode = "live"
# hold_lost_s = 300
# two_persons_above = 100000

# Who may decide, where there are no accounts (`lapwing users add`): officer or supervisor. Left out: whoever gives a name.
# [people]
# "Ana Popescu" = "supervisor"
# "Ion Marin" = "officer"

# The signed hash of the zones, held against them at the start and each night: `lapwing zones seal`.
# [zones]
# seal = "zones.seal.json"
# certificate = "zones.pem"

# How warnings go out. A channel owns its settings.
[channel.files]
kind = "cap-files"
folder = "alerts"           # below `data`
statuses = ["Exercise"]     # what it carries; a live site writes "Actual". Other kinds: docs/messages.md

# Published tracks as Parquet files, an hour each and then a day each: `lapwing query site.toml` asks them.
[archive]
keep = true
folder = "archive"          # below `data`
keep_days = 0               # older files are removed, save what `lapwing archive hold` keeps; 0: for ever

# Signing in at an identity provider (docs/settings.md), beside local accounts.
# [oidc]
# issuer = "https://id.example/realms/air"
# client_id = "lapwing"
# redirect = "https://lapwing.example/api/oidc/return"
# [oidc.roles]
# "air-watch" = "operator"

# The journal: a segment a day. Older ones are packed, or dropped, once the archive and the database have what is theirs.
[journal]
keep_days = 0               # 0: for ever; `lapwing archive hold` keeps an incident's
then = "pack"               # into `folder`; or "drop"
folder = "journal-packed"   # below `data`; may lie on another disk

# Incidents, warnings, audit and shared accounts in PostgreSQL (docs/database.md); the journal stays the record.
# [database]
# url = "postgresql://lapwing@db.example:5432/lapwing"     # or "sqlite:///register.sqlite"
# password_file = "db-password"
# tls_ca = "db-ca.pem"

[limits]
queue_entries = 50000       # datagrams waiting; the fullest link's oldest are shed above it, and counted
queue_octets = 268435456
memory_mb = 4096            # above it the service ends in good order, and the service manager starts it again
stall_s = 2.0               # a loop that stands still for so long names the function it stands in
checkpoint_s = 60.0         # after a crash so much is stepped again at the most
clock_step_s = 0.5          # a step of the system clock above this is named
probe_every_s = 10.0        # a synthetic aircraft through the whole chain
'''


def example(country: str) -> str:
    """Return the example for a country pack. Raises ConfigError where there is none."""
    files = packs.find_pack(country)
    settings = read_settings(files[FILE])
    first = next(csv.DictReader(io.StringIO(files.get("places.csv", b"").decode("utf-8-sig"))), {})
    latitude_deg, longitude_deg = float(first.get("lat_deg") or 50.0), float(first.get("lon_deg") or 20.0)
    return TEXT.format(name=settings.names.get("en", settings.code), code=country.lower() if len(country) == 2 else country,
                       lat_deg=latitude_deg, lon_deg=longitude_deg)
