"""Webhook subscriptions: events as an integrator gets them."""

import json

from receiver import Receiver
from support import PATIENCE_SECONDS, client, main, order, plain, refused, say, types, until

from axme import AxmeValidationError


SECRET = "whsec_cG9zdHJvb20tdGVzdC12ZWN0b3Ita2V5"


def subscribe(axme, receiver, *event_types, **more):
    made = axme.upsert_webhook_subscription(
        {"callback_url": receiver.url, "event_types": list(event_types), **more}
    )["subscription"]
    receiver.secret = made.get("secret") or more.get("secret")
    return made


def kinds(receiver):
    with receiver.lock:
        return [request["body"]["event_type"] for request in receiver.requests]


def no_faults(receiver):
    assert {request.get("fault") for request in receiver.requests} == {None}, receiver.requests


def life_of_an_intent():
    """Signed events, one for each that the intent has; the published client makes and takes away."""
    axme = client()
    with Receiver(204) as receiver:
        made = subscribe(axme, receiver, "intent.*")
        assert made["secret"].startswith("whsec_"), made
        intent = axme.send_intent(order("orders"))
        axme.resume_intent(intent, {"charged": True}, owner_agent="orders")
        axme.wait_for(intent, timeout_seconds=PATIENCE_SECONDS)
        expected = sorted(types(axme, intent))
        until("all events came", lambda: sorted(kinds(receiver)) == expected)
        no_faults(receiver)
        last = receiver.requests[-1]
        assert last["body"]["payload"]["intent_id"] == intent, last
        assert set(last["body"]) == {
            "event_id", "event_type", "source", "owner_agent", "occurred_at", "payload"
        }, last["body"]
        listed = axme.list_webhook_subscriptions()["subscriptions"]
        assert [one["subscription_id"] for one in listed] == [made["subscription_id"]], listed
        with plain() as http:
            carried = http.get("/v1/intents", params={"kind": "webhook"}).json()["intents"]
            until("all are completed", lambda: {one["status"] for one in http.get(
                "/v1/intents", params={"kind": "webhook"}).json()["intents"]} == {"COMPLETED"})
            assert len(carried) == len(expected), carried
            assert len(http.get("/v1/intents").json()["intents"]) == 1
        axme.delete_webhook_subscription(made["subscription_id"])
        assert axme.list_webhook_subscriptions()["subscriptions"] == []
        error = refused(AxmeValidationError, lambda: subscribe(axme, Away(), "intent.*"))
        assert error.body["error"]["code"] == "callback_url_refused", error.body


class Away:
    """Where nobody may be made to call."""

    url = "http://169.254.169.254/latest"
    secret = None


def published_and_sent_again():
    """An event of one's own: counted, delivered, sent again under its id."""
    axme = client()
    with Receiver(500, 200) as receiver:
        subscribe(axme, receiver, "shop.*", secret=SECRET)
        event = {"event_type": "shop.opened", "source": "shop", "payload": {"door": 2}}
        sent = axme.publish_webhook_event(event)
        assert sent["queued_deliveries"] == 1, sent
        until("it came at the second try", lambda: len(receiver.requests) == 2)
        replayed = axme.replay_webhook_event(sent["event_id"])
        assert replayed["event_id"] == sent["event_id"], replayed
        until("it came again", lambda: len(receiver.requests) == 3)
        no_faults(receiver)
        ids = [request["body"]["event_id"] for request in receiver.requests]
        assert ids == [sent["event_id"]] * 3, ids
        first, retry, again = [one["headers"]["webhook-id"] for one in receiver.requests]
        assert first == retry != again, "a retry is the same message, another delivery is not"


def send_until_the_end(notes):
    """Subscribes to a place where nobody is yet, and sends until the broker is gone."""
    axme = client()
    with Receiver(500) as receiver:
        made = subscribe(axme, receiver, "intent.created", secret=SECRET)
        port = receiver.server.server_port
    with open(notes, "w") as file:
        file.write(json.dumps({"port": port, "subscription": made["subscription_id"]}) + "\n")
        try:
            while True:
                file.write(axme.send_intent(order("orders")) + "\n")
                file.flush()
                say("sent")
        except Exception:  # the broker is gone
            return


def every_answered_one_is_told(notes):
    """The place is there now: every intent that was answered for is told of, signed."""
    with open(notes) as file:
        about, *intents = file.read().splitlines()
    port = json.loads(about)["port"]
    with Receiver(200, port=port, secret=SECRET) as receiver:
        def told():
            with receiver.lock:
                return {request["body"]["payload"]["intent_id"] for request in receiver.requests}

        until("every one was told of", lambda: set(intents) <= told())
        no_faults(receiver)


main(globals())
