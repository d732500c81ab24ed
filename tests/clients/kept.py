"""What was said beside intents is kept over the death of the broker: schemas, and what governs an intent."""

from axme import AxmeError, AxmeValidationError
from support import client, code, main, order, plain, refused, say, status

SCHEMA = {
    "semantic_type": "intent.order.process.v1",
    "schema_json": {
        "type": "object",
        "required": ["n"],
        "properties": {"n": {"type": "integer"}, "note": {"type": "string", "maxLength": 5}},
    },
    "compatibility_mode": "strict",
}

ENVELOPE = {"ttl_seconds": 86400, "max_retry_count": 4, "execution_timeout_seconds": 900, "retry_backoff_seconds": 7}


def said_before():
    """A schema, a dead letter of its type, and an intent whose controls and policy were changed."""
    axme = client()
    made = axme.upsert_schema(SCHEMA)["schema"]
    letter = axme.send_intent(order("orders", {"n": 1}))
    axme.resume_intent(letter, {"action": "fail", "reason": "no"})
    intent = axme.send_intent(order("shop", {"n": 2}))
    axme.update_intent_controls(intent, {"controls_patch": {"colour": "red"}})
    grants = {"delegate:helper": {"allow": ["resume"]}}
    answer = axme.update_intent_policy(intent, {"grants_patch": grants, "envelope_patch": ENVELOPE})
    axme.create_service_account({"name": "helper"})
    say([made["schema_hash"], letter, intent, answer["intent"]["deadline_at"]])


def held_after(digest, letter, intent, deadline):
    """The schema refuses as before, replays included; the intent is governed as it was said."""
    axme = client()
    kept = axme.get_schema(SCHEMA["semantic_type"])["schema"]
    assert kept["schema_hash"] == digest and kept["schema_json"] == SCHEMA["schema_json"], kept
    bad = refused(AxmeValidationError, lambda: axme.send_intent(order("orders", {"n": "one"})))
    assert (bad.status_code, code(bad)) == (422, "payload_schema_mismatch"), bad.body
    assert "/n" in str(bad.body["error"]["details"]["errors"]), bad.body

    with plain() as http:
        path = f"/v1/dead-letters/{letter}/replay"
        for payload in ({"n": 1, "note": "too long"}, {"note": "n"}):
            answer = http.post(path, json={"payload": payload})
            assert answer.status_code == 422, answer.text
            assert answer.json()["error"]["code"] == "payload_schema_mismatch", answer.text
        # A refused replay has made nothing, and the letter waits for a better one.
        assert http.get(f"/v1/dead-letters/{letter}").json()["dead_letter"]["state"] == "open"
        replay = http.post(path, json={"payload": {"n": 3, "note": "short"}})
        assert replay.status_code == 200, replay.text
        assert http.get(f"/v1/dead-letters/{letter}").json()["dead_letter"]["state"] == "replayed"

        governed = axme.get_intent(intent)["intent"]
        assert governed["policy_generation"] == 2 and governed["controls"] == {"colour": "red"}, governed
        assert governed["policy"]["envelope"] == ENVELOPE and governed["deadline_at"] == deadline, governed
        assert governed["max_delivery_attempts"] == 5, governed
        row = http.get("/v1/agents/shop/intents").json()["intents"][0]
        assert seconds_between(row["lease_expires_at"], governed["updated_at"]) > 600, row
        back = http.post(f"/v1/agents/shop/intents/{intent}/nack", json={}).json()
        failed = axme.list_intent_events(intent)["events"][-1]
        assert seconds_between(back["next_attempt_at"], failed["at"]) == 7, (back, failed)

    helper = next(one for one in axme.list_service_accounts(org_id="o")["service_accounts"] if one["name"] == "helper")
    granted = client(key=axme.create_service_account_key(helper["service_account_id"], {})["api_key"])
    assert granted.resume_intent(intent, {"n": 9})["intent"]["result"] == {"n": 9}
    assert status(axme, intent) == "COMPLETED"
    refused(AxmeError, lambda: granted.get_intent(letter))


def seconds_between(later, earlier):
    from datetime import datetime

    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


if __name__ == "__main__":
    main(globals())
