"""Channel ``smtp``: a message in all languages to a list of addresses (town halls, schools, radio), with the CAP document attached.

The ``Message-ID`` is made of the key, so that a mail server that keeps order shows a repetition once.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from lapwing.adapters.channels.settings import Carries, Settings
from lapwing.adapters.channels.whole_files import file_name
from lapwing.model.deliveries import Delivery
from lapwing.model.errors import NotTaken
from lapwing.model.times import NS_PER_S


class Smtp:
    """Settings: host, port, from, to, encryption (none, starttls, tls), user,
    password_file or password_env, ca_file, timeout_s, statuses.
    """

    def __init__(self, name: str, values: Mapping[str, Any], base: Path) -> None:
        settings = Settings(name, values, base)
        self.name = name
        self._carries = Carries(settings)
        self._host = settings.text("host")
        self._encryption = settings.text("encryption", "starttls")
        self._port = int(settings.number("port", 465 if self._encryption == "tls" else 25, 1, 65_535))
        self._from, self._to = settings.text("from"), settings.words("to", ())
        self._user, self._password = settings.text("user", ""), settings.secret("password")
        self._timeout_s = settings.number("timeout_s", 10.0, 0.1, 60.0)
        ca = settings.text("ca_file", "")
        settings.done()
        if self._encryption not in ("none", "starttls", "tls"):
            raise settings.wrong("encryption", f"= {self._encryption!r}: none, starttls or tls")
        if not self._to or any("@" not in address or "\n" in address for address in (self._from, *self._to)):
            raise settings.wrong("to", "and from must be mail addresses, and there must be one at least")
        self._context = ssl.create_default_context(cafile=str(base / ca) if ca else None)

    def send(self, identifier: str, document: bytes) -> str:
        """Hand the mail to the server; return how many recipients it took."""
        delivery = self._carries.checked(document)
        where = f"channel {self.name}, {self._host}:{self._port}"
        try:
            refused = self._hand_over(self.mail(delivery))
        except smtplib.SMTPRecipientsRefused as error:
            again = any(code < 500 for code, _ in error.recipients.values())
            raise NotTaken(f"all {len(self._to)} recipients refused", where=where, again=again, remedy="look at the addresses") from error
        except smtplib.SMTPResponseException as error:
            words = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else str(error.smtp_error)
            raise NotTaken(f"answered {error.smtp_code} {words[:200]}", where=where, again=error.smtp_code < 500,
                           remedy="look at the mail server") from error
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise NotTaken(str(error) or type(error).__name__, where=where,
                           remedy="look at the mail server; it will be sent again") from error
        left = f"; refused: {', '.join(sorted(refused))}" if refused else ""
        return f"{len(self._to) - len(refused)} of {len(self._to)} recipients{left}"

    def _hand_over(self, mail: EmailMessage) -> dict[str, tuple[int, bytes]]:
        server: smtplib.SMTP
        if self._encryption == "tls":
            server = smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout_s, context=self._context)
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=self._timeout_s)
        with server:
            if self._encryption == "starttls":
                server.starttls(context=self._context)
            if self._user:
                server.login(self._user, self._password.decode())
            return server.send_message(mail, self._from, list(self._to))

    def mail(self, delivery: Delivery) -> EmailMessage:
        """Return the mail. Recipients do not see each other."""
        mail = EmailMessage()
        first = delivery.words[0] if delivery.words else None
        subject = first.headline if first else delivery.level
        # An exercise says so before anything else, in words that a mail filter can find.
        mail["Subject"] = " ".join(f"{'' if delivery.status == 'Actual' else delivery.status.upper() + ': '}{subject}".split())
        mail["From"] = self._from
        mail["To"] = "undisclosed-recipients:;"
        mail["Date"] = format_datetime(datetime.fromtimestamp(delivery.sent_ns // NS_PER_S, UTC))
        mail["Message-ID"] = f"<{delivery.key}@{self._from.rsplit('@', 1)[1]}>"
        mail["X-Lapwing-Level"] = delivery.level
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content("\n\n".join(f"{w.headline}\n\n{w.description}\n\n{w.instruction}" for w in delivery.words) + "\n")
        mail.add_attachment(delivery.document, maintype="application", subtype="cap+xml", filename=file_name(delivery.identifier))
        return mail
