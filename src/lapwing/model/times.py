"""Times: int64 nanoseconds UTC since 1970 inside, ISO 8601 with ``Z`` in files and messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NS_PER_S = 1_000_000_000
DAY_NS = 86_400 * NS_PER_S
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_iso(time_ns: int, *, digits: int = 3) -> str:
    """Return ISO 8601 with ``Z`` and `digits` decimals of the second (0 for none), rounded down.

    >>> to_iso(1_754_423_522_250_000_000)
    '2025-08-05T19:52:02.250Z'
    """
    seconds, rest_ns = divmod(int(time_ns), NS_PER_S)
    text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest_ns:09d}"[: 20 + digits] + "Z" if digits else f"{text}Z"


def from_iso(text: str) -> int:
    """Return nanoseconds since 1970 of an ISO 8601 time. A time without zone is refused (ValueError).

    >>> to_iso(from_iso("2025-08-05T22:52:02+03:00"), digits=0)
    '2025-08-05T19:52:02Z'
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"time {text!r} has no zone: end it with Z")
    span = moment - _EPOCH
    return (span.days * 86_400 + span.seconds) * NS_PER_S + span.microseconds * 1_000


def from_seconds(seconds: float) -> int:
    """Return a duration in nanoseconds, rounded to the nearest microsecond (what the inputs resolve)."""
    return round(seconds * 1e6) * 1_000
