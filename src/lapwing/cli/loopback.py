"""Ask a running instance on this machine over HTTP: for the commands that hand it a record or a decision."""

from __future__ import annotations

URL = "http://127.0.0.1:8650"
REFUSAL_OCTETS_MAX = 65_536


def exchange(url: str, path: str, data: bytes | None, *, refused: str, absent: str) -> bytes:
    """Return the body that a running instance answers to a POST of JSON, or to a GET where `data` is None.

    Parameters
    ----------
    url : of the instance; loopback only
    path : below it, from the slash on
    refused, absent : what to do where it refuses, and where none answers

    Raises
    ------
    ConfigError where the address is not this machine's; InputError where it is not taken or nobody answers
    """
    import json
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.parse import urlsplit
    from urllib.request import ProxyHandler, Request, build_opener

    from lapwing.model.errors import ConfigError, InputError

    try:
        parts = urlsplit(url)
        here = parts.scheme in ("http", "https") and parts.hostname in ("127.0.0.1", "localhost", "::1")
    except ValueError:
        here = False
    if not here:
        raise ConfigError("not an address of this machine", where=f"--url {url}",
                          remedy=f"records and decisions are taken over loopback only, e.g. {URL}")
    request = Request(url.rstrip("/") + path, data, {"Content-Type": "application/json"})
    try:
        # Loopback never goes through a proxy, whatever the environment says.
        with build_opener(ProxyHandler({})).open(request, timeout=10.0) as answer:
            return bytes(answer.read())
    except HTTPError as error:
        try:
            said = json.loads(error.read(REFUSAL_OCTETS_MAX))
        except ValueError:
            said = {}
        known = said if isinstance(said, dict) else {}
        words = known.get("error") or known.get("what") or known.get("detail") or error.reason
        raise InputError(f"not taken ({error.code}): {words}", where=url, remedy=known.get("remedy") or refused) from error
    except (URLError, HTTPException, OSError) as error:
        raise InputError(f"no running instance answers: {getattr(error, 'reason', error)}", where=url, remedy=absent) from error
