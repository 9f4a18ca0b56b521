"""The URL of a database, read and shown. The password is taken out of it here and appears in no text from then on."""

from __future__ import annotations

import importlib.util
import ipaddress
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from lapwing.model.errors import ConfigError, StorageError

POSTGRES_PORT = 5_432
LIBRARIES = ("sqlalchemy", "alembic", "pg8000")
TLS = ("verify", "off")
_EXAMPLE = 'write "postgresql://lapwing@db.example:5432/lapwing" or "sqlite:///register.sqlite"'


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is, and how it is reached. `shown` is for people."""

    dialect: str                          # postgresql | sqlite
    host: str = ""
    port: int = POSTGRES_PORT
    socket: str = ""                      # folder of PostgreSQL's Unix socket, instead of a host
    name: str = ""
    user: str = ""
    path: Path = Path()                   # of the SQLite file
    password: str = field(default="", repr=False)
    tls: str = "off"
    tls_ca: str = ""                      # PEM file; empty: the certificates that the system trusts

    @property
    def shown(self) -> str:
        """The address without its password."""
        if self.dialect == "sqlite":
            return f"sqlite:///{self.path}"
        return f"postgresql://{self.user + '@' if self.user else ''}{self.socket or f'{self.host}:{self.port}'}/{self.name}"

    @property
    def is_near(self) -> bool:
        """Whether what is sent there stays on this machine."""
        return self.dialect == "sqlite" or bool(self.socket) or _is_loopback(self.host)

    def without_password(self, text: str) -> str:
        """Return a text that somebody else wrote without the password, should it stand in it."""
        return text.replace(self.password, "***") if len(self.password) >= 3 else text


def masked(url: str) -> str:
    """Return a URL, a wrong one too, without what might be a password.

    >>> masked("postgresql://site:hun/ter@2@db/lapwing?password=x")
    'postgresql://site:***@db/lapwing?***'
    """
    scheme, found, rest = url.partition("://")
    if not found:
        return url if "@" not in url and ":" not in url else "***"
    rest, asked, _ = rest.partition("?") if "@" not in rest.partition("?")[2] else (rest, "", "")
    login, at, place = rest.rpartition("@")
    name, colon, _ = login.partition(":")
    return f"{scheme}://{name}{':***' if colon else ''}{at}{place}{'?***' if asked else ''}"


def parse_address(url: str, base: Path, *, password: str = "", tls: str = "", tls_ca: str = "") -> Address:
    """Return the address of a URL. Raises ConfigError, whose text holds no password.

    Parameters
    ----------
    url : ``postgresql://USER@HOST:PORT/NAME``, ``postgresql:///NAME?host=/run/postgresql`` or ``sqlite:///PATH``
    base : folder that a relative path is seen from
    password : from a file of its own; instead of one in the URL
    tls : verify or off; empty: verify, and off for this machine
    """
    try:
        parts = urlsplit(url)
        port = parts.port or POSTGRES_PORT
    except ValueError as error:
        raise ConfigError("no URL", where=masked(url), remedy=_EXAMPLE) from error
    if parts.scheme == "sqlite":
        if parts.netloc or not parts.path.strip("/"):
            raise ConfigError("names no file", where=masked(url),
                              remedy='write "sqlite:///register.sqlite", or four slashes before an absolute path')
        return Address("sqlite", path=base / unquote(parts.path[1:]))
    if parts.scheme not in ("postgresql", "postgres"):
        raise ConfigError(f"no such kind of database: {parts.scheme or 'none'}", where=masked(url), remedy=_EXAMPLE)
    asked = dict(parse_qsl(parts.query))
    if set(asked) - {"host"}:
        raise ConfigError(f"knows no ?{min(set(asked) - {'host'})}=", where=masked(url),
                          remedy="?host=FOLDER of the Unix socket is the only one")
    name, host, socket = unquote(parts.path.strip("/")), parts.hostname or "", asked.get("host", "")
    if not name or "/" in name:
        raise ConfigError("names no database", where=masked(url), remedy=_EXAMPLE)
    if bool(host) == bool(socket):
        raise ConfigError("names both a host and a socket" if host else "names no host", where=masked(url), remedy=_EXAMPLE)
    found = Address("postgresql", host, port, socket, name, unquote(parts.username or ""),
                    password=password or unquote(parts.password or ""), tls_ca=tls_ca)
    return replace(found, tls=tls or ("off" if found.is_near else "verify"))


def require_libraries() -> None:
    """Raise StorageError where what speaks to a database is not installed."""
    missing = [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        raise StorageError(f"{', '.join(missing)} not installed", where="[database]", remedy="pip install 'lapwing[postgres]'")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
