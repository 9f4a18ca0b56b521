"""The command ``lapwing``: finds the module of a command, runs it, and turns errors into words and an exit status.

Exit status: 0 done, 1 found faults, 2 bad usage or input, 130 interrupted. Only the module asked for is imported, so
``lapwing --help`` answers in under 0.3 s.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import sys
from collections.abc import Sequence

from lapwing import __version__
from lapwing.model.errors import LapwingError

# Command -> (module, one line for --help). Adding a command is one file and one line here.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "play a story through simulated radars and the whole chain, console open, narrated"),
    "run": ("run", "the live service of a site"),
    "cluster": ("cluster", "a NATS cluster for the journal: three servers on loopback for trial; copy a journal out of one"),
    "init": ("init", "write a commented site.toml"),
    "check": ("check", "check a site.toml: every problem with key, value and remedy"),
    "zones": ("zones", "seal the zone set of a country, and hold it against its seal"),
    "users": ("users", "accounts, API keys and audit of a site"),
    "replay": ("replay", "run a recording, plots, a story or a journal through the same chain"),
    "decode": ("decode", "ASTERIX in any framing -> records with units"),
    "track": ("track", "plots (Parquet) -> tracks (Parquet)"),
    "listen": ("listen", "what is on this link; ends with a [sensor.*] block to paste"),
    "check-radar": ("check_radar", "a radar's measured noise, bias, detection and coverage; pass or fail"),
    "border": ("border", "points (CSV) -> country, signed distance, nearest point, zones"),
    "judge": ("judge", "tracks (Parquet) -> border verdicts"),
    "forecast": ("forecast", "tracks (Parquet) -> will it enter, when, where, which zones"),
    "warn": ("warn", "tracks (Parquet) and a policy -> public messages, officers played"),
    "alerts": ("alerts", "the officer's hand: list, show, approve, refuse, cancel, all-clear, raise"),
    "cap": ("cap", "check CAP 1.2 messages: every rule, not the XSD alone"),
    "sapient": ("sapient", "check SAPIENT messages: BSI Flex 335 v2.0"),
    "cot": ("cot", "check CoT 2.0 events, XML and TAK protocol"),
    "cell-broadcast": ("cell_broadcast", "alphabet, pages and hex of a text for phones"),
    "deliver": ("deliver", "hand the messages of a journal to the channels, and keep the receipts"),
    "dead-man": ("dead_man", "ring when the signed feed stops being renewed: a second process, run elsewhere"),
    "simulate": ("simulate", "write a story or a made-up night as truth and sensor recordings"),
    "score": ("score", "outputs against truth: tracks, verdicts, warnings"),
    "log": ("log", "journal what people know: patrol, sighting, identify, impact, sensor"),
    "report": ("report", "after-action report from a journal"),
    "explain": ("explain", "a verdict of a journal down to its plots and their octets"),
    "verify": ("verify", "check a journal: hash chain and replay equality"),
    "archive": ("archive", "Parquet files of all published tracks: keep, list, verify, hold an incident"),
    "journal": ("journal", "the segments of a site's journal: list, retire, restore"),
    "database": ("database", "the register of incidents, warnings, audit and shared accounts: make, feed, rebuild"),
    "incidents": ("incidents", "ask the register: incidents, warnings, decisions, audit"),
    "query": ("query", "ask the archive: tracks within a distance of the border, in a time"),
    "plot": ("plot", "draw a scene: truth, plots and tracks in one picture"),
    "prepare": ("prepare", "compile kernels and country packs once for this installation"),
    "bench": ("bench", "speed and quality beside a reference, as ratios"),
}

_REMEDY = {
    errno.ENOSPC: "free space, or name another place", errno.EDQUOT: "free space, or ask for a larger quota",
    errno.EFBIG: "the file would exceed a size limit: raise it, or name another place",
    errno.EROFS: "name a place that may be written", errno.ENOTDIR: "a part of the path is a file: name a folder",
    errno.EIO: "check the disk",
}


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    listing = "\n".join(f"  {name:<{width}}  {text}" for name, (_, text) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="lapwing",
        description="Lapwing watches the air on both sides of a border and warns the people below.",
        epilog=f"commands:\n{listing}\n\n`lapwing COMMAND --help` explains one.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"lapwing {__version__}")
    parser.add_argument("command", metavar="COMMAND", help="one of the commands below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = _parser()
    if not words:
        parser.print_help()
        return 2
    if words[0] not in COMMANDS:
        parser.parse_args(words[:1])  # prints help or the version and leaves, if that was asked for
        near = [name for name in COMMANDS if name.startswith(words[0][:3])]
        print(f"lapwing: no command {words[0]!r}; " + (f"did you mean {near[0]}? " if near else "")
              + "`lapwing --help` lists them", file=sys.stderr)
        return 2
    module = importlib.import_module(f"lapwing.cli.{COMMANDS[words[0]][0]}")
    command = argparse.ArgumentParser(prog=f"lapwing {words[0]}", description=module.HELP)
    module.add_arguments(command)
    arguments = command.parse_args(words[1:])
    try:
        return int(module.run(arguments))
    except LapwingError as error:
        print(f"lapwing {words[0]}: {error}", file=sys.stderr)
        return 2
    except FileNotFoundError as error:
        print(f"lapwing {words[0]}: {error.filename}: no such file; check the path", file=sys.stderr)
        return 2
    except IsADirectoryError as error:
        print(f"lapwing {words[0]}: {error.filename}: is a folder; name a file", file=sys.stderr)
        return 2
    except PermissionError as error:
        print(f"lapwing {words[0]}: {error.filename}: not permitted; check owner and mode", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader (head, less) has gone: say nothing more, and keep the interpreter from flushing into it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = error.filename or getattr(arguments, "out", None) or "output"
        print(f"lapwing {words[0]}: {where}: {error.strerror or error}; nothing more was written; "
              f"{_REMEDY.get(error.errno or 0, 'name another place, or remove the cause and run it again')}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
