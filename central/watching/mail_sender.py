"""Hands letters to a mail server, over TLS. Edge of SMTP."""

import smtplib
import ssl
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from email.message import EmailMessage
from email.utils import formatdate

from central.config_keeping import MailSection
from central.watching.records import Attempt, Waiting

TIMEOUT_S = 15.0
LOCAL_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})


class MailSender:
    """One connection for each call. tls: certificates that the server's must come from."""

    def __init__(
        self,
        section: MailSection,
        *,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._section = section
        self._tls = tls or ssl.create_default_context(cafile=section.tls_ca_file or None)
        self._timeout_s = timeout_s

    def send(self, mails: Sequence[Waiting], *, now_s: int) -> list[Attempt]:
        """Return what came of each letter, in their order; whatever goes wrong is in it."""
        attempts: list[Attempt] = []
        try:
            with self._connected() as server:
                for mail in mails:
                    attempts.append(self._send_one(server, mail, now_s=now_s))
                    if not self._is_open(server):
                        break
        except (OSError, smtplib.SMTPException) as error:
            said = _said(error)
            return [*attempts, *(Attempt(mail, said) for mail in mails[len(attempts) :])]
        rest = mails[len(attempts) :]
        return [*attempts, *(Attempt(mail, "the server closed the connection") for mail in rest)]

    def _connected(self) -> smtplib.SMTP:
        section = self._section
        if section.tls == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                section.host, section.port, timeout=self._timeout_s, context=self._tls
            )
        else:
            server = smtplib.SMTP(section.host, section.port, timeout=self._timeout_s)
        with ExitStack() as unless_all_is_well:
            unless_all_is_well.callback(server.close)
            if section.tls == "starttls":
                server.starttls(context=self._tls)  # Refuses a server that does not offer it.
            if section.username:
                server.login(section.username, section.password)
            unless_all_is_well.pop_all()
        return server

    def _send_one(self, server: smtplib.SMTP, mail: Waiting, *, now_s: int) -> Attempt:
        message = EmailMessage()
        message["From"] = f"Dockledger <{self._section.sender}>"
        message["To"] = mail.recipient
        message["Subject"] = mail.letter.subject
        message["Date"] = formatdate(now_s)
        message["Message-ID"] = mail.message_id
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no absence notes in answer.
        message.set_content(mail.letter.body, cte="base64")
        try:
            server.send_message(message, self._section.sender, [mail.recipient])
        except smtplib.SMTPRecipientsRefused as error:
            code, said = error.recipients[mail.recipient]
            text = f"{code} {said.decode('utf-8', 'replace')}"
            with suppress(OSError, smtplib.SMTPException):
                server.rset()
            return Attempt(mail, text, for_good=500 <= code < 600)
        except smtplib.SMTPResponseException as error:
            with suppress(OSError, smtplib.SMTPException):
                server.rset()
            return Attempt(mail, _said(error), for_good=error.smtp_code in {552, 553, 554})
        return Attempt(mail, "")

    @staticmethod
    def _is_open(server: smtplib.SMTP) -> bool:
        return server.sock is not None


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        return f"{error.smtp_code} {text}"
    return f"{type(error).__name__}: {error}"
