"""The register: places, incidents, events, proposals, decisions, alerts, audit, users, keys."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ANY = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def _text(name: str, *, key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=False)


def _long(name: str, *, key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=False)


def _any(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, _ANY, nullable=False) for name in names]


def _place(*, key: bool = False) -> list[sa.Column[Any]]:
    return [_text("segment", key=key), _long("batch", key=key), sa.Column("number", sa.Integer, primary_key=key, nullable=False)]


def upgrade() -> None:
    """Make the tables."""
    op.create_table("places", _text("site", key=True), _text("segment"), _long("batch"),
                    sa.Column("digest", sa.LargeBinary, nullable=False), _long("written_ns"), _text("machine"))
    op.create_table("incidents", _text("site", key=True), _text("id", key=True), _long("first_ns"), _long("last_ns"),
                    sa.Column("events", sa.Integer, nullable=False))
    op.create_table("events", _text("site", key=True), *_place(key=True), _long("time_ns"), _text("incident"), _text("kind"),
                    _text("severity"), _text("text"), *_any("ids"))
    op.create_index("events_by_incident", "events", ["site", "incident", "time_ns"])
    op.create_table("proposals", _text("site", key=True), _text("id", key=True), *_place(), _text("incident"), _long("time_ns"),
                    _long("expires_ns"), _text("level"), _text("msg_type"), _text("reason"), _text("role"),
                    sa.Column("automatic", sa.Boolean, nullable=False), sa.Column("approvals_needed", sa.Integer, nullable=False),
                    _long("people"), *_any("zones", "caused_by"))
    op.create_index("proposals_by_incident", "proposals", ["site", "incident"])
    op.create_table("decisions", _text("site", key=True), *_place(key=True), _text("incident"), _long("time_ns"), _text("proposal"),
                    _text("action"), _text("who"), _text("text"))
    op.create_index("decisions_by_who", "decisions", ["site", "who"])
    op.create_table("alerts", _text("site", key=True), _text("id", key=True), *_place(), _text("incident"), _long("sent_ns"),
                    _long("expires_ns"), _text("status"), _text("msg_type"), _text("level"), _text("proposal"), _long("people"),
                    *_any("zones", "caused_by", "approved_by", "refers_to"), _text("cap_xml"))
    op.create_index("alerts_by_incident", "alerts", ["site", "incident"])
    op.create_index("alerts_by_time", "alerts", ["site", "sent_ns"])
    op.create_table("audit", _text("public_key", key=True), _long("number", key=True), _text("site"), _text("machine"), _long("time_ns"),
                    _text("who"), _text("what"), _text("detail"), sa.Column("digest", sa.LargeBinary, nullable=False),
                    sa.Column("signature", sa.LargeBinary, nullable=False))
    op.create_index("audit_by_who", "audit", ["who"])
    op.create_index("audit_by_time", "audit", ["time_ns"])
    op.create_table("users", _text("name", key=True), _text("role"), _text("hash"), _long("made_ns"))
    op.create_table("keys", _text("id", key=True), sa.Column("digest", sa.LargeBinary, nullable=False, unique=True), _text("name"),
                    _text("role"), _long("expires_ns"))


def downgrade() -> None:
    """Remove the tables: the journal has everything but the accounts, which each machine has a copy of."""
    for name in ("keys", "users", "audit", "alerts", "decisions", "proposals", "events", "incidents", "places"):
        op.drop_table(name)
