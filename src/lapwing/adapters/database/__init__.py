"""The register of a site in a database: incidents, warnings, decisions, audit and accounts, in PostgreSQL or one SQLite file.

The journal is the source of truth and the register a projection of it: losing the database loses nothing. `address` reads a
URL without any library; the rest needs the extra `lapwing[postgres]`.
"""
