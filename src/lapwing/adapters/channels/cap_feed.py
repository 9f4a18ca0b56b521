"""Channel ``cap-feed``: signed CAP files and a signed Atom feed of them, for a web server to show.

The feed lists what is in force and, for 24 hours more, what has ended: a reader that was away learns of both. Its
``updated`` is the heartbeat: it is written anew, signed, every minute even if nothing happens, so that a reader tells a
quiet night from a dead machine.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from lapwing.adapters.channels.settings import Carries, Settings, read_profile
from lapwing.adapters.channels.whole_files import file_name, write_whole
from lapwing.model.errors import NotTaken
from lapwing.model.ids import make_id
from lapwing.model.times import NS_PER_S, to_iso
from lapwing.warn.cap_profile import in_profile
from lapwing.warn.cap_signature import Signer

ENTRIES_MAX = 2_000                  # of the index: the oldest that have ended go first
INDEX = "index.json"


class CapFeed:
    """Settings: folder, address (where the folder is published), title, author, key_file, cert_file, keep_h, profile,
    profiles_file, statuses.
    """

    def __init__(self, name: str, values: Mapping[str, Any], base: Path, clock: Callable[[], int] = time.time_ns) -> None:
        settings = Settings(name, values, base)
        self.name = name
        self._clock = clock
        self._carries = Carries(settings)
        self._profile = read_profile(settings)
        self.folder = settings.path("folder", "feed")
        self._address = settings.text("address", "").rstrip("/")
        self._title = settings.text("title", "Public warnings")
        self._author = settings.text("author", "Lapwing")
        self._keep_ns = round(settings.number("keep_h", 24.0, 1.0, 720.0) * 3_600) * NS_PER_S
        key, certificate = settings.text("key_file", ""), settings.text("cert_file", "")
        settings.done()
        if bool(key) != bool(certificate):
            raise settings.wrong("key_file", "and cert_file go together")
        self.signer = Signer((base / key).read_bytes(), (base / certificate).read_bytes()) if key else None
        self._lock = threading.Lock()    # the heartbeat comes from another thread

    def send(self, identifier: str, document: bytes) -> str:
        """Write the signed document, then the feed; return the document's address."""
        delivery = self._carries.checked(document)
        with self._lock:
            name = file_name(delivery.identifier)
            document = in_profile(document, self._profile)
            document = document if self.signer is None else self.signer.sign(document, ours=True)
            write_whole(self.folder / "alerts" / name, document)
            entries = [e for e in self._entries() if e["id"] != delivery.identifier]
            for entry in entries:
                if entry["id"] in delivery.references:
                    entry["ended_ns"] = min(entry["ended_ns"], delivery.sent_ns)
            words = delivery.words[0] if delivery.words else None
            entries.append({
                "id": delivery.identifier, "file": f"alerts/{name}", "sent_ns": delivery.sent_ns, "status": delivery.status,
                "title": words.headline if words else delivery.level, "summary": words.description if words else "",
                "msg_type": delivery.msg_type, "level": delivery.level, "language": words.language if words else "",
                "ended_ns": delivery.sent_ns if delivery.msg_type == "Cancel" else delivery.expires_ns})
            self._write(entries)
        return f"{self._address}/alerts/{name}" if self._address else f"alerts/{name}"

    def beat(self) -> int:
        """Write the feed anew with the time; return that time. Entries that ended long ago go."""
        with self._lock:
            return self._write(self._entries())

    def _entries(self) -> list[dict[str, Any]]:
        path = self.folder / INDEX
        if not path.is_file():
            return []
        try:
            found = json.loads(path.read_bytes())
            return [dict(entry) for entry in found["entries"]]
        except (ValueError, KeyError, TypeError) as error:
            raise NotTaken(f"is damaged: {error}", where=str(path), again=True,
                           remedy="move it away: the feed begins anew; `lapwing deliver --republish` fills it again") from error

    def _write(self, entries: list[dict[str, Any]]) -> int:
        now_ns = self._clock()
        kept = [e for e in entries if e["ended_ns"] + self._keep_ns > now_ns]
        kept = sorted(kept, key=lambda e: (e["ended_ns"] > now_ns, e["sent_ns"], e["id"]), reverse=True)[:ENTRIES_MAX]
        write_whole(self.folder / INDEX, json.dumps({"entries": kept}, sort_keys=True).encode())
        feed = self.document(kept, now_ns)
        write_whole(self.folder / "feed.atom", feed if self.signer is None else self.signer.sign(feed, ours=True))
        return now_ns

    def document(self, entries: list[dict[str, Any]], now_ns: int) -> bytes:
        """Return the feed, unsigned."""
        link = quoteattr(f"{self._address}/feed.atom" if self._address else "feed.atom")
        lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<feed xmlns="http://www.w3.org/2005/Atom">',
                 f"  <id>urn:uuid:{make_id('feed', self._address or self._title)}</id>", f"  <title>{escape(self._title)}</title>",
                 f"  <updated>{to_iso(now_ns)}</updated>", f"  <author><name>{escape(self._author)}</name></author>",
                 f'  <link rel="self" type="application/atom+xml" href={link}/>']
        for entry in sorted(entries, key=lambda e: (e["sent_ns"], e["id"]), reverse=True):
            href = quoteattr(f"{self._address}/{entry['file']}" if self._address else entry["file"])
            over = entry["ended_ns"] <= now_ns
            lines += ["  <entry>", f"    <id>{escape(entry['id'])}</id>", f"    <title>{escape(entry['title'])}</title>",
                      f"    <updated>{to_iso(min(entry['ended_ns'], now_ns) if over else entry['sent_ns'])}</updated>",
                      f"    <published>{to_iso(entry['sent_ns'])}</published>",
                      f'    <link rel="alternate" type="application/cap+xml" href={href}/>',
                      f"    <category term={quoteattr('ended' if over else 'in-force')}/>",
                      f"    <category term={quoteattr(entry['level'])}/>", f"    <category term={quoteattr(entry['status'])}/>",
                      f"    <summary>{escape(entry['summary'])}</summary>", "  </entry>"]
        return ("\n".join([*lines, "</feed>"]) + "\n").encode("utf-8")


