"""Accounts of a cluster: the site's, with its journal; one an ally, which holds nothing but what is released to it; the system's.

An account is a world of subjects of its own. What an ally's account sees is what the site's account exports to it
(``released.NAME.>``), whatever the ally subscribes to. Its user comes in as a leaf node only and may publish nothing at all: not
to the site, not to another ally, not in answer to anything.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lapwing.model.errors import ConfigError

SITE_USER, ADMIN_USER = "site", "admin"
NAME_LENGTH_MAX = 32


@dataclass(frozen=True, slots=True)
class Secrets:
    """Passwords by user name; each lies in a file ``NAME.credentials`` that its owner alone may read."""

    by_user: dict[str, str]

    def password(self, user: str) -> str:
        """Return the password of a user."""
        return self.by_user[user]


def check_ally(name: str) -> str:
    """Return the name of an ally where it can be a part of a subject. Raises ConfigError."""
    if not (name and len(name) <= NAME_LENGTH_MAX and name.isascii() and name.replace("-", "").isalnum() and name == name.lower()
            and name not in (SITE_USER, ADMIN_USER)):
        raise ConfigError(f"{name!r} is no name of an ally", where="cluster", remedy="use small letters, digits and -, such as pl")
    return name


def load_secrets(folder: Path, users: Sequence[str]) -> Secrets:
    """Return the passwords kept in a folder; made where there are none yet."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = {}
    for user in users:
        path = folder / f"{user}.credentials"
        if not path.is_file():
            path.touch(mode=0o600)
            path.write_text(f"{user}:{secrets.token_urlsafe(24)}\n", encoding="ascii")
        found[user] = path.read_text(encoding="ascii").strip().partition(":")[2]
    return Secrets(found)


def accounts_text(known: Secrets, allies: Sequence[str]) -> str:
    """Return the accounts as lines of a server's configuration."""
    exports = ", ".join(f'{{ stream: "{released_subject(ally)}", accounts: [ALLY_{_upper(ally)}] }}' for ally in allies)
    blocks = [
        f'  SITE: {{ jetstream: enabled, exports: [{exports}], users: [{{ user: "{SITE_USER}", '
        f'password: "{known.password(SITE_USER)}", allowed_connection_types: ["STANDARD"] }}] }}',
        f'  SYS: {{ users: [{{ user: "{ADMIN_USER}", password: "{known.password(ADMIN_USER)}" }}] }}']
    for ally in allies:
        blocks.append(
            f'  ALLY_{_upper(ally)}: {{ imports: [{{ stream: {{ account: SITE, subject: "{released_subject(ally)}" }} }}], users: [{{ '
            f'user: "{ally}", password: "{known.password(ally)}", allowed_connection_types: ["LEAFNODE"], '
            f'permissions: {{ publish: {{ deny: [">"] }}, subscribe: {{ allow: [">"] }}, allow_responses: false }} }}] }}')
    return "accounts: {\n" + "\n".join(blocks) + "\n}\nsystem_account: SYS"


def leaf_text(hub_port: int, ally: str, password: str, host: str = "127.0.0.1") -> str:
    """Return what an ally's own server says of its link to us."""
    return f'leafnodes {{ remotes: [{{ url: "nats-leaf://{ally}:{password}@{host}:{hub_port}" }}] }}'


def released_subject(ally: str) -> str:
    """Return the subject family of what is released to an ally."""
    return f"released.{ally}.>"


def _upper(name: str) -> str:
    return name.upper().replace("-", "_")
