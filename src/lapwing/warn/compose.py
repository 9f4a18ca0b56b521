"""Makes one message of a chain: identifier, references, info blocks, area, and the Alert beside it."""

from __future__ import annotations

from dataclasses import replace

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


def compose(chain: Chain, action: str, pack: Pack, settings: Settings, now_ns: int, *, proposal_id: str,
            proposed_ns: int, approved_by: tuple[str, ...], cleared: tuple[int, ...] = ()) -> tuple[Chain, Alert]:
    """Return the chain after a message has been put on the air, and that message.

    Parameters
    ----------
    chain : with the zones that the message is to have
    action : send | update | renew | clear | cancel
    cleared : zones that an update takes out; they get an all clear of their own in the same message
    """
    ending = action in ("clear", "cancel")
    kind = {"clear": "all_clear", "cancel": "cancel"}.get(action, chain.level)
    msg_type = {"send": ALERT, "cancel": CANCEL}.get(action, UPDATE)
    sender = settings.sender or pack.policy.sender
    identifier = "urn:uuid:" + make_id("cap", chain.id, len(chain.sent), now_ns)
    expires_ns = _expires_ns(chain, pack, now_ns, ending)
    onset_ns = chain.onset_ns or now_ns
    rings = outline(pack, chain.zones)

    infos = [_info(pack, chain, language, kind, chain.zones, rings, settings, now_ns, onset_ns, expires_ns)
             for language in pack.languages]
    if cleared:
        gone = outline(pack, cleared)
        infos += [_info(pack, chain, language, "all_clear", cleared, gone, settings, now_ns, 0, expires_ns)
                  for language in pack.languages]
    note = texts.fill(pack, pack.languages[0], "mark_exercise") if settings.status == "Exercise" else ""
    document = cap.write(cap.Message(identifier=identifier, sender=sender, sent_ns=now_ns, status=settings.status,
                                     msg_type=msg_type, infos=tuple(infos), references=chain.sent,
                                     incidents=chain.id, note=note))
    alert = Alert(
        identifier=identifier, sent_ns=now_ns, status=settings.status, msg_type=msg_type,
        level="all_clear" if ending else chain.level, zones=zone_refs(pack, chain.zones), polygons=rings,
        onset_ns=onset_ns, expires_ns=expires_ns, languages=tuple(pack.languages), caused_by=chain.threats,
        proposed_ns=proposed_ns,
        approved_ns=now_ns if approved_by == ("engine",) else max(chain.approved_ns, proposed_ns),
        approved_by=approved_by, references=chain.sent, proposal_id=proposal_id, cap_xml=document,
        cleared=zone_refs(pack, cleared),
    )
    after = replace(chain, sent=(*chain.sent, cap.reference(sender, identifier, now_ns)),
                    identifiers=(*chain.identifiers, identifier), onset_ns=onset_ns, sent_ns=now_ns,
                    expires_ns=expires_ns)
    return after, alert


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


def _info(pack: Pack, chain: Chain, language: str, kind: str, zones: tuple[int, ...], rings: tuple[Ring, ...],
          settings: Settings, now_ns: int, onset_ns: int, expires_ns: int) -> cap.Info:
    words = texts.words(pack, language, kind, zones, status=settings.status, until_ns=expires_ns,
                        objects=len(chain.threats))
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
