"""The tables of the register, one description for both dialects; the migrations make them, a test holds the two together.

Times are nanoseconds UTC since 1970 (``to_timestamp(sent_ns / 1e9)`` in PostgreSQL). What came from the journal carries its
place there: segment, batch, and number within the batch. A row is replaced only by one from the same or a later place.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import Index

METADATA = MetaData()
_ANY = JSON().with_variant(JSONB(), "postgresql")


def _place(*, key: bool = False) -> list[Column[object]]:
    return [Column("segment", Text, primary_key=key, nullable=False), Column("batch", BigInteger, primary_key=key, nullable=False),
            Column("number", Integer, primary_key=key, nullable=False)]


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _time(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


PLACES = Table(
    "places", METADATA, Column("site", Text, primary_key=True), _text("segment"), Column("batch", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False), _time("written_ns"), _text("machine"))
INCIDENTS = Table(
    "incidents", METADATA, Column("site", Text, primary_key=True), Column("id", Text, primary_key=True), _time("first_ns"),
    _time("last_ns"),
    Column("events", Integer, nullable=False))
EVENTS = Table(
    "events", METADATA, Column("site", Text, primary_key=True), *_place(key=True), _time("time_ns"), _text("incident"), _text("kind"),
    _text("severity"), _text("text"), Column("ids", _ANY, nullable=False), Index("events_by_incident", "site", "incident", "time_ns"))
PROPOSALS = Table(
    "proposals", METADATA, Column("site", Text, primary_key=True), Column("id", Text, primary_key=True), *_place(), _text("incident"),
    _time("time_ns"), _time("expires_ns"), _text("level"), _text("msg_type"), _text("reason"), _text("role"),
    Column("automatic", Boolean, nullable=False), Column("approvals_needed", Integer, nullable=False),
    Column("people", BigInteger, nullable=False), Column("zones", _ANY, nullable=False), Column("caused_by", _ANY, nullable=False),
    Index("proposals_by_incident", "site", "incident"))
DECISIONS = Table(
    "decisions", METADATA, Column("site", Text, primary_key=True), *_place(key=True), _text("incident"), _time("time_ns"),
    _text("proposal"), _text("action"), _text("who"), _text("text"), Index("decisions_by_who", "site", "who"))
ALERTS = Table(
    "alerts", METADATA, Column("site", Text, primary_key=True), Column("id", Text, primary_key=True), *_place(), _text("incident"),
    _time("sent_ns"), _time("expires_ns"), _text("status"), _text("msg_type"), _text("level"), _text("proposal"),
    Column("people", BigInteger, nullable=False), Column("zones", _ANY, nullable=False), Column("caused_by", _ANY, nullable=False),
    Column("approved_by", _ANY, nullable=False), Column("refers_to", _ANY, nullable=False), _text("cap_xml"),
    Index("alerts_by_incident", "site", "incident"), Index("alerts_by_time", "site", "sent_ns"))
# Of each machine its own chain: `public_key` is that of its audit file. Whole rows with their seals, so that it can be checked here.
AUDIT = Table(
    "audit", METADATA, Column("public_key", Text, primary_key=True), Column("number", BigInteger, primary_key=True), _text("site"),
    _text("machine"), _time("time_ns"), _text("who"), _text("what"), _text("detail"), Column("digest", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False), Index("audit_by_who", "who"), Index("audit_by_time", "time_ns"))
USERS = Table(
    "users", METADATA, Column("name", Text, primary_key=True), _text("role"), _text("hash"), _time("made_ns"))
KEYS = Table(
    "keys", METADATA, Column("id", Text, primary_key=True), Column("digest", LargeBinary, nullable=False, unique=True), _text("name"),
    _text("role"), _time("expires_ns"))
