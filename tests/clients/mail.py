"""Mails of the real program to a mail server that nobody here wrote (aiosmtpd): encrypted, logged in to.

The server is there before the broker, so each walk starts a broker of its own.
"""

import email
import email.policy
import os
import queue
import signal
import ssl
import subprocess
import tempfile
from pathlib import Path

import httpx
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from support import HERE, PATIENCE_SECONDS, main, until

TLS = HERE.parent / "tls"
PASSWORD = "correct horse battery staple"


class Sink:
    """Takes mails, or refuses them while told to."""

    def __init__(self):
        self.mails = queue.Queue()
        self.refusal = None
        self.refused = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.refusal:
            self.refused += 1
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        assert session.ssl and session.authenticated, "only encrypted, only logged in"
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.put((envelope.rcpt_tos, message))
        return "250 OK"

    def next(self):
        return self.mails.get(timeout=PATIENCE_SECONDS)


def login(server, session, envelope, mechanism, data):
    is_right = data.login == b"postroom" and data.password == PASSWORD.encode()
    return AuthResult(success=is_right, handled=False)


class Server(Controller):
    """Of a port that the system picks: what it was is known once it listens."""

    def _create_server(self):
        serving = super()._create_server()

        async def noted():
            server = await serving
            self.port = server.sockets[0].getsockname()[1]
            return server

        return noted()


class OfTwo:
    """A mail server and a broker that writes through it."""

    def __init__(self, sink, password=PASSWORD):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
        self.server = Server(
            sink, hostname="127.0.0.1", port=0, tls_context=context, require_starttls=True,
            auth_required=True, authenticator=login, decode_data=False,
        )
        self.server.start()
        self.port = self.server.port
        self.scratch = tempfile.TemporaryDirectory()
        self.data = Path(self.scratch.name) / "data"
        self.secret = Path(self.scratch.name) / "password"
        self.secret.write_text(f"{password}\n")
        self.serve()

    def serve(self):
        settings = {
            "host": "127.0.0.1", "port": self.port, "tls": "starttls", "ca_cert": TLS / "authority.pem",
            "user": "postroom", "password_file": self.secret, "from": "Postroom <postroom@example.test>",
            "page_url": "https://page.example.test/", "contacts": "[\"finance=anna@example.test\"]",
            "retry_base_seconds": 1, "retry_max_seconds": 1,
        }
        words = [word for key, value in settings.items() for word in ("--set", f"mail.{key}={value}")]
        program = [os.environ["POSTROOM_PROGRAM"], "serve", "--data", self.data, "--listen", "127.0.0.1:0", *words]
        self.log = open(Path(self.scratch.name) / "log", "a+")
        self.broker = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=self.log, text=True)
        assert self.broker.stdout.readline(), self.said()
        url = (self.data / "address").read_text().strip()
        key = (self.data / "admin.key").read_text().strip()
        self.http = httpx.Client(base_url=url, headers={"x-api-key": key}, timeout=PATIENCE_SECONDS)

    def sent(self):
        return self.http.get("/metrics").text

    def said(self):
        return Path(self.log.name).read_text()

    def ask(self, title, **more):
        body = {"intent_type": "intent.refund.v1", "to_agent": "finance", "payload": {"amount": 12},
                "human_task": {"title": title}, **more}
        answer = self.http.post("/v1/intents", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["intent_id"]

    def kill(self):
        self.broker.send_signal(signal.SIGKILL)
        self.broker.wait()
        self.broker.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_failure):
        self.kill()
        self.server.stop()
        self.log.close()
        self.scratch.cleanup()


def path_of(message):
    text = message.get_content()
    at = text.index("https://page.example.test/decide/")
    return text[at:].split()[0].removeprefix("https://page.example.test")


def a_mail_leads_to_a_decision():
    """A task, its mail, its page, its decision; and the page again."""
    sink = Sink()
    with OfTwo(sink) as two:
        intent = two.ask("Rückerstattung für „Zoë“?")
        to, message = sink.next()
        assert to == ["anna@example.test"], to
        assert message["Subject"] == "To decide: Rückerstattung für „Zoë“?", message["Subject"]
        assert message["From"] == "Postroom <postroom@example.test>", message["From"]
        assert message["Auto-Submitted"] == "auto-generated" and message["Message-ID"] and message["Date"]
        assert message.get_content_type() == "text/plain" and not message.is_multipart()
        assert not message.defects, message.defects
        path = path_of(message)
        page = two.http.get(path)
        assert page.status_code == 200 and "Rückerstattung" in page.text, page.text
        form = {"token": path.rsplit("/", 1)[1], "version": "1", "outcome": "approved", "comment": "ok"}
        assert two.http.post(path, data=form).status_code == 200
        shown = two.http.get(f"/v1/intents/{intent}").json()["intent"]
        assert shown["status"] == "COMPLETED", shown
        decision = shown["human_task"]["decision"]
        assert decision["by"] == "agent://local/default/finance" and decision["via"] == "page", decision
        again = two.http.get(path)
        assert again.status_code == 410 and "finance decided" in again.text, again.text
        assert PASSWORD not in two.said()


def a_mail_outlives_a_crash_of_the_broker_and_a_server_that_refuses():
    """The server refuses; the broker is killed and started; the mail comes, and its link from before works."""
    sink = Sink()
    sink.refusal = "451 not now"
    with OfTwo(sink) as two:
        intent = two.ask("Refund?")
        until("the server was asked", lambda: sink.refused)
        # It is written down what is to be written before the server is asked.
        two.kill()
        two.serve()
        sink.refusal = None
        _, message = sink.next()
        assert intent in message["References"], message["References"]
        path = path_of(message)
        # What was taken in the very moment of a crash may come twice; this is not that moment.
        until("it is written down as sent", lambda: "postroom_mails_waiting 0\n" in two.sent())
        two.kill()
        two.serve()
        assert two.http.get(path).status_code == 200
        assert sink.mails.empty(), "one mail, however often it starts"


def a_wrong_password_is_told_and_loses_nothing():
    """The server lets nobody in; the log says so; a task can be decided all the same."""
    sink = Sink()
    with OfTwo(sink, password="wrong") as two:
        intent = two.ask("Refund?")
        until("it is in the log", lambda: "mail.host takes no mail" in two.said())
        decided = two.http.post(f"/v1/inbox/{intent}/approve", params={"owner_agent": "finance"}, json={})
        assert decided.status_code == 200, decided.text
        assert "postroom_mails_sent_total 0" in two.sent()
        assert "password" not in two.said().lower(), two.said()


if __name__ == "__main__":
    main({
        "a_mail_leads_to_a_decision": a_mail_leads_to_a_decision,
        "a_mail_outlives_a_crash": a_mail_outlives_a_crash_of_the_broker_and_a_server_that_refuses,
        "a_wrong_password": a_wrong_password_is_told_and_loses_nothing,
    })
