"""Ask a running instance over HTTP: for the commands that hand it a record or a decision.

Plain HTTP goes to this machine alone. A site with accounts wants an API key: it is taken from the environment or a file,
never from the command line, where every process of the machine could read it. With one, HTTPS may go further.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urllib.request import HTTPSHandler

URL = "http://127.0.0.1:8650"
KEY, KEY_FILE, CA_FILE = "LAPWING_KEY", "LAPWING_KEY_FILE", "LAPWING_CA_FILE"
REFUSAL_OCTETS_MAX = 65_536


def api_key() -> str:
    """Return the API key of the environment, or of the file that it names; empty without one. Raises ConfigError."""
    import os
    from pathlib import Path

    from lapwing.model.errors import ConfigError

    key, where = os.environ.get(KEY, ""), KEY
    if not key and os.environ.get(KEY_FILE):
        where = f"{KEY_FILE}={os.environ[KEY_FILE]}"
        try:
            key = Path(os.environ[KEY_FILE]).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"cannot be read: {getattr(error, 'strerror', None) or 'not a key'}", where=where,
                              remedy="name the file that holds what `lapwing users key` printed") from error
    key = key.strip()
    if not all("!" <= letter <= "~" for letter in key):
        raise ConfigError("is no key: it holds blanks, or letters that no key has", where=where,
                          remedy="give what `lapwing users key` printed, alone")
    return key


def exchange(url: str, path: str, data: bytes | None, *, refused: str, absent: str) -> bytes:
    """Return the body that a running instance answers to a POST of JSON, or to a GET where `data` is None.

    Parameters
    ----------
    url : of the instance; loopback only, but for HTTPS with a key
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
    from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

    from lapwing.model.errors import ConfigError, InputError

    try:
        parts = urlsplit(url)
        here = parts.scheme in ("http", "https") and parts.hostname in ("127.0.0.1", "localhost", "::1")
    except ValueError:
        parts, here = urlsplit(""), False

    class _Here(HTTPRedirectHandler):
        """Follows nothing: a decision goes where it was sent, or nowhere."""

        def redirect_request(self, *_: object) -> None:
            return None

    key = api_key()
    if not here and not (key and parts.scheme == "https" and parts.hostname):
        raise ConfigError("not an address of this machine", where=f"--url {url}",
                          remedy=f"records and decisions are taken over loopback, e.g. {URL}; from elsewhere over https, with a key "
                                 f"in {KEY} or {KEY_FILE}")
    request = Request(url.rstrip("/") + path, data, {"Content-Type": "application/json"})  # noqa: S310  looked at above
    if key:
        request.add_unredirected_header("Authorization", f"Bearer {key}")
    try:
        # Never through a proxy, whatever the environment says; and a redirection is no answer.
        with build_opener(ProxyHandler({}), *_trusting(parts.scheme), _Here()).open(request, timeout=10.0) as answer:
            return bytes(answer.read())
    except HTTPError as error:
        try:
            said = json.loads(error.read(REFUSAL_OCTETS_MAX))
        except ValueError:
            said = {}
        if error.code in (401, 403):
            refused = f"a site with accounts wants an API key that may: put it into {KEY}, or its file into {KEY_FILE}"
            said = {"error": said.get("error")} if isinstance(said, dict) else {}
        known = said if isinstance(said, dict) else {}
        words = known.get("error") or known.get("what") or known.get("detail") or error.reason
        raise InputError(f"not taken ({error.code}): {words}", where=url, remedy=known.get("remedy") or refused) from error
    except (URLError, HTTPException, OSError) as error:
        raise InputError(f"no running instance answers: {getattr(error, 'reason', error)}", where=url, remedy=absent) from error


def _trusting(scheme: str) -> list[HTTPSHandler]:
    """Return a handler that trusts the authority named in the environment; none where it names none."""
    import os
    import ssl
    from urllib.request import HTTPSHandler

    from lapwing.model.errors import ConfigError

    file = os.environ.get(CA_FILE, "")
    if scheme != "https" or not file:
        return []
    try:
        return [HTTPSHandler(context=ssl.create_default_context(cafile=file))]
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"no certificates: {error}", where=f"{CA_FILE}={file}", remedy="name a PEM file") from error
