"""``lapwing deliver JOURNAL --channels FILE``: hand the messages of a journal to the channels, and keep the receipts."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

NAME = "deliver"
HELP = "Hand the messages of a journal to the channels of a file, each at least once, and keep the receipts."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("journal", metavar="JOURNAL", type=Path, help="journal.sqlite, finished or still being written")
    parser.add_argument("--channels", metavar="FILE", type=Path, required=True, help="TOML with a table [channel.NAME] each")
    parser.add_argument("--outbox", metavar="FILE", type=Path, help="where receipts are kept (default: beside the journal)")
    parser.add_argument("--follow", action="store_true", help="go on until interrupted, with a heartbeat on the feed each minute")
    parser.add_argument("--republish", metavar="NAME", action="append", default=[],
                        help="send this channel what is in force once more: its other end has lost it; may be given again")
    parser.add_argument("--patience", metavar="S", type=float, default=60.0, help="without --follow: how long to try (default 60)")


def run(arguments: argparse.Namespace) -> int:
    """Print a line of JSON a channel; 0 all taken, 1 something was not."""
    from lapwing.runtime.deliver import deliver

    rows = deliver(arguments.journal, arguments.channels, follow=arguments.follow, store_file=arguments.outbox,
                   patience_s=arguments.patience, republish=arguments.republish)
    for row in rows:
        print(json.dumps(row, ensure_ascii=False))
    return 1 if any(row["waiting"] or row["refused"] or row["lapsed"] for row in rows) else 0
