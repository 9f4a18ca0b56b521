"""What a live site is set up with, and what its journal must say of that."""

from __future__ import annotations

import json

from lapwing import __version__, pipeline
from lapwing.adapters.channels import make_channel
from lapwing.model.ports import Channel
from lapwing.record import codec
from lapwing.runtime.site_config import Site
from lapwing.runtime.site_region import region_fact
from lapwing.runtime.wiring import Country, make_setup, with_policy


def facts_of(site: Site, country: Country | None) -> dict[str, str]:
    """Return what each segment of the journal must say so that it can be replayed by itself."""
    facts = {"lapwing": __version__, "source": f"live: {site.name}", "status": site.status, "window_s": repr(site.window_s),
             "sensors": codec.encode(site.sensors).hex(), "allow": json.dumps([list(pair) for pair in site.allow]),
             "judge": codec.encode(site.judge).hex()}
    if country is not None:
        facts |= {"country": country.pack.code, "country_sha256": country.pack.sha256, "country_version": country.pack.version,
                  "policy": json.dumps(dict(site.policy), sort_keys=True, default=list)}
    if site.own:
        facts["own"] = json.dumps([list(pair) for pair in site.own])
    if site.region.name:
        facts["region"] = region_fact(site.region)
    # Always: a table that was taken away is a change too.
    return facts | {"people": json.dumps([list(pair) for pair in site.people], ensure_ascii=False)}


def setup_of_site(site: Site, country: Country | None) -> pipeline.Setup:
    """Return the pipeline's setup."""
    return make_setup(site.sensors, with_policy(country, site.policy) if country is not None else None, status=site.status,
                      allow=site.allow, judge=site.judge, people=site.people, region=site.region, own=site.own)


def channels_of(site: Site) -> dict[str, Channel]:
    """Return the channels, by name."""
    return {name: make_channel(name, settings, site.data) for name, settings in site.channels.items()}
