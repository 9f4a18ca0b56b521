"""``[oidc]`` of a site.toml: the identity provider that people may sign in at, and which of its claims means which role."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from urllib.parse import urlsplit

from lapwing.adapters.oidc import ProviderSettings, is_safe
from lapwing.runtime.access import ROLES
from lapwing.runtime.config_keys import Keys

RETURN_PATH = "/api/oidc/return"


def oidc_settings(keys: Keys, base: Path) -> ProviderSettings | None:
    """Return the provider's settings, None where there is no such table; every problem is told."""
    if not keys.names():
        return None
    default = ProviderSettings("", "", "")
    issuer, client_id, redirect = keys.text("issuer"), keys.text("client_id"), keys.text("redirect")
    if issuer and not is_safe(issuer):
        keys.wrong("issuer", issuer, "give its https address, as it writes it into its tokens")
    if redirect and not (is_safe(redirect) and urlsplit(redirect).path == RETURN_PATH):
        keys.wrong("redirect", redirect, f"give the console's https address, with {RETURN_PATH}, as the provider knows it")
    table = keys.table("roles")
    roles = {claim: table.choice(claim, ROLES, ROLES[0]) for claim in table.names()}
    if not roles:
        keys.problem("roles", "", "nobody of the provider gets a role", 'write [oidc.roles] and "group of the provider" = "operator"')
    scopes = keys.texts("scopes", default.scopes)
    if "openid" not in scopes:
        keys.wrong("scopes", list(scopes), "openid must be among them")
    found = ProviderSettings(issuer, client_id, redirect, keys.text("name", default.name), _secret(keys, base), scopes,
                             keys.text("name_claim", default.name_claim), keys.text("role_claim", default.role_claim),
                             tuple(sorted(roles.items(), key=lambda item: ROLES.index(item[1]))))
    keys.end()
    if importlib.util.find_spec("authlib") is None:
        keys.problem("issuer", issuer, "needs authlib", "pip install 'lapwing[oidc]'")
    return found


def _secret(keys: Keys, base: Path) -> str:
    file = keys.text("client_secret_file", "")
    if not file:
        return ""
    try:
        if (base / file).stat().st_mode & 0o077:
            keys.problem("client_secret_file", file, "may be read by others", f"chmod 600 {file}", level="warning")
        return (base / file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        keys.wrong("client_secret_file", file, "no such file: one line with the client's secret, seen from this file")
        return ""
