"""``lapwing cluster``: a trial cluster for the journal, and copies of journals out of any cluster."""

from __future__ import annotations

import argparse

NAME = "cluster"
HELP = ("A NATS JetStream cluster that keeps the journal of a site. `up` starts three servers on loopback for trial, with accounts and a "
        "leaf node for each ally; `segments` lists what a journal holds; `fetch` copies it into files that `verify`, `replay` and "
        "`report` read.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    up = actions.add_parser("up", help="start three servers on loopback and keep them running until Ctrl-C")
    up.add_argument("folder", metavar="FOLDER", help="of the servers, what they store, and the passwords")
    up.add_argument("--ally", metavar="NAME", action="append", default=[], help="an ally with an account and a leaf node; may be repeated")
    up.add_argument("--port", metavar="N", type=int, default=0, help="first of the ports to use (default: free ones, kept in FOLDER)")
    up.add_argument("--for", dest="for_s", metavar="S", type=float, default=0.0, help="stop after so many seconds")
    for name, text in (("segments", "list the segments of a journal"), ("fetch", "copy a journal into a folder, one file a segment")):
        sub = actions.add_parser(name, help=text)
        sub.add_argument("log", metavar="URL", help="nats://HOST:4222,HOST:4222/JOURNAL")
        sub.add_argument("--credentials", metavar="FILE", default="", help="file with user:password, or a .creds file")
        if name == "fetch":
            sub.add_argument("folder", metavar="FOLDER", help="is made; must not hold a journal yet")


def run(arguments: argparse.Namespace) -> int:
    """Run one action; 0 done."""
    if arguments.action == "up":
        return _up(arguments)
    from lapwing.runtime.cluster_copy import fetch, list_segments

    if arguments.action == "segments":
        for line in list_segments(arguments.log, arguments.credentials):
            print(line)
        return 0
    from pathlib import Path

    for path in fetch(arguments.log, arguments.credentials, Path(arguments.folder)):
        print(path)
    return 0


def _up(arguments: argparse.Namespace) -> int:
    import signal
    import threading
    from pathlib import Path

    from lapwing.runtime.cluster import Cluster

    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    cluster = Cluster(Path(arguments.folder), arguments.ally, first_port=arguments.port)
    cluster.up()
    try:
        print(f'log = "{cluster.url("JOURNAL")}"')
        print(f'log_credentials = "{cluster.credentials}"')
        for ally, server in cluster.leaf_nodes.items():
            print(f"ally {ally}: its leaf node listens on {server.url}; it sees released.{ally}.>")
        print("three servers run on this machine: a trial, no safety. Ctrl-C stops them.", flush=True)
        over.wait(arguments.for_s or None)
    finally:
        cluster.down()
    return 0
