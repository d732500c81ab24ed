"""Payloads of a file, one `{"event": NAME, "payload": {...}}` a line, each through stream, poll and http.

Every receiver keeps what it was given as compact JSON and answers with its hash; what was kept, what
was answered and what the broker shows afterwards must be what was sent, byte by byte.
"""

import concurrent.futures
import hashlib
import json
import threading
import time
from pathlib import Path

from receiver import Receiver
from support import client, main, plain

# Nothing may come for this long before everybody gives up.
SILENCE_SECONDS = 30


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def hashed(text):
    return hashlib.sha256(text).hexdigest()


class Kept:
    """What one receiver was given: compact payloads by intent."""

    def __init__(self, expected):
        self.expected = expected
        self.given = {}
        self.twice = 0
        self.lock = threading.Lock()

    def keep(self, intent, text):
        with self.lock:
            self.twice += intent in self.given
            self.given[intent] = text

    def is_full(self):
        return len(self.given) >= self.expected


def listen(kept):
    axme = client()
    for row in axme.listen("by-stream", timeout_seconds=SILENCE_SECONDS):
        assert "payload_truncated" not in row, row["intent_id"]
        text = compact(row["payload"])
        kept.keep(row["intent_id"], text)
        axme.resume_intent(row["intent_id"], {"hash": hashed(text)}, owner_agent="by-stream")
        if kept.is_full():
            return


def poll(kept):
    last = time.monotonic()
    with plain() as http:
        while not kept.is_full():
            answer = http.get("/v1/agents/by-poll/intents", params={"limit": 50, "wait_seconds": 5})
            rows = answer.json()["intents"]
            results = []
            for row in rows:
                text = compact(row["payload"])
                # Not only equal when read: the very bytes, unless the text needs no escape it has.
                assert text in answer.content, row["intent_id"]
                kept.keep(row["intent_id"], text)
                result = {"hash": hashed(text)}
                results.append({"intent_id": row["intent_id"], "action": "complete", "result": result})
            if rows:
                told = http.post("/v1/agents/by-poll/intents/results", json={"results": results}).json()
                assert told["applied"] == len(rows) and told["refused"] == 0, told
                last = time.monotonic()
            assert time.monotonic() - last < SILENCE_SECONDS, len(kept.given)


def answer_push(kept):
    def answer(request):
        text = compact(request["body"]["payload"])
        # The bytes that were signed.
        assert b'"payload":' + text in request["raw"], request["body"]["intent_id"]
        kept.keep(request["body"]["intent_id"], text)
        return 200, {"Content-Type": "application/json"}, {"action": "complete", "hash": hashed(text)}

    return answer


def everything(file):
    """Each payload of the file through each of three bindings."""
    examples = [json.loads(line) for line in Path(file).read_text().splitlines()]
    axme = client()
    kept = {name: Kept(len(examples)) for name in ("by-stream", "by-poll", "by-http")}
    with Receiver(answer_push(kept["by-http"])) as receiver, plain() as http:
        body = {"name": "by-http", "delivery_mode": "http", "callback_url": receiver.url}
        account = http.post("/v1/service-accounts", json=body).json()["service_account"]["service_account_id"]
        receiver.secret = http.post(f"/v1/service-accounts/{account}/webhook-secret", json={}).json()["secret"]

        def send(work):
            name, number, example = work
            body = {
                "intent_type": f"intent.example.{example['event']}.v1",
                "to_agent": name,
                "payload": example["payload"],
            }
            return name, number, axme.send_intent(body, idempotency_key=f"{name} {number}")

        started = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            receivers = [
                pool.submit(listen, kept["by-stream"]),
                pool.submit(poll, kept["by-poll"]),
            ]
            work = [(name, number, example) for number, example in enumerate(examples) for name in kept]
            sent = list(pool.map(send, work))
            for one in receivers:
                one.result()
        last = time.monotonic()
        while not kept["by-http"].is_full():
            assert time.monotonic() - last < SILENCE_SECONDS, len(kept["by-http"].given)
            time.sleep(0.02)
        faults = [request["fault"] for request in receiver.requests if request["fault"]]
        assert not faults, faults[:3]
        took = time.monotonic() - started

        while http.get("/v1/overview").json()["intents"]["COMPLETED"] < len(sent):
            assert time.monotonic() - last < SILENCE_SECONDS, http.get("/v1/overview").json()["intents"]
            time.sleep(0.02)
        for name, number, intent in sent:
            text = compact(examples[number]["payload"])
            assert kept[name].given[intent] == text, (name, number, intent)
            answer = http.get(f"/v1/intents/{intent}")
            shown = answer.json()["intent"]
            assert shown["status"] == "COMPLETED" and shown["delivery_attempt"] == 1, shown
            assert shown["result"] == {"hash": hashed(text)}, (name, number, shown["result"])
            assert compact(shown["payload"]) == text and text in answer.content, (name, number)
        counts = http.get("/v1/overview").json()["intents"]
        assert {state: n for state, n in counts.items() if n} == {"COMPLETED": len(sent)}, counts
    assert [one.twice for one in kept.values()] == [0, 0, 0]
    size = sum(len(compact(example["payload"])) for example in examples)
    print(
        f"{len(examples)} payloads ({size} bytes) by {len(kept)} bindings: {len(sent)} intents, all COMPLETED at the "
        f"first attempt, equal at the receiver and in the store, signatures verified; sent and received in {took:.1f} s"
    )


main(globals())
