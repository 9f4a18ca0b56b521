"""Plain SVG by hand: elements, colours and scales that the report's map and graph share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

# Distinct on paper and for colour-blind readers (Okabe and Ito's set, darkened where it is too pale for a line).
OBJECT_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9", "#5b3f8c", "#333333")
OTHER_COLOUR = "#9aa5ad"
LEVEL_COLOURS = {"alert": "#d7263d", "pre_alert": "#e8b000", "watch": "#8fb8de", "all_clear": "#3a9b5c"}

Point = tuple[float, float]


def tag(name: str, content: str = "", /, **attributes: object) -> str:
    """Return an SVG element; ``_`` in an attribute's name stands for ``-``, a trailing one is dropped."""
    written = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(_value(value))}"'
                      for key, value in attributes.items() if value is not None)
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def _value(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


def text(x: float, y: float, words: str, /, **attributes: object) -> str:
    """Return a text element."""
    return tag("text", escape(words), x=x, y=y, **attributes)


def path(points: Iterable[Point], *, closed: bool = False) -> str:
    """Return path data through the points, to a tenth of a pixel, leaving out those that do not move the pen."""
    parts: list[str] = []
    last = ""
    for x, y in points:
        here = f"{x:.1f} {y:.1f}"
        if here != last:
            parts.append(("L" if parts else "M") + here)
            last = here
    return "".join(parts) + ("Z" if closed and parts else "")


def thinned(points: Sequence[Point], step: float = 0.7) -> list[Point]:
    """Return the points without those nearer than a step to the one kept before; the last always stays."""
    kept: list[Point] = []
    for point in points:
        if not kept or abs(point[0] - kept[-1][0]) + abs(point[1] - kept[-1][1]) >= step:
            kept.append(point)
    if points and kept[-1] != points[-1]:
        kept.append(points[-1])
    return kept


def round_step(span: float, wanted: int) -> float:
    """Return a step of 1, 2 or 5 times a power of ten that divides a span into about so many parts.

    >>> round_step(83.0, 4)
    20.0
    """
    rough = max(span, 1e-9) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= rough * 0.999)


class Labels:
    """Places words without one covering another: whoever comes first stays."""

    def __init__(self) -> None:
        self._taken: list[tuple[float, float, float, float]] = []

    def place(self, x: float, y: float, words: str, size: float, offsets: Sequence[Point]) -> Point | None:
        """Return where the words fit (their left end on the baseline), trying the offsets in turn; None: nowhere."""
        width = 0.56 * size * len(words)
        for dx, dy in offsets:
            left = x + dx - (width if dx < 0 else 0.0)
            box = (left, y + dy - size, left + width, y + dy + 0.25 * size)
            if all(box[2] < other[0] or box[0] > other[2] or box[3] < other[1] or box[1] > other[3]
                   for other in self._taken):
                self._taken.append(box)
                return left, y + dy
        return None

    def keep_free(self, x: float, y: float, reach: float) -> None:
        """Keep words off a mark."""
        self._taken.append((x - reach, y - reach, x + reach, y + reach))
