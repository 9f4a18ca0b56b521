"""``[database]`` of a site.toml: where the register of incidents, warnings, audit and shared accounts lies."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from lapwing.adapters.database.address import LIBRARIES, TLS, Address, masked, parse_address
from lapwing.model.errors import ConfigError
from lapwing.runtime.config_keys import Keys


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Which database, and under which name this site's rows stand in it."""

    address: Address | None = None           # None: there is none
    site: str = ""
    accounts: bool = True                    # accounts and keys are shared through it


def database_settings(keys: Keys, base: Path, site_name: str) -> DatabaseSettings:
    """Return the settings; every problem is told, with the password taken out."""
    url, site = keys.text("url", ""), keys.text("site", site_name)
    file, tls, authority = keys.text("password_file", ""), keys.text("tls", ""), keys.text("tls_ca", "")
    accounts = keys.raw("accounts")
    if not isinstance(accounts, bool | None):
        keys.wrong("accounts", accounts, "write true or false")
    keys.end()
    if not url:
        if keys.names():
            keys.problem("url", "", "is missing", 'write url = "postgresql://lapwing@db.example/lapwing"')
        return DatabaseSettings()
    if tls not in ("", *TLS):
        keys.problem("tls", tls, f"must be one of {', '.join(TLS)}", "leave it out: verify, and off for this machine")
        tls = ""
    if authority and not (base / authority).is_file():
        keys.wrong("tls_ca", authority, "no such file: give the path of a PEM file, seen from this one")
    try:
        address = parse_address(url, base, password=_password(keys, file, base), tls=tls, tls_ca=str(base / authority) if authority else "")
    except ConfigError as error:
        keys.problem("url", masked(url), error.what, error.remedy)
        return DatabaseSettings()
    if address.dialect == "postgresql" and address.password and not file:
        keys.problem("url", masked(url), "holds the password: whoever reads this file has it",
                     'write it into a file that the service alone may read, and password_file = "db-password"', level="warning")
    if address.tls == "off" and not address.is_near:
        keys.problem("tls", tls, f"is off: passwords and people's names go to {address.host} for all to read", 'write tls = "verify"',
                     level="warning")
    missing = [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        keys.problem("url", masked(url), f"needs {', '.join(missing)}", "pip install 'lapwing[postgres]'")
    return DatabaseSettings(address, site, accounts is not False)


def _password(keys: Keys, file: str, base: Path) -> str:
    if not file:
        return ""
    path = base / file
    try:
        password = path.read_text(encoding="utf-8").rstrip("\r\n")
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        keys.problem("password_file", file, f"cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}",
                     "give the path of a file with one line, seen from this one")
        return ""
    if not password or "\n" in password:
        keys.problem("password_file", file, "holds no password" if not password else "holds more than one line",
                     "write the password as its one line")
    if mode & 0o077:
        keys.problem("password_file", file, f"may be read by others (mode {mode & 0o777:o})", f"chmod 600 {file}", level="warning")
    return password
