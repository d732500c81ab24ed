"""Receivers that listen, with the published client."""

import httpx

from support import Other, PATIENCE_SECONDS, URL, KEY, client, events, main, order, status, types, until


def quick_start():
    """One process listens, another sends and waits; every step is seen by who observes."""
    axme = client()
    with Other("listener.py", "orders", "finish") as listener:
        intent = axme.send_intent(order("orders", {"order_id": "ORD-1"}))
        end = axme.wait_for(intent, timeout_seconds=PATIENCE_SECONDS)
        row = listener.line()
    assert end["status"] == "COMPLETED", end
    assert end["event_type"] == "intent.completed", end
    assert end["result"] == {"seen": {"order_id": "ORD-1"}}, end
    assert row["intent_id"] == intent and row["delivery_attempt"] == 1, row
    assert row["status"] == "DELIVERED" and row["from_agent"] == "agent://local/default/operator", row
    assert row["to_agent"] == "agent://local/default/orders" and row["attempt_id"], row
    seen = list(axme.observe(intent, timeout_seconds=PATIENCE_SECONDS))
    assert [event["event_type"] for event in seen] == [
        "intent.created",
        "intent.submitted",
        "intent.delivered",
        "intent.attempt_started",
        "intent.completed",
    ], seen
    assert [event["seq"] for event in seen] == [1, 2, 3, 4, 5]
    later = list(axme.observe(intent, since=3, timeout_seconds=PATIENCE_SECONDS))
    assert [event["seq"] for event in later] == [4, 5], later
    whole = axme.get_intent(intent)
    assert whole["payload"] == whole["intent"]["payload"] == {"order_id": "ORD-1"}, whole
    assert whole["intent"]["result"] == end["result"] and whole["status"] == "COMPLETED", whole


def killed_between_receipt_and_answer():
    """A listener is killed with the intent in its hands; the next one gets the same intent."""
    axme = client()
    with Other("listener.py", "orders", "hang") as first:
        intent = axme.send_intent(order("orders"))
        lost = first.line()
        assert status(axme, intent) == "DELIVERED"
        first.kill()
    with Other("listener.py", "orders", "finish") as second:
        again = second.line()
        end = axme.wait_for(intent, timeout_seconds=PATIENCE_SECONDS)
    assert lost["intent_id"] == again["intent_id"] == intent
    assert again["seq"] > lost["seq"] and again["attempt_id"] != lost["attempt_id"], (lost, again)
    assert again["delivery_attempt"] == 2, again
    assert end["status"] == "COMPLETED"
    assert types(axme, intent).count("intent.completed") == 1, types(axme, intent)


def a_handler_that_raises_once():
    """Nobody answers within the acknowledgement timeout; the same listener is offered it again."""
    axme = client()
    account = axme.create_service_account({"name": "orders", "ack_timeout_seconds": 1})
    assert account["service_account"]["ack_timeout_seconds"] == 1, account
    intent = axme.send_intent(order("orders"))
    with Other("listener.py", "orders", "raise-once") as listener:
        first, second = listener.line(), listener.line()
        end = axme.wait_for(intent, timeout_seconds=PATIENCE_SECONDS)
    assert first["intent_id"] == second["intent_id"] == intent
    assert second["seq"] > first["seq"]
    assert (first["delivery_attempt"], second["delivery_attempt"]) == (1, 2)
    assert end["status"] == "COMPLETED"
    failed = [event for event in events(axme, intent) if event["event_type"] == "intent.attempt_failed"]
    assert [event["details"]["outcome"] for event in failed] == ["lost"], failed
    assert failed[0]["details"]["error_class"] == "lease_lost", failed


def sent_before_anybody_listened():
    """A receiver that comes later than its intents finds them, in order, and nothing was spent."""
    axme = client()
    sent = [axme.send_intent(order("late", {"n": n})) for n in range(20)]
    assert {status(axme, intent) for intent in sent} == {"DELIVERED"}
    with Other("listener.py", "agent://local/default/late", "finish") as listener:
        rows = [listener.line() for _ in sent]
        until("all completed", lambda: {status(axme, intent) for intent in sent} == {"COMPLETED"})
    assert [row["intent_id"] for row in rows] == sent
    assert {row["delivery_attempt"] for row in rows} == {1}, rows


def listeners_compete():
    """Two listeners on one address share its intents; each intent goes to one of them."""
    axme = client()
    axme.create_service_account({"name": "shared"})
    with Other("listener.py", "shared", "finish") as one, Other("listener.py", "shared", "finish") as two:
        until("both are connected", lambda: axme.get_agent("shared")["agent"]["connections"] == 2)
        sent = [axme.send_intent(order("shared", {"n": n})) for n in range(20)]
        ends = [axme.wait_for(intent, timeout_seconds=PATIENCE_SECONDS) for intent in sent]
        assert {end["status"] for end in ends} == {"COMPLETED"}
        attempts = [types(axme, intent).count("intent.attempt_started") for intent in sent]
        assert attempts == [1] * 20, attempts
        # Both had a share: one line each is there without waiting for the other's.
        assert one.line()["intent_id"] != two.line()["intent_id"]


def waiting_ends_when_told():
    """Time limits of the client hold, and an idle stream is no error."""
    axme = client()
    intent = axme.send_intent(order("nobody"))
    for wait in (
        lambda: axme.wait_for(intent, timeout_seconds=1),
        lambda: next(axme.listen("nothing-for-me", wait_seconds=1, timeout_seconds=1)),
    ):
        try:
            raise AssertionError(f"ended with {wait()}")
        except TimeoutError:
            pass


def difficult_text():
    """Separators of lines, signs beyond the first plane and 120 KiB survive every way to read them."""
    axme = client()
    # The payload as compact JSON stays under 128 KiB, and far over a line of a stream.
    separators = "a\u2028b\u2029c\u0085d\r\n\t\u0000\u001f\"\\ \U0001f4ee \U0001f468\u200d\U0001f469\u200d\U0001f467 \ufeff\u00e9\u0065\u0301"
    small = {"text": separators, separators: [None, True, 1.5, -0.0, 1e300, 12345678901234567890, ""]}
    large = {"text": separators, "long": "\u0436" * (60 * 1024)}
    sent = [axme.send_intent(order("reader", payload)) for payload in (small, large)]
    for intent, payload in zip(sent, (small, large)):
        assert axme.get_intent(intent)["payload"] == payload
    rows = []
    for row in axme.listen("reader", timeout_seconds=PATIENCE_SECONDS):
        rows.append(row)
        if row.get("payload_truncated"):
            row["payload"] = axme.get_intent(row["intent_id"])["payload"]
        axme.resume_intent(row["intent_id"], {"echo": row["payload"]}, owner_agent="reader")
        if len(rows) == 2:
            break
    assert [row["intent_id"] for row in rows] == sent
    assert rows[0]["payload"] == small and "payload_truncated" not in rows[0], rows[0]
    assert rows[1]["payload"] == large and rows[1]["payload_truncated"] is True
    ends = [axme.wait_for(intent, timeout_seconds=PATIENCE_SECONDS) for intent in sent]
    assert ends[0]["result"] == {"echo": small}, ends[0]
    # A result over the limit of a line is left out of it, and whole where it is asked for.
    assert ends[1]["truncated"] is True and "result" not in ends[1], ends[1].keys()
    assert axme.get_intent(sent[1])["intent"]["result"] == {"echo": large}
    # On the stream itself no line but the frame's own may end there: some readers split at each.
    with httpx.stream(
        "GET",
        f"{URL}/v1/intents/{sent[0]}/events/stream?since=4&wait_seconds=1",
        headers={"x-api-key": KEY},
    ) as stream:
        text = b"".join(stream.iter_bytes()).decode()
    assert text.splitlines() == text.split("\n")[:-1], text


main(globals())
