"""What comes in: journal entries. Every raw datagram, person's record, command and tick of the clock is one entry."""

from __future__ import annotations

from dataclasses import dataclass

# Formats of an entry's payload. `sense.formats` holds the table of decoders.
ASTERIX = "asterix"          # one datagram or frame: one or more ASTERIX data blocks
PLOTS = "plots"              # rows of `sense.plot_rows`, packed little-endian
ACOUSTIC = "acoustic"        # JSON: bearing or presence from an acoustic node
POSITION = "position"        # JSON: a place reported by any other system
SAPIENT = "sapient"          # one BSI Flex 335 v2.0 message: protobuf without its frame, or protobuf JSON
COT = "cot"                  # CoT 2.0 XML, or TAK protocol version 1: one event or several
AIRCRAFT_JSON = "aircraft_json"  # a whole aircraft.json of readsb or dump1090
SBS = "sbs"                  # lines of SBS-1 (BaseStation) text
BEAST = "beast"              # whole frames of the Beast binary format
REMOTE_ID = "remote_id"      # ASTM F3411 messages or message packs of one transmitter
SIGHTING = "sighting"        # JSON: a person's report (seen, heard, explosion, fire, debris)
PATROL = "patrol"            # JSON: a patrol event
IDENTIFY = "identify"        # JSON: "this track / this address is ours"
IMPACT = "impact"            # JSON: last-seen or impact point with a search sector
SENSOR = "sensor"            # JSON: a person shuts a sensor out, or lets it in again
BAD_ROW = "bad_row"          # JSON: a table's row that could not be read, and why
COMMAND = "command"          # JSON: an officer's decision on an alert
ACKNOWLEDGE = "acknowledge"  # JSON: a partner or person acknowledged a notice
CLAIM = "claim"              # JSON: which region answers for a track, out of the regions' common store
TICK = "tick"                # empty: time went on, nothing came in


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that came in, exactly as it came, journaled before it is decoded.

    Attributes
    ----------
    sequence : place in the journal, from 0, no holes
    received_ns : UTC; for a recording the recorder's time, or the data's own where it has none
    link : where it came from, e.g. ``udp://239.1.1.1:8600``, ``demo:RO-GF-1``, ``file:danube.ast``
    format : one of the format names above
    payload : the octets
    """

    sequence: int
    received_ns: int
    link: str
    format: str
    payload: bytes
