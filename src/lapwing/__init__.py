"""Lapwing: watches the air on both sides of a border and warns the people below. See ``pipeline.py`` for the order."""

__version__ = "0.1.0"
