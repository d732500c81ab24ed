"""Who asks: health, accounts, keys, agents, refusals, and the same request made twice."""

import concurrent.futures
import importlib.metadata
import uuid

from axme import AxmeAuthError, AxmeHttpError, AxmeServerError, AxmeValidationError

from support import KEY, PATIENCE_SECONDS, client, code, main, order, plain, refused, status, types


def the_broker_is_reached():
    """The client of this version reaches the broker."""
    health = client().health()
    assert health["ok"] is True and health["service"] == "postroom", health
    names = ("axme", "standardwebhooks")
    print("published clients:", *(f"{name} {importlib.metadata.version(name)}" for name in names))


def accounts_and_keys():
    """An account with a key of its own listens at its address, and at no other; revoked, nowhere."""
    admin = client()
    made = admin.create_service_account({"name": "Orders", "display_name": "Orders & more"})
    account = made["service_account"]
    assert account["name"] == "Orders" and account["address"] == "agent://local/default/orders", account
    again = admin.create_service_account({"name": "Orders"})["service_account"]
    assert again["service_account_id"] == account["service_account_id"], again
    listed = admin.list_service_accounts(org_id="any", workspace_id="any")["service_accounts"]
    assert account["service_account_id"] in [one["service_account_id"] for one in listed], listed
    assert admin.get_service_account(account["service_account_id"])["service_account"]["name"] == "Orders"

    answer = admin.create_service_account_key(account["service_account_id"], {})
    assert answer["key"]["token"] == answer["api_key"], answer.keys()
    agent = client(key=answer["api_key"])
    assert agent.get_capabilities()["supported_intent_types"], agent.get_capabilities()
    for address in ("orders", "local/default/orders", "agent://local/default/orders"):
        assert admin.get_agent(address)["agent"]["address"] == "agent://local/default/orders"
    assert refused(AxmeHttpError, lambda: admin.get_agent("nobody")).status_code == 404

    # It receives what is its own ...
    intent = admin.send_intent(order("orders"))
    row = next(agent.listen("orders", timeout_seconds=PATIENCE_SECONDS))
    assert row["intent_id"] == intent
    # ... and neither sees nor takes what is another's.
    foreign = admin.send_intent(order("billing"))
    for act in (
        lambda: next(agent.listen("billing", timeout_seconds=PATIENCE_SECONDS)),
        lambda: agent.list_inbox(owner_agent="billing"),
        lambda: agent.create_service_account({"name": "mine"}),
    ):
        error = refused(AxmeAuthError, act)
        assert error.status_code == 403 and code(error) == "forbidden", error.body
    for act in (
        lambda: agent.get_intent(foreign),
        lambda: agent.resume_intent(foreign, {"done": True}),
        lambda: agent.resolve_intent(foreign, {"status": "COMPLETED"}),
    ):
        error = refused(AxmeHttpError, act)
        assert error.status_code == 404 and code(error) == "intent_not_found", error.body
    assert status(admin, foreign) == "DELIVERED"
    done = agent.resume_intent(intent, {"action": "complete", "charged": True})
    assert done["applied"] is True and done["intent"]["result"] == {"charged": True}, done

    admin.revoke_service_account_key(account["service_account_id"], answer["key"]["key_id"])
    error = refused(AxmeAuthError, lambda: agent.get_intent(intent))
    assert error.status_code == 401 and code(error) == "invalid_platform_api_key", error.body


def refusals_are_told_as_the_client_tells_them():
    """Every family of refusals arrives as the exception made for it, with a sentence and ids."""
    axme = client()
    bad = refused(AxmeValidationError, lambda: axme.send_intent({"intent_type": "intent.a.v1"}, trace_id="t-1"))
    assert bad.status_code == 422 and code(bad) == "schema_invalid", bad.body
    assert bad.trace_id == "t-1" and bad.request_id and bad.message, vars(bad)
    assert bad.body["detail"][0]["loc"] == ["body", "to_agent"], bad.body
    wrong = client(key="axme_sa_1_wrong")
    assert code(refused(AxmeAuthError, lambda: wrong.list_inbox())) == "invalid_platform_api_key"
    unknown = str(uuid.uuid4())
    for act in (
        lambda: axme.get_intent(unknown),
        lambda: axme.wait_for(unknown, timeout_seconds=PATIENCE_SECONDS),
        lambda: axme.resume_intent(unknown, {}),
        lambda: axme.resolve_intent(unknown, {"status": "COMPLETED"}),
    ):
        error = refused(AxmeHttpError, act)
        assert error.status_code == 404 and code(error) == "intent_not_found", error.body
    absent = refused(AxmeServerError, lambda: client(max_retries=0).get_invite("x"))
    assert absent.status_code == 501 and code(absent) == "not_supported", absent.body


def the_same_request_twice():
    """A key makes one intent of a repeat, and a conflict of another request under it."""
    axme = client()
    first = axme.send_intent(order("orders"), idempotency_key="k1")
    # `send_intent` draws a new correlation id each time; an honest repeat differs there.
    again = axme.send_intent(order("orders"), idempotency_key="k1", correlation_id=str(uuid.uuid4()))
    assert first == again
    reordered = dict(reversed(order("orders").items()))
    assert axme.send_intent(reordered, idempotency_key="k1") == first
    other = refused(AxmeValidationError, lambda: axme.send_intent(order("orders", {"n": 2}), idempotency_key="k1"))
    assert other.status_code == 409 and code(other) == "idempotency_conflict", other.body
    assert "different payload" in other.message, other.message
    assert axme.send_intent(order("orders")) != axme.send_intent(order("orders"))
    assert types(axme, first).count("intent.created") == 1
    # The same key is another's own with another account.
    account = axme.create_service_account({"name": "web"})["service_account"]["service_account_id"]
    web = client(key=axme.create_service_account_key(account, {"role": "sender"})["api_key"])
    assert web.send_intent(order("orders"), idempotency_key="k1") != first
    # Results and decisions repeat as well: the second answer is the first.
    done = [axme.resume_intent(first, {"ok": 1}, idempotency_key="r1") for _ in range(2)]
    assert done[0] == done[1] and done[0]["intent"]["status"] == "COMPLETED", done
    late = refused(AxmeValidationError, lambda: axme.resume_intent(first, {"ok": 1}, idempotency_key="r2"))
    assert late.status_code == 409 and code(late) == "intent_terminal", late.body


def twenty_twins():
    """Twenty of the same request at once are one intent."""
    axme = client()
    body = order("orders", {"twin": True})

    def send(_number):
        return axme.send_intent(body, idempotency_key="twins")

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        made = set(pool.map(send, range(20)))
    assert len(made) == 1, made
    with plain() as http:
        listed = http.get("/v1/intents", params={"to_agent": "orders"}).json()["intents"]
    assert [row["intent_id"] for row in listed] == list(made), listed


main(globals())
