"""Receivers that are called: pushes as the receiver sees them."""

import email.utils
import time

from standardwebhooks import Webhook

from receiver import Receiver, verify
from support import PATIENCE_SECONDS, client, main, order, plain, status, types, until

RESULT = (200, {"Content-Type": "application/json"}, {"action": "complete", "charged": True})
JITTER = 0.2


def register(http, receiver, name="orders", is_signed=True, **more):
    """An http agent whose endpoint is the receiver, with a secret that both know."""
    body = {"name": name, "delivery_mode": "http", "callback_url": receiver.url, **more}
    answer = http.post("/v1/service-accounts", json=body)
    assert answer.status_code == 200, answer.text
    account = answer.json()["service_account"]["service_account_id"]
    if is_signed:
        receiver.secret = rotate(http, account)
    return account


def rotate(http, account):
    return http.post(f"/v1/service-accounts/{account}/webhook-secret", json={}).json()["secret"]


def no_faults(receiver):
    faults = [request.get("fault") for request in receiver.requests]
    assert faults == [None] * len(faults), faults


def column(receiver, header):
    return [request["headers"].get(header) for request in receiver.requests]


def instant(text):
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


def attempts(http, intent):
    """Oldest first."""
    return http.get("/v1/attempts", params={"intent_id": intent}).json()["attempts"][::-1]


def distances(tried):
    """From the end of each attempt to the instant scheduled for the next, in seconds."""
    return [instant(one["next_attempt_at"]) - instant(one["finished_at"]) for one in tried[:-1]]


def two_failures_and_a_success(*steps):
    """500, 500, 200: three signed POSTs at the scheduled distances, one message; resume completes."""
    steps = [float(step) for step in steps]
    axme = client()
    with Receiver(500, 500, 202) as receiver, plain() as http:
        register(http, receiver)
        intent = axme.send_intent(order("orders", {"order_id": "ORD-1"}), trace_id="trace-7")
        until("three posts", lambda: len(receiver.requests) == 3)
        until("acknowledged", lambda: status(axme, intent) == "ACKNOWLEDGED")
        axme.resume_intent(intent, {"charged": True}, owner_agent="orders")
        end = axme.wait_for(intent, timeout_seconds=PATIENCE_SECONDS)
        assert end["status"] == "COMPLETED" and end["result"] == {"charged": True}, end
        tried = attempts(http, intent)
        no_faults(receiver)

    assert [one["outcome"] for one in tried] == ["failed", "failed", "completed"], tried
    assert [one["error_class"] for one in tried] == ["http_5xx", "http_5xx", None], tried
    for told, step in zip(distances(tried), steps):
        assert step * (1 - JITTER) - 0.002 <= told <= step * (1 + JITTER) + 0.002, (told, step)
    seen = [request["at"] for request in receiver.requests]
    for (earlier, later), step in zip(zip(seen, seen[1:]), steps):
        assert later - earlier >= step * (1 - JITTER) - 0.05, (seen, steps)
    for before, after in zip(tried, tried[1:]):
        assert after["started_at"] >= before["next_attempt_at"], tried

    assert column(receiver, "webhook-id") == [intent] * 3
    assert column(receiver, "idempotency-key") == [intent] * 3
    assert column(receiver, "x-axme-intent-id") == [intent] * 3
    assert column(receiver, "x-axme-attempt") == ["1", "2", "3"]
    assert column(receiver, "x-trace-id") == ["trace-7"] * 3
    assert column(receiver, "x-axme-delivery-id") == [one["attempt_id"] for one in tried]
    assert column(receiver, "content-type") == ["application/json"] * 3
    assert {agent.split("/")[0] for agent in column(receiver, "user-agent")} == {"Postroom"}
    assert "transfer-encoding" not in receiver.requests[0]["headers"]
    assert receiver.requests[0]["line"] == "POST /intent HTTP/1.1"
    for n, request in enumerate(receiver.requests, start=1):
        body = request["body"]
        assert body["type"] == "intent.delivered" and body["intent_id"] == body["origin_id"] == intent
        assert body["payload"] == {"order_id": "ORD-1"} and body["delivery_attempt"] == n, body
        assert body["max_delivery_attempts"] == 3 and body["status"] == "DELIVERED", body
        assert body["to_agent"] == "agent://local/default/orders" and body["replay_of"] is None, body
    assert types(axme, intent)[3:] == [
        *["intent.attempt_started", "intent.attempt_failed"] * 2,
        "intent.attempt_started",
        "intent.acknowledged",
        "intent.completed",
    ]


def a_result_in_the_answer():
    """A 2xx with an action ends the intent; a 2xx without one only takes it; a body that says no fails it."""
    axme = client()
    says_no = (200, {}, {"action": "fail", "reason": "no stock"})
    odd = (200, {}, b"\xff not json")
    with Receiver(RESULT, (200, {}, {"ack": True}), odd, says_no) as receiver, plain() as http:
        register(http, receiver)
        done = axme.send_intent(order("orders"))
        assert axme.wait_for(done, timeout_seconds=PATIENCE_SECONDS)["result"] == {"charged": True}
        for _ in range(2):
            taken = axme.send_intent(order("orders"))
            until("acknowledged", lambda: status(axme, taken) == "ACKNOWLEDGED")
        failed = axme.send_intent(order("orders"))
        end = axme.wait_for(failed, timeout_seconds=PATIENCE_SECONDS)
        assert end["status"] == "FAILED" and end["error"]["code"] == "agent_failed", end
        assert end["error"]["message"] == "no stock", end
        assert len(receiver.requests) == 4
        no_faults(receiver)


def always_failing_then_replayed():
    """Three times 500 is a dead letter; its replay is a new intent of the same origin, and completes."""
    axme = client()
    with Receiver(500) as receiver, plain() as http:
        register(http, receiver)
        intent = axme.send_intent(order("orders", {"order_id": "ORD-1"}))
        end = axme.wait_for(intent, timeout_seconds=PATIENCE_SECONDS)
        assert end["status"] == "FAILED" and end["error"]["code"] == "delivery_failed", end
        assert types(axme, intent)[-2:] == ["intent.delivery_failed", "intent.failed"]
        assert len(receiver.requests) == 3
        [letter] = http.get("/v1/dead-letters").json()["dead_letters"]
        told = {key: letter[key] for key in ("intent_id", "reason", "error_class", "http_status", "attempts", "state")}
        assert told == {
            "intent_id": intent,
            "reason": "attempts",
            "error_class": "http_5xx",
            "http_status": 500,
            "attempts": 3,
            "state": "open",
        }, letter

        receiver.answers = [RESULT]
        answer = http.post(f"/v1/dead-letters/{intent}/replay", json={"reason": "receiver fixed"}).json()
        replay = answer["intent"]["intent_id"]
        assert replay != intent and answer["intent"]["replay_of"] == answer["intent"]["origin_id"] == intent, answer
        again = axme.wait_for(replay, timeout_seconds=PATIENCE_SECONDS)
        assert again["status"] == "COMPLETED" and again["result"] == {"charged": True}, again
        last = receiver.requests[-1]
        # The same message under a new request: a receiver that already did the work can tell.
        assert last["headers"]["webhook-id"] == intent and last["headers"]["idempotency-key"] == replay
        assert last["body"]["origin_id"] == last["body"]["replay_of"] == intent, last["body"]
        assert last["body"]["intent_id"] == replay and last["body"]["payload"] == {"order_id": "ORD-1"}
        old = http.get(f"/v1/dead-letters/{intent}").json()["dead_letter"]
        assert old["state"] == "replayed" and old["replayed_as"] == replay, old
        assert http.get("/v1/dead-letters").json()["dead_letters"] == []
        twice = http.post(f"/v1/dead-letters/{intent}/replay", json={})
        assert (twice.status_code, twice.json()["error"]["code"]) == (409, "already_replayed"), twice.text
        no_faults(receiver)


def gone():
    """410 is the end after one POST, and a dead letter at once."""
    axme = client()
    with Receiver(410) as receiver, plain() as http:
        register(http, receiver)
        intent = axme.send_intent(order("orders"))
        end = axme.wait_for(intent, timeout_seconds=PATIENCE_SECONDS)
        assert end["status"] == "FAILED", end
        letter = http.get(f"/v1/dead-letters/{intent}").json()["dead_letter"]
        assert (letter["reason"], letter["error_class"], letter["attempts"]) == ("permanent", "gone_410", 1), letter
        assert len(receiver.requests) == 1


def redirected():
    """302 is a failure like another: nobody goes where it points, and the budget is spent on retries."""
    axme = client()
    with Receiver(RESULT) as elsewhere, plain() as http:
        with Receiver((302, {"Location": elsewhere.url}, b"")) as receiver:
            register(http, receiver)
            intent = axme.send_intent(order("orders", max_delivery_attempts=2))
            end = axme.wait_for(intent, timeout_seconds=PATIENCE_SECONDS)
            assert end["status"] == "FAILED", end
            assert [one["error_class"] for one in attempts(http, intent)] == ["http_3xx"] * 2
            assert len(receiver.requests) == 2 and elsewhere.requests == [], elsewhere.requests


def told_to_wait():
    """`Retry-After` is obeyed, in seconds and as a date, and holds back the endpoint's other intents."""
    axme = client()

    def date(_request):
        # Dates have whole seconds: two from now is more than one.
        return 503, {"Retry-After": email.utils.formatdate(time.time() + 2, usegmt=True)}, b""

    for busy in ((429, {"Retry-After": "1"}, b""), date):
        with Receiver(busy, RESULT) as receiver, plain() as http:
            name = "busy-" + str(receiver.server.server_port)
            register(http, receiver, name)
            first = axme.send_intent(order(name))
            until("one post", lambda: len(receiver.requests) == 1)
            until("told to wait", lambda: "intent.attempt_failed" in types(axme, first))
            second = axme.send_intent(order(name))
            for intent in (first, second):
                assert axme.wait_for(intent, timeout_seconds=PATIENCE_SECONDS)["status"] == "COMPLETED"
            seen = [request["at"] for request in receiver.requests]
            assert len(seen) == 3, receiver.requests
            assert seen[1] - seen[0] >= 0.95, (busy, seen)
            assert [one["delivery_attempt"] for one in (r["body"] for r in receiver.requests)].count(2) == 1
            no_faults(receiver)


def secrets_change():
    """While two secrets overlap, receivers that know either verify; without a secret nothing is signed."""
    axme = client()
    with Receiver(202) as receiver, plain() as http:
        account = register(http, receiver)
        old = receiver.secret
        new = receiver.secret = rotate(http, account)
        assert old.startswith("whsec_") and new.startswith("whsec_") and old != new
        axme.send_intent(order("orders"))
        until("a post", lambda: len(receiver.requests) == 1)
        no_faults(receiver)
        request = receiver.requests[0]
        assert len(request["headers"]["webhook-signature"].split(" ")) == 2, request["headers"]
        Webhook(old).verify(request["raw"], request["headers"])
        Webhook(new).verify(request["raw"], request["headers"])
        # The other header has room for one.
        assert verify(old, request) == "x-axme-signature does not match"
        changed = {**request, "raw": request["raw"].replace(b'"n":1', b'"n":2')}
        assert changed["raw"] != request["raw"] and verify(new, changed) is not None
    with Receiver(202) as receiver, plain() as http:
        register(http, receiver, "unsigned", is_signed=False)
        axme.send_intent(order("unsigned"))
        until("a post", lambda: len(receiver.requests) == 1)
        headers = receiver.requests[0]["headers"]
        assert "webhook-signature" not in headers and "x-axme-signature" not in headers, headers
        assert headers["webhook-id"] and headers["webhook-timestamp"], headers


def nobody_there():
    """An endpoint that refuses connections is retried, and takes its intents when it is back."""
    axme = client()
    with Receiver(RESULT) as gone_receiver:
        url, port = gone_receiver.url, gone_receiver.server.server_port
    with plain() as http:
        http.post("/v1/service-accounts", json={"name": "orders", "delivery_mode": "http", "callback_url": url})
        intent = axme.send_intent(order("orders", max_delivery_attempts=50))
        until("a failed attempt", lambda: len(attempts(http, intent)) >= 2)
        assert attempts(http, intent)[0]["error_class"] == "connect", attempts(http, intent)
        import receiver as module

        class Same(module.ThreadingHTTPServer):
            def __init__(self, _address, handler):
                super().__init__(("127.0.0.1", port), handler)

        module.ThreadingHTTPServer = Same
        with Receiver(RESULT) as receiver:
            end = axme.wait_for(intent, timeout_seconds=PATIENCE_SECONDS)
            assert end["status"] == "COMPLETED" and len(receiver.requests) == 1, end


def refused_targets():
    """Addresses that nobody may be made to call are refused when they are registered."""
    with plain() as http:
        for url in (
            "http://169.254.169.254/latest/meta-data/",
            "http://[fe80::1]/x",
            "http://[::ffff:169.254.169.254]/",
            "http://2852039166/",
            "http://user:secret@127.0.0.1/",
        ):
            body = {"name": "orders", "delivery_mode": "http", "callback_url": url}
            answer = http.post("/v1/service-accounts", json=body)
            assert answer.status_code == 422, (url, answer.status_code, answer.text)
            error = answer.json()["error"]
            assert error["code"] == "callback_url_refused" and "hint: " in error["message"], (url, answer.text)
            assert "secret" not in answer.text, answer.text
        for url in ("ftp://127.0.0.1/x", "file:///etc/passwd", "not a url", "/intent", ""):
            body = {"name": "orders", "delivery_mode": "http", "callback_url": url}
            answer = http.post("/v1/service-accounts", json=body)
            assert answer.status_code == 422, (url, answer.status_code, answer.text)
            assert "callback_url" in answer.json()["detail"][0]["loc"], answer.text
        # What is refused at the making is refused later as well.
        account = http.post("/v1/service-accounts", json={"name": "orders"}).json()["service_account"]
        body = {"delivery_mode": "http", "callback_url": "http://169.254.169.254/"}
        answer = http.patch(f"/v1/service-accounts/{account['service_account_id']}", json=body)
        assert answer.json()["error"]["code"] == "callback_url_refused", answer.text
        missing = http.post("/v1/service-accounts", json={"name": "nowhere", "delivery_mode": "http"})
        assert missing.status_code == 422 and "callback_url" in missing.text, missing.text


main(globals())
