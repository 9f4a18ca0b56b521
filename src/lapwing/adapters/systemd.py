"""The notify protocol of systemd (sd_notify): ready, watchdog, reloading, stopping, status. Nothing where there is none.

Source: the manual page sd_notify(3): one datagram to the socket that NOTIFY_SOCKET names, ``@`` standing for the null
octet of an abstract one.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


class Notifier:
    """Tells the service manager how we are; counts what could not be told."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        self._address = environment.get("NOTIFY_SOCKET", "")
        pid, usec = environment.get("WATCHDOG_PID", ""), environment.get("WATCHDOG_USEC", "")
        ours = not pid or pid == str(os.getpid())
        self.watchdog_s = int(usec) / 1e6 if ours and usec.isdigit() else 0.0   # 0: no watchdog
        self.failed_count = 0

    def tell(self, **states: str | int) -> bool:
        """Send e.g. ``tell(READY=1, STATUS="watching")``; whether somebody listens."""
        if not self._address:
            return False
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        text = "\n".join(f"{key}={str(value).replace(chr(10), ' ')}" for key, value in states.items())
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
                out.sendto(text.encode(), address)
        except OSError:
            self.failed_count += 1
            return False
        return True
