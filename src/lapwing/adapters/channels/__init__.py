"""Channels: ways by which a warning reaches people. One file each, and one line each in `table`."""

from lapwing.adapters.channels.table import CHANNELS, make_channel

__all__ = ["CHANNELS", "make_channel"]
