"""Makes one message of a chain: identifier, references, info blocks, area, and the Alert beside it."""

from __future__ import annotations

from dataclasses import dataclass

from lapwing.country.pack import Pack
from lapwing.model.alerts import ALERT, CANCEL, PUBLIC_COLOUR, UPDATE, Alert
from lapwing.model.ids import make_id
from lapwing.model.times import NS_PER_S, from_seconds
from lapwing.warn import cap, texts
from lapwing.warn.outline import Ring, outline
from lapwing.warn.policy import population, zone_refs
from lapwing.warn.state import Chain, Settings

# level -> response types, urgency, severity, certainty (CAP 1.2, 3.2.2)
CODES = {
    "alert": (("Shelter",), "Immediate", "Severe", "Likely"),
    "pre_alert": (("Prepare", "Monitor"), "Expected", "Moderate", "Possible"),
    "all_clear": (("AllClear",), "Past", "Minor", "Observed"),
    "cancel": (("AllClear",), "Past", "Minor", "Unlikely"),
}
MINUTE_NS = 60 * NS_PER_S
CLEAR_SHOWN_S = 600.0              # how long an all clear stays in feeds


@dataclass(frozen=True, slots=True)
class Letter:
    """What one message is to say, before it is put into words."""

    kind: str                        # alert | pre_alert | all_clear | cancel
    zones: tuple[int, ...]           # under it, or ended by it
    references: tuple[str, ...]      # messages that it replaces or ends; none: a new warning
    onset_ns: int = 0                # since when these zones are warned; 0: now
    cleared: tuple[int, ...] = ()    # zones that it takes out, with an all clear of their own
    rings: bool = True               # false: renewed or smaller, nothing new for those who stay


def compose(chain: Chain, letter: Letter, pack: Pack, settings: Settings, now_ns: int, *, proposal_id: str,
            proposed_ns: int, approved_by: tuple[str, ...], objects: int) -> tuple[Alert, str]:
    """Return a message of a chain, and the reference by which later ones name it. `objects`: how many its words speak of."""
    ending = letter.kind in ("all_clear", "cancel")
    msg_type = CANCEL if letter.kind == "cancel" else UPDATE if letter.references else ALERT
    sender = settings.sender or pack.policy.sender
    identifier = "urn:uuid:" + make_id("cap", chain.id, chain.message_count, now_ns)
    expires_ns = _expires_ns(chain, pack, now_ns, ending)
    onset_ns = letter.onset_ns or now_ns
    rings = outline(pack, letter.zones)
    infos = [_info(pack, objects, language, letter.kind, letter.zones, rings, settings, now_ns, onset_ns, expires_ns)
             for language in pack.languages]
    if letter.cleared:
        gone = outline(pack, letter.cleared)
        infos += [_info(pack, objects, language, "all_clear", letter.cleared, gone, settings, now_ns, 0, expires_ns)
                  for language in pack.languages]
    note = texts.fill(pack, pack.languages[0], "mark_exercise") if settings.status == "Exercise" else ""
    document = cap.write(cap.Message(identifier=identifier, sender=sender, sent_ns=now_ns, status=settings.status,
                                     msg_type=msg_type, infos=tuple(infos), references=letter.references,
                                     incidents=chain.id, note=note))
    alert = Alert(
        identifier=identifier, sent_ns=now_ns, status=settings.status, msg_type=msg_type,
        level="all_clear" if ending else letter.kind, zones=zone_refs(pack, letter.zones), polygons=rings,
        onset_ns=onset_ns, expires_ns=expires_ns, languages=tuple(pack.languages), caused_by=chain.threats,
        proposed_ns=proposed_ns,
        approved_ns=now_ns if approved_by == ("engine",) else max(chain.approved_ns, proposed_ns),
        approved_by=approved_by, references=letter.references, proposal_id=proposal_id, cap_xml=document,
        cleared=zone_refs(pack, letter.cleared), rings=letter.rings,
    )
    return alert, cap.reference(sender, identifier, now_ns)


def _expires_ns(chain: Chain, pack: Pack, now_ns: int, ending: bool) -> int:
    """Return when a message lapses, on a full minute, as the texts say it."""
    if ending:
        return _next_minute(now_ns + from_seconds(CLEAR_SHOWN_S))
    rolls_ns = now_ns + from_seconds(pack.policy.alert_expiry_s)
    if chain.by_hand_until_ns:
        rolls_ns = min(rolls_ns, max(now_ns, chain.by_hand_until_ns) + 2 * MINUTE_NS)
    return _next_minute(rolls_ns)


def _next_minute(time_ns: int) -> int:
    return -(-time_ns // MINUTE_NS) * MINUTE_NS


def _info(pack: Pack, objects: int, language: str, kind: str, zones: tuple[int, ...], rings: tuple[Ring, ...],
          settings: Settings, now_ns: int, onset_ns: int, expires_ns: int) -> cap.Info:
    words = texts.words(pack, language, kind, zones, status=settings.status, until_ns=expires_ns,
                        objects=objects)
    responses, urgency, severity, certainty = CODES[kind]
    level = "all_clear" if kind == "cancel" else kind
    geocodes = sorted({pair for i in zones for pair in pack.zones[i].geocodes.items()} |
                      {("LAPWING", pack.zones[i].code) for i in zones})
    parameters = (
        ("level", level),
        ("colour", PUBLIC_COLOUR[level]),
        ("level_name", pack.scale.get(level, {}).get(language, "")),
        ("population", str(population(pack, zones))),
        ("short_text", words.short),
    )
    return cap.Info(
        language=language, event=words.event or "Air warning", response_types=responses, urgency=urgency,
        severity=severity, certainty=certainty, sender_name=words.sender_name, headline=words.headline,
        description=words.description, instruction=words.instruction, contact=words.contact, effective_ns=now_ns,
        onset_ns=onset_ns,
        expires_ns=expires_ns, parameters=tuple((k, v) for k, v in parameters if v),
        areas=(cap.Area(words.area or ", ".join(pack.zones[i].code for i in zones[:5]), rings, tuple(geocodes)),),
    )
