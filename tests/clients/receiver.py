"""An endpoint that intents are pushed to, as somebody who read the contract writes one.

It verifies every request with verifiers that were published by others and keeps what it was sent.
"""

import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook


class Receiver:
    """Answers with what `answers` yields: a status, or `(status, headers, body)`; the last one repeats.

    An answer may be a function of the request.
    """

    def __init__(self, *answers, secret=None, port=0):
        self.answers = list(answers)
        self.secret = secret
        self.requests = []
        self.lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                receiver.serve(self)

            # A redirect that is followed is often followed with this one.
            do_GET = do_POST

            def log_message(self, *_words):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/intent"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def serve(self, http):
        # The clock of this process: what it saw, not what it was told.
        at = time.monotonic()
        body = http.rfile.read(int(http.headers["Content-Length"]))
        request = {
            "at": at,
            "line": http.requestline,
            "headers": {name.lower(): value for name, value in http.headers.items()},
            "raw": body,
            "body": json.loads(body),
        }
        if self.secret:
            request["fault"] = verify(self.secret, request)
        with self.lock:
            self.requests.append(request)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            answer = answer(request)
        status, headers, reply = answer if isinstance(answer, tuple) else (answer, {}, b"")
        reply = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
        http.send_response(status)
        for name, value in headers.items():
            http.send_header(name, value)
        http.send_header("Content-Length", str(len(reply)))
        http.end_headers()
        http.wfile.write(reply)

    def __enter__(self):
        return self

    def __exit__(self, *_failure):
        self.server.shutdown()
        self.server.server_close()


def verify(secret, request):
    """What is wrong with the signatures of a request, or None."""
    headers, raw = request["headers"], request["raw"]
    try:
        Webhook(secret).verify(raw, headers)
    except Exception as error:  # any refusal of the published verifier
        return f"webhook-signature: {error!r}"
    # The form in which another large service signs; this is the example its documentation gives.
    expected = "sha256=" + hmac.new(secret.encode(), msg=raw, digestmod=hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, headers.get("x-axme-signature", "")):
        return "x-axme-signature does not match"
    return None
