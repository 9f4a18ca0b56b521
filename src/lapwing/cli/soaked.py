"""The service of `lapwing bench soak`: `lapwing run` with a clock that runs fast. For that bench alone; no command reaches it.

Words: SPEED BEGIN_S SITE. From BEGIN_S (seconds since 1970) on the service's time passes SPEED times as fast as the clock's.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path


def main(words: list[str]) -> int:
    """Serve until a signal."""
    from lapwing.cli.run import serve
    from lapwing.runtime.environment import prepare

    prepare()
    from lapwing.model.errors import ConfigError
    from lapwing.runtime.heap import share_one_heap
    from lapwing.runtime.logs import Log
    from lapwing.runtime.service import Service
    from lapwing.runtime.site_config import require_site
    from lapwing.runtime.steady import SteadyClock

    share_one_heap()
    speed, begin_ns, site = float(words[0]), round(float(words[1]) * 1e9), require_site(Path(words[2]))[0]
    if site.mode != "exercise":
        raise ConfigError("a clock that runs fast warns of nothing real", where=words[2], remedy='write mode = "exercise"')
    begun_ns = time.monotonic_ns() - (time.time_ns() - begin_ns)

    def fast_ns() -> int:
        return begin_ns + round(speed * (time.monotonic_ns() - begun_ns))

    return serve(Service(site, log=Log(time.time_ns, as_json=True), clock=SteadyClock(fast_ns, fast_ns, site.limits.clock_step_s)),
                 console=True, for_s=None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
