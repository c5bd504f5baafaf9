"""E-mail to the operator, for what an SMS cannot say: that no SMS leaves."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from gateway.settings import Settings

SECONDS = 10.0
PORTS = {"smtp": 587, "smtps": 465}


def send(settings: Settings, subject: str, body: str) -> None:
    """Hand one e-mail to the SMTP server of the settings.

    `smtp://` turns to TLS where the server offers it, and must do so before it logs in; `smtps://`
    is TLS from the first byte.

    Raises: OSError (also smtplib.SMTPException), when the server did not take it.
    """
    parts = urlsplit(settings.smtp_url.get_secret_value())
    message = EmailMessage()
    message["Subject"] = subject
    message["To"] = settings.operator_email
    user = unquote(parts.username or "")
    message["From"] = user if "@" in user else settings.operator_email
    message.set_content(body)
    context = ssl.create_default_context()
    where = (parts.hostname or "", parts.port or PORTS[parts.scheme])
    secure = parts.scheme == "smtps"
    server = (
        smtplib.SMTP_SSL(*where, timeout=SECONDS, context=context)
        if secure
        else smtplib.SMTP(*where, timeout=SECONDS)
    )
    with server:
        if not secure:
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
                secure = True
        if user:
            if not secure:
                raise smtplib.SMTPException("the server offers no TLS, and a password was set")
            server.login(user, unquote(parts.password or ""))
        server.send_message(message)
