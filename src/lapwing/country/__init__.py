"""A country pack: border, zones, places, texts, policy. Data only; `load_pack` reads it from octets."""

from lapwing.country.load import compile_pack, load_pack, load_territory, pack_sha256

__all__ = ["compile_pack", "load_pack", "load_territory", "pack_sha256"]
