"""``lapwing zones``: seal the zone set of a site, and hold it against its seal."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

NAME = "zones"
HELP = ("Seal the zones of a site's country with a key, or hold them against the seal. The live service does the latter at its start and "
        "each night; zones of a drill are never sealed.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("what", choices=("seal", "check"), help="what to do")
    parser.add_argument("--country", metavar="CC", required=True, help="country pack (code or folder)")
    parser.add_argument("--seal", metavar="FILE", type=Path, default=Path("zones.seal.json"), help="the seal (default zones.seal.json)")
    parser.add_argument("--key", metavar="KEY", type=Path, help="seal: private key that signs it (`lapwing cap key` makes one)")
    parser.add_argument("--pinned", metavar="CERT", type=Path, help="check: the certificate that it must be signed with")


def run(arguments: argparse.Namespace) -> int:
    """Do it; 0 done, 1 these are not the zones that were sealed."""
    import time

    from lapwing.model.errors import ConfigError
    from lapwing.runtime.environment import prepare

    state_dir = prepare()
    from lapwing.runtime.wiring import load_country
    from lapwing.runtime.zone_seal import check_seal, drill_zones, make_seal, zone_set

    needed = arguments.key if arguments.what == "seal" else arguments.pinned
    if needed is None:
        option = "--key" if arguments.what == "seal" else "--pinned"
        raise ConfigError("is missing", where=option, remedy=f"give {option} FILE")
    pack = load_country(arguments.country, state_dir).pack
    if arguments.what == "seal":
        arguments.seal.write_bytes(make_seal(pack, arguments.key, time.time_ns()))
        print(json.dumps({"seal": str(arguments.seal), **zone_set(pack)}))
        return 0
    left = drill_zones(pack)
    problem = f"zones of a drill: {', '.join(left[:5])}" if left else check_seal(pack, arguments.seal, arguments.pinned)
    print(json.dumps({"seal": str(arguments.seal), "ok": not problem, "problem": problem, **zone_set(pack)}, ensure_ascii=False))
    return 1 if problem else 0
