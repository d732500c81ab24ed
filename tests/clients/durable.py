"""What was answered is kept: the broker is killed between the halves of these walks."""

import json
import sys
import threading
from pathlib import Path

import httpx

from receiver import Receiver
from support import PATIENCE_SECONDS, client, events, main, order, plain, say, status, types, until


def send_until_the_end(file):
    """Sends without pause and notes each intent that was answered for, until nobody answers."""
    axme = client(max_retries=0)
    with open(file, "w") as notes:
        for n in range(1_000_000):
            try:
                intent = axme.send_intent(order("orders", {"n": n}), idempotency_key=f"order {n}")
            except httpx.TransportError:
                return
            notes.write(json.dumps([n, intent]) + "\n")
            notes.flush()
            say(n)


def every_answered_one_is_there(file):
    """Each noted intent exists once and is delivered; the one that got no answer is sent again."""
    axme = client()
    noted = dict(json.loads(line) for line in Path(file).read_text().splitlines())
    # The sender does not know what became of its last request, and repeats it as it was.
    last = len(noted)
    noted[last] = axme.send_intent(order("orders", {"n": last}), idempotency_key=f"order {last}")
    # A repeat of an answered one is the answered one, also after the crash.
    assert axme.send_intent(order("orders", {"n": 0}), idempotency_key="order 0") == noted[0]
    rows = []
    for row in axme.listen("orders", timeout_seconds=PATIENCE_SECONDS):
        rows.append(row)
        axme.resume_intent(row["intent_id"], {"n": row["payload"]["n"]}, owner_agent="orders")
        if len(rows) == len(noted):
            break
    assert [(row["payload"]["n"], row["intent_id"]) for row in rows] == sorted(noted.items())
    assert {row["delivery_attempt"] for row in rows} == {1}
    assert {status(axme, intent) for intent in noted.values()} == {"COMPLETED"}
    with plain() as http:
        counts = http.get("/v1/overview").json()["intents"]
    assert counts["COMPLETED"] == len(noted) and sum(counts.values()) == len(noted), counts


def take_two_and_finish_one():
    """Leaves one intent finished, one in the hands of a receiver, one that waits for nobody's answer."""
    axme = client()
    sent = [axme.send_intent(order("orders", {"n": n})) for n in range(3)]
    rows = axme.listen("orders", timeout_seconds=PATIENCE_SECONDS)
    first, second = next(rows), next(rows)
    assert [first["intent_id"], second["intent_id"]] == sent[:2]
    axme.resume_intent(first["intent_id"], {"n": 0}, owner_agent="orders")
    say(sent)
    sys.stdin.read()


def after_the_crash(done, held, waiting):
    """The finished one stays finished; the held one comes again as attempt 2; the other as attempt 1 or 2."""
    axme = client()
    assert status(axme, done) == "COMPLETED"
    rows = {}
    for row in axme.listen("orders", timeout_seconds=PATIENCE_SECONDS):
        assert row["intent_id"] not in rows and row["intent_id"] != done, row
        rows[row["intent_id"]] = row
        axme.resume_intent(row["intent_id"], {"n": row["payload"]["n"]}, owner_agent="orders")
        if len(rows) == 2:
            break
    assert rows[held]["delivery_attempt"] == 2, rows
    # It may have been on its way to the receiver, who took two only.
    assert rows[waiting]["delivery_attempt"] in (1, 2), rows
    for intent in (done, held, waiting):
        until("finished", lambda: status(axme, intent) == "COMPLETED")
        seen = events(axme, intent)
        assert [event["seq"] for event in seen] == list(range(1, len(seen) + 1)), seen
        assert types(axme, intent).count("intent.completed") == 1, seen
    with plain() as http:
        tried = http.get("/v1/attempts", params={"intent_id": held}).json()["attempts"]
    # A receiver may outlive the broker and still answer, so its attempt goes on until somebody takes over.
    assert [attempt["outcome"] for attempt in tried] == ["completed", "lost"], tried


def called_when_it_died():
    """An endpoint that holds its first call open, and answers the second."""
    axme = client()
    is_over = threading.Event()

    def hold(_request):
        is_over.wait(PATIENCE_SECONDS)
        return 200

    done = (200, {}, {"action": "complete", "n": 2})
    with Receiver(hold, done) as receiver, plain() as http:
        body = {"name": "orders", "delivery_mode": "http", "callback_url": receiver.url}
        assert http.post("/v1/service-accounts", json=body).status_code == 200
        intent = axme.send_intent(order("orders"))
        until("called", lambda: len(receiver.requests) == 1)
        say([intent])
        sys.stdin.read()
        is_over.set()


def called_again(intent):
    """The call that was open is an attempt of unknown fate; it counts, and the next one follows."""
    axme = client()
    end = axme.wait_for(intent, timeout_seconds=PATIENCE_SECONDS)
    assert end["status"] == "COMPLETED" and end["result"] == {"n": 2}, end
    with plain() as http:
        tried = http.get("/v1/attempts", params={"intent_id": intent}).json()["attempts"]
    assert [attempt["outcome"] for attempt in tried] == ["completed", "unknown_crash"], tried
    assert [attempt["number"] for attempt in tried] == [2, 1], tried


main(globals())
