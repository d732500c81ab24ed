"""Receivers that ask, with nothing but HTTP: the three ways the contract names."""

import json
import threading
import time

from support import PATIENCE_SECONDS, client, main, order, plain, status, types, until


def frames(text):
    """The frames of an event stream, as a reader who knows the standard's simplest part has them."""
    for frame in text.split("\n\n"):
        fields = [line.split(": ", 1) for line in frame.split("\n") if line and not line.startswith(":")]
        if fields:
            yield dict(fields)


def short_stream_windows():
    """A window of one second, read to its end: rows, then a farewell with the cursor."""
    axme = client()
    intent = axme.send_intent(order("orders", {"n": 7}))
    with plain() as http:
        answer = http.get("/v1/agents/orders/intents/stream", params={"since": 0, "wait_seconds": 1})
        assert answer.headers["content-type"].startswith("text/event-stream"), answer.headers
        row, farewell = frames(answer.text)
        data = json.loads(row["data"])
        assert row["event"] == "intent.delivered" and int(row["id"]) == data["seq"], row
        assert data["intent_id"] == intent and data["payload"] == {"n": 7}, data
        assert farewell["event"] == "stream.timeout", farewell
        assert json.loads(farewell["data"]) == {"ok": True, "next_seq": data["seq"]}, farewell
        # The window ended well, so its receiver keeps what it has: neither way shows it again.
        again = http.get(f"/v1/agents/orders/intents/stream?since={data['seq']}&wait_seconds=1")
        assert [frame["event"] for frame in frames(again.text)] == ["stream.timeout"], again.text
        assert http.get("/v1/agents/orders/intents").json()["intents"] == []
        assert http.post(f"/v1/intents/{intent}/resume", json={"n": 8}).json()["applied"] is True
    assert axme.wait_for(intent, timeout_seconds=PATIENCE_SECONDS)["result"] == {"n": 8}


def asked_for():
    """A row that was given out is not shown twice; resume ends it; the cursor may be dropped."""
    axme = client()
    sent = [axme.send_intent(order("orders", {"n": n})) for n in range(3)]
    with plain() as http:
        first = http.get("/v1/agents/orders/intents", params={"limit": 2}).json()
        assert [row["intent_id"] for row in first["intents"]] == sent[:2], first
        assert first["next_cursor"] == str(first["cursor"]) == str(first["intents"][-1]["seq"]), first
        for row in first["intents"]:
            assert row["status"] == "DELIVERED" and row["lease_expires_at"] and row["attempt_id"], row
            assert row["delivery_attempt"] == 1 and row["payload"] == {"n": sent.index(row["intent_id"])}, row
        rest = http.get("/v1/agents/local/default/orders/intents?since=0&limit=10").json()
        assert [row["intent_id"] for row in rest["intents"]] == sent[2:], rest
        assert http.get("/v1/agents/orders/intents").json()["intents"] == []
        for intent in sent:
            assert http.post(f"/v1/intents/{intent}/resume", json={"action": "complete"}).status_code == 200
    assert {status(axme, intent) for intent in sent} == {"COMPLETED"}


def waited_for():
    """A poll that waits returns with the first row, long before its time is over."""
    axme = client()
    sent = []

    def send_soon():
        until("the poll waits", lambda: axme.get_agent("orders")["agent"]["connections"] == 1)
        sent.append(axme.send_intent(order("orders")))

    axme.create_service_account({"name": "orders"})
    sender = threading.Thread(target=send_soon)
    sender.start()
    with plain() as http:
        started = time.monotonic()
        rows = http.get("/v1/agents/orders/intents?wait_seconds=25").json()["intents"]
        took = time.monotonic() - started
    sender.join()
    assert [row["intent_id"] for row in rows] == sent, rows
    assert took < 20, took


def seen_in_the_list():
    """The simplest poll: what is pending, without a lease. What is finished leaves the list."""
    admin = client()
    account = admin.create_service_account({"name": "orders"})["service_account"]["service_account_id"]
    agent = admin.create_service_account_key(account, {})["api_key"]
    mine, other = admin.send_intent(order("orders", {"n": 1})), admin.send_intent(order("billing"))
    with plain(agent) as http:
        for _ in range(2):
            listed = http.get("/v1/intents?status=pending&include=payload").json()["intents"]
            assert [row["intent_id"] for row in listed] == [mine], listed
            assert listed[0]["payload"] == {"n": 1} and listed[0]["delivery_attempt"] == 0, listed
        assert http.post(f"/v1/intents/{mine}/resume", json={"done": True}).json()["applied"] is True
        assert http.get("/v1/intents?status=pending").json()["intents"] == []
    assert status(admin, mine) == "COMPLETED" and status(admin, other) == "DELIVERED"


def given_back_and_forgotten():
    """A nack and a lease that ends lead to the next attempt; the last one makes a dead letter."""
    axme = client()
    axme.create_service_account({"name": "orders", "delivery_mode": "poll", "ack_timeout_seconds": 1})
    intent = axme.send_intent(order("orders"))
    with plain() as http:

        def take():
            return http.get("/v1/agents/orders/intents?wait_seconds=20").json()["intents"]

        def on(row, verb, body):
            return http.post(f"/v1/agents/orders/intents/{row['intent_id']}/{verb}", json=body)

        first = take()[0]
        back = on(first, "nack", {"attempt_id": first["attempt_id"], "delay_seconds": 0, "reason": "busy"})
        assert back.status_code == 200 and back.json()["next_attempt_at"], back.text
        second = take()[0]
        assert second["delivery_attempt"] == 2 and second["seq"] > first["seq"], second
        stale = on(first, "ack", {"attempt_id": first["attempt_id"]})
        assert (stale.status_code, stale.json()["error"]["code"]) == (409, "attempt_stale"), stale.text
        longer = on(second, "extend", {"attempt_id": second["attempt_id"], "seconds": 1}).json()
        assert longer["lease_expires_at"] >= second["lease_expires_at"], (longer, second)
        # Nothing is said about the second one: its lease ends, and the third attempt follows.
        third = take()[0]
        assert third["delivery_attempt"] == 3, third
        acked = on(third, "ack", {"attempt_id": third["attempt_id"]})
        assert acked.status_code == 200 and status(axme, intent) == "ACKNOWLEDGED", acked.text
        # Acknowledged and then nothing: the lease of an acknowledged one ends as well.
        end = axme.wait_for(intent, timeout_seconds=PATIENCE_SECONDS)
        assert end["status"] == "FAILED" and end["error"]["code"] == "delivery_failed", end
        letter = http.get(f"/v1/dead-letters/{intent}").json()
        assert letter["dead_letter"]["reason"] == "attempts", letter
        outcomes = [(attempt["outcome"], attempt["error_class"]) for attempt in letter["attempts"]]
        assert sorted(outcomes) == [("failed", "nack"), ("lost", "lease_lost"), ("lost", "lease_lost")], outcomes
        assert types(axme, intent)[-2:] == ["intent.delivery_failed", "intent.failed"]
        late = http.post(f"/v1/intents/{intent}/resume", json={"done": True})
        assert (late.status_code, late.json()["error"]["code"]) == (409, "intent_terminal"), late.text


main(globals())
