"""Every public method of the published client: those that the broker has do their work, the others are refused."""

import inspect
import itertools
import uuid

from axme import AxmeServerError
from receiver import Receiver
from support import PATIENCE_SECONDS, client, code, main, order, plain, refused, status, until

# The families of section 22, by the methods that ask for them.
NOT_POSTROOM = {
    "invites": ("create_invite", "get_invite", "accept_invite"),
    "media": ("create_media_upload", "get_media_upload", "finalize_media_upload"),
    "users": ("register_nick", "check_nick", "rename_nick", "get_user_profile", "update_user_profile"),
    "organizations": (
        "create_organization", "get_organization", "update_organization", "create_workspace", "list_workspaces",
        "update_workspace", "list_organization_members", "add_organization_member", "update_organization_member",
        "remove_organization_member",
    ),
    "access-requests": (
        "create_access_request", "list_access_requests", "get_access_request", "review_access_request",
    ),
    "quotas": ("update_quota", "get_quota"),
    "usage": ("get_usage_summary", "get_usage_timeseries"),
    "billing": ("update_billing_plan", "get_billing_plan", "list_billing_invoices", "get_billing_invoice"),
    "principals": ("create_principal", "get_principal"),
    "aliases": ("bind_alias", "list_aliases", "revoke_alias", "resolve_alias"),
    "routing": (
        "register_routing_endpoint", "list_routing_endpoints", "update_routing_endpoint", "remove_routing_endpoint",
        "resolve_routing",
    ),
    "transports": ("upsert_transport_binding", "list_transport_bindings", "remove_transport_binding"),
    "sending by route": ("submit_delivery",),
}

WORKS = {}


def works(method):
    """Names the method that a function shows at work."""

    def keep(show):
        assert method not in WORKS, f"{method} is shown twice"
        WORKS[method] = show
        return show

    return keep


def methods(of, prefix=""):
    names = (name for name in dir(of) if not name.startswith("_"))
    return {prefix + name for name in names if callable(getattr(of, name))}


def every_method():
    """Each method that the client has is either shown at work or refused by the name of its family."""
    axme = client(max_retries=0)
    there = methods(axme) | methods(axme.mesh, "mesh.")
    foreign = [name for names in NOT_POSTROOM.values() for name in names]
    assert sorted(foreign + list(WORKS)) == sorted(there), set(foreign + list(WORKS)) ^ there
    for family, names in NOT_POSTROOM.items():
        for name in names:
            method = getattr(axme, name)
            call = lambda: method(*some_arguments(method)[0], **some_arguments(method)[1])
            error = refused(AxmeServerError, call)
            assert (error.status_code, code(error)) == (501, "not_supported"), (name, error.body)
            assert error.message == f"{family} is not part of Postroom", (name, error.message)
            assert error.body["error"]["retryable"] is False, (name, error.body)
    for name, show in WORKS.items():
        try:
            show(axme)
        except Exception as failure:
            raise AssertionError(f"{name} does not work: {failure!r}") from failure
    print(f"{len(WORKS)} methods at work, {len(foreign)} refused")


def some_arguments(method):
    """Something for whatever a method cannot do without."""
    words, named = [], {}
    for name, parameter in inspect.signature(method).parameters.items():
        if parameter.default is not inspect.Parameter.empty:
            continue
        value = {} if name == "payload" else "some-value"
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            named[name] = value
        else:
            words.append(value)
    return words, named


NUMBERS = itertools.count(1)


def fresh(kind):
    """A name that no other part of this walk has."""
    return f"{kind}-{next(NUMBERS)}"


def sent(axme, to=None, **more):
    return axme.send_intent(order(to or fresh("agent"), **more))


def asked(axme):
    """An intent that asks a person, who that is, and the thread it opened."""
    owner = fresh("person")
    intent = sent(axme, owner, human_task={"title": "May we?"})
    thread = axme.list_inbox(owner_agent=owner)["threads"][0]["thread_id"]
    return intent, owner, thread


def account(axme):
    return axme.create_service_account({"name": fresh("account")})["service_account"]


@works("health")
def health(axme):
    answer = axme.health()
    assert answer["ok"] is True and answer["service"] == "postroom", answer


@works("get_capabilities")
def get_capabilities(axme):
    answer = axme.get_capabilities()
    assert answer["capabilities"] and answer["supported_intent_types"], answer


@works("send_intent")
def send_intent(axme):
    assert str(uuid.UUID(sent(axme)))


@works("create_intent")
def create_intent(axme):
    correlation = str(uuid.uuid4())
    made = axme.create_intent(order("orders"), correlation_id=correlation, idempotency_key=fresh("key"))
    assert made["status"] == "DELIVERED", made
    assert axme.get_intent(made["intent_id"])["intent"]["correlation_id"] == correlation


@works("get_intent")
def get_intent(axme):
    intent = sent(axme, payload={"a": [1, "ü"]})
    answer = axme.get_intent(intent)
    assert answer["intent"]["payload"] == answer["payload"] == {"a": [1, "ü"]}, answer


@works("list_intent_events")
def list_intent_events(axme):
    events = axme.list_intent_events(sent(axme), since=1)["events"]
    assert [(one["seq"], one["event_type"]) for one in events] == [(2, "intent.submitted"), (3, "intent.delivered")]


@works("resolve_intent")
def resolve_intent(axme):
    answer = axme.resolve_intent(sent(axme, "orders"), {"status": "COMPLETED", "result": {"n": 7}}, owner_agent="orders")
    assert answer["event"]["event_type"] == "intent.completed" and answer["event"]["result"] == {"n": 7}, answer
    assert answer["completion_delivery"] == {"delivered": False, "reason": "reply_to_not_set"}, answer


@works("resume_intent")
def resume_intent(axme):
    answer = axme.resume_intent(sent(axme, "orders"), {"n": 8}, owner_agent="orders", x_owner_agent="agent://orders")
    assert answer["applied"] is True and answer["intent"]["result"] == {"n": 8}, answer


@works("update_intent_controls")
def update_intent_controls(axme):
    intent = sent(axme)
    patch = {"controls_patch": {"timeout_seconds": 120, "colour": "red"}, "expected_policy_generation": 0}
    answer = axme.update_intent_controls(intent, patch)
    assert answer["applied"] is True and answer["policy_generation"] == 1, answer
    assert answer["intent"]["deadline_at"] and answer["intent"]["controls"] == patch["controls_patch"], answer
    again = axme.update_intent_controls(intent, patch)
    assert again == {"ok": True, "applied": False, "reason": "stale_policy_generation", "policy_generation": 1}, again


@works("update_intent_policy")
def update_intent_policy(axme):
    intent = sent(axme)
    patch = {
        "grants_patch": {"delegate:agent://ops": {"allow": ["resume", "update_controls"]}},
        "envelope_patch": {"max_retry_count": 10},
    }
    answer = axme.update_intent_policy(intent, patch)
    assert answer["policy_generation"] == 1 and answer["intent"]["max_delivery_attempts"] == 11, answer
    # Whoever was granted that may answer now, and nobody else who is no party.
    for name, allowed in (("ops", True), ("stranger", False)):
        made = axme.create_service_account({"name": name})["service_account"]["service_account_id"]
        other = client(key=axme.create_service_account_key(made, {})["api_key"], max_retries=0)
        if allowed:
            assert other.resume_intent(intent, {"action": "progress"})["applied"] is True
        else:
            assert code(refused(Exception, lambda: other.resume_intent(intent, {}))) == "intent_not_found"


@works("observe")
def observe(axme):
    intent = sent(axme)
    axme.resume_intent(intent, {"n": 1})
    seen = [one["event_type"] for one in axme.observe(intent, timeout_seconds=PATIENCE_SECONDS)]
    assert seen == ["intent.created", "intent.submitted", "intent.delivered", "intent.completed"], seen


@works("wait_for")
def wait_for(axme):
    intent = sent(axme)
    axme.resume_intent(intent, {"n": 2})
    end = axme.wait_for(intent, timeout_seconds=PATIENCE_SECONDS)
    assert end["status"] == "COMPLETED" and end["result"] == {"n": 2}, end


@works("listen")
def listen(axme):
    to = fresh("agent")
    intent = sent(axme, to)
    row = next(axme.listen(to, timeout_seconds=PATIENCE_SECONDS))
    assert row["intent_id"] == intent and row["payload"] == {"n": 1}, row


@works("list_inbox")
def list_inbox(axme):
    intent, owner, thread = asked(axme)
    threads = axme.list_inbox(owner_agent=owner)["threads"]
    assert [(one["thread_id"], one["intent_id"]) for one in threads] == [(thread, intent)], threads


@works("get_inbox_thread")
def get_inbox_thread(axme):
    _intent, owner, thread = asked(axme)
    shown = axme.get_inbox_thread(thread, owner_agent=owner)["thread"]
    assert shown["status"] == "pending" and shown["timeline"][0]["event_type"] == "intent_received", shown


@works("list_inbox_changes")
def list_inbox_changes(axme):
    _intent, owner, thread = asked(axme)
    page = axme.list_inbox_changes(owner_agent=owner, limit=10)
    assert [one["thread"]["thread_id"] for one in page["changes"]] == [thread] and len(page["next_cursor"]) >= 3, page
    after = axme.list_inbox_changes(owner_agent=owner, cursor=page["next_cursor"])
    assert after["changes"] == [] and after["next_cursor"] == page["next_cursor"], after


@works("reply_inbox_thread")
def reply_inbox_thread(axme):
    _intent, owner, thread = asked(axme)
    answer = axme.reply_inbox_thread(thread, message="which one?", owner_agent=owner)
    assert answer["messages"][0]["content"] == "which one?", answer


@works("delegate_inbox_thread")
def delegate_inbox_thread(axme):
    _intent, owner, thread = asked(axme)
    other = fresh("person")
    shown = axme.delegate_inbox_thread(thread, {"delegate_to": other, "note": "please"}, owner_agent=owner)["thread"]
    assert shown["status"] == "active", shown
    assert axme.list_inbox(owner_agent=other)["threads"][0]["thread_id"] == thread


@works("approve_inbox_thread")
def approve_inbox_thread(axme):
    intent, owner, thread = asked(axme)
    shown = axme.approve_inbox_thread(thread, {"comment": "fine"}, owner_agent=owner)["thread"]
    assert shown["status"] == "done" and status(axme, intent) == "COMPLETED", shown


@works("reject_inbox_thread")
def reject_inbox_thread(axme):
    intent, owner, thread = asked(axme)
    axme.reject_inbox_thread(thread, {"comment": "no"}, owner_agent=owner)
    assert axme.get_intent(intent)["intent"]["error"]["code"] == "rejected"


@works("delete_inbox_messages")
def delete_inbox_messages(axme):
    _intent, owner, thread = asked(axme)
    axme.reply_inbox_thread(thread, message="a secret", owner_agent=owner)
    answer = axme.delete_inbox_messages(thread, {"mode": "self"}, owner_agent=owner)
    assert answer["deleted_count"] == 1 and answer["mode"] == "self", answer
    assert "a secret" not in str(axme.get_inbox_thread(thread, owner_agent=owner))


@works("decide_approval")
def decide_approval(axme):
    intent, _owner, thread = asked(axme)
    approval = axme.decide_approval(thread, decision="approve", comment="ok")["approval"]
    assert approval["approval_id"] == thread and approval["decision"] == "approve", approval
    assert status(axme, intent) == "COMPLETED"


SCENARIO = {
    "scenario_id": "methods.demo.v1",
    "agents": [{"role": "packer", "address": "packer", "create_if_missing": True}],
    "workflow": {"steps": [{"step_id": "pack", "tool_id": "tool.agent.task.v1", "assigned_to": "packer"}]},
    "intent": {"type": "intent.pack.v1", "payload": {"n": 1}},
}


@works("validate_scenario")
def validate_scenario(axme):
    assert axme.validate_scenario(SCENARIO) == {"ok": True, "valid": True, "errors": [], "warnings": []}
    broken = {**SCENARIO, "workflow": {"steps": [{"step_id": "pack", "assigned_to": "nobody-here", "tool_id": ""}]}}
    assert axme.validate_scenario(broken)["valid"] is False


@works("apply_scenario")
def apply_scenario(axme):
    key = fresh("key")
    run = axme.apply_scenario(SCENARIO, idempotency_key=key)
    assert run["status"] == "WAITING" and run["pending_with"].endswith("/packer"), run
    again = axme.apply_scenario(SCENARIO, idempotency_key=key)
    assert again["intent_id"] == run["intent_id"] and again["idempotent"] is True, again
    row = next(axme.listen("packer", timeout_seconds=PATIENCE_SECONDS))
    axme.resume_intent(row["intent_id"], {"packed": True}, owner_agent="packer")
    assert axme.wait_for(run["intent_id"], timeout_seconds=PATIENCE_SECONDS)["result"]["packed"] is True


@works("upsert_schema")
def upsert_schema(axme):
    made = axme.upsert_schema(
        {
            "semantic_type": "intent.measured.v1",
            "schema_json": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}},
            "compatibility_mode": "strict",
        }
    )["schema"]
    assert len(made["schema_hash"]) == 64, made
    body = {"intent_type": "intent.measured.v1", "to_agent": "orders", "payload": {"n": "one"}}
    assert code(refused(Exception, lambda: axme.send_intent(body))) == "payload_schema_mismatch"
    assert axme.send_intent({**body, "payload": {"n": 1}})


@works("get_schema")
def get_schema(axme):
    axme.upsert_schema({"semantic_type": "intent.shown.v1", "schema_json": {"type": "object"}, "compatibility_mode": "warn"})
    assert axme.get_schema("intent.shown.v1")["schema"]["schema_json"] == {"type": "object"}


@works("create_service_account")
def create_service_account(axme):
    made = account(axme)
    assert made["address"] == made["agent_address"] == f"agent://local/default/{made['name']}", made


@works("list_service_accounts")
def list_service_accounts(axme):
    made = account(axme)
    listed = axme.list_service_accounts(org_id="o", workspace_id="w")["service_accounts"]
    assert made["service_account_id"] in [one["service_account_id"] for one in listed]
    assert {one["org_id"] for one in listed} == {"o"}, listed


@works("get_service_account")
def get_service_account(axme):
    made = account(axme)
    assert axme.get_service_account(made["service_account_id"])["service_account"]["name"] == made["name"]


@works("create_service_account_key")
def create_service_account_key(axme):
    made = account(axme)
    answer = axme.create_service_account_key(made["service_account_id"], {})
    assert answer["api_key"] == answer["key"]["token"], answer.keys()
    assert client(key=answer["api_key"]).get_capabilities()["ok"] is True


@works("revoke_service_account_key")
def revoke_service_account_key(axme):
    made = account(axme)["service_account_id"]
    answer = axme.create_service_account_key(made, {})
    revoked = axme.revoke_service_account_key(made, answer["key"]["key_id"])["key"]
    assert revoked["status"] == "revoked" and revoked["revoked_at"], revoked
    assert code(refused(Exception, lambda: client(key=answer["api_key"]).list_inbox())) == "invalid_platform_api_key"


@works("list_agents")
def list_agents(axme):
    made = account(axme)
    listed = axme.list_agents(org_id="o", workspace_id="w", limit=500)["agents"]
    assert made["address"] in [one["address"] for one in listed], listed


@works("get_agent")
def get_agent(axme):
    made = account(axme)
    assert axme.get_agent(made["address"])["agent"]["service_account_name"] == made["name"]


def dead(axme, http):
    """An intent whose delivery was given up."""
    to = fresh("agent")
    intent = sent(axme, to, max_delivery_attempts=1)
    http.get(f"/v1/agents/{to}/intents")
    http.post(f"/v1/agents/{to}/intents/{intent}/nack", json={"reason": "no"})
    assert status(axme, intent) == "FAILED"
    return intent


@works("list_deliveries")
def list_deliveries(axme):
    with plain() as http:
        intent = dead(axme, http)
    listed = axme.list_deliveries(org_id="o", workspace_id="w", status="dead_lettered")["deliveries"]
    assert intent in [one["intent_id"] for one in listed] and listed[0]["org_id"] == "o", listed


@works("get_delivery")
def get_delivery(axme):
    intent = sent(axme)
    shown = axme.get_delivery(intent)["delivery"]
    assert shown["status"] == "submitted" and shown["transport_type"] == "queue", shown
    assert axme.get_delivery(shown["delivery_id"])["delivery"] == shown


@works("replay_delivery")
def replay_delivery(axme):
    with plain() as http:
        intent = dead(axme, http)
    old = axme.get_delivery(intent)["delivery"]["delivery_id"]
    new = axme.replay_delivery(old)["delivery"]
    assert new["replay_of_delivery_id"] == old and new["intent_id"] != intent, new


@works("upsert_webhook_subscription")
def upsert_webhook_subscription(axme):
    body = {"callback_url": "http://127.0.0.1:9/one", "event_types": ["shop.opened"], "active": False}
    made = axme.upsert_webhook_subscription(body)["subscription"]
    assert made["secret"].startswith("whsec_"), made.keys()
    again = axme.upsert_webhook_subscription({**body, "description": "again"})["subscription"]
    assert again["subscription_id"] == made["subscription_id"] and "secret" not in again, again


@works("list_webhook_subscriptions")
def list_webhook_subscriptions(axme):
    body = {"callback_url": "http://127.0.0.1:9/two", "event_types": ["shop.opened"]}
    made = axme.upsert_webhook_subscription({**body, "secret": "a-secret-of-sixteen"})["subscription"]
    listed = axme.list_webhook_subscriptions()["subscriptions"]
    assert made["subscription_id"] in [one["subscription_id"] for one in listed], listed
    axme.delete_webhook_subscription(made["subscription_id"])


@works("delete_webhook_subscription")
def delete_webhook_subscription(axme):
    body = {"callback_url": "http://127.0.0.1:9/three", "event_types": ["shop.opened"]}
    made = axme.upsert_webhook_subscription(body)["subscription"]["subscription_id"]
    answer = axme.delete_webhook_subscription(made)
    assert answer["subscription_id"] == made and answer["revoked_at"], answer
    left = axme.list_webhook_subscriptions()["subscriptions"]
    assert made not in [one["subscription_id"] for one in left], left


@works("publish_webhook_event")
def publish_webhook_event(axme):
    with Receiver(204) as receiver:
        axme.upsert_webhook_subscription({"callback_url": receiver.url, "event_types": ["shop.*"]})
        answer = axme.publish_webhook_event({"event_type": "shop.closed", "source": "shop", "payload": {"n": 3}})
        assert answer["queued_deliveries"] == answer["pending"] == 1 and answer["accepted_at"], answer
        until("the event has come", lambda: receiver.requests)
        assert receiver.requests[0]["body"]["payload"] == {"n": 3}, receiver.requests


@works("replay_webhook_event")
def replay_webhook_event(axme):
    with Receiver(204) as receiver:
        axme.upsert_webhook_subscription({"callback_url": receiver.url, "event_types": ["depot.*"]})
        event = axme.publish_webhook_event({"event_type": "depot.full", "source": "shop", "payload": {}})["event_id"]
        answer = axme.replay_webhook_event(event)
        assert answer["event_id"] == event and answer["queued_deliveries"] == 1 and answer["replayed_at"], answer
        until("it has come twice", lambda: len(receiver.requests) == 2)
        assert {one["body"]["event_id"] for one in receiver.requests} == {event}, receiver.requests


@works("mcp_initialize")
def mcp_initialize(axme):
    assert axme.mcp_initialize(protocol_version="2024-11-05")["serverInfo"]["name"] == "postroom"


@works("mcp_list_tools")
def mcp_list_tools(axme):
    tools = axme.mcp_list_tools()["tools"]
    assert len(tools) == 8 and all(tool["inputSchema"]["type"] == "object" for tool in tools), tools


@works("mcp_call_tool")
def mcp_call_tool(axme):
    axme.mcp_list_tools()
    intent, owner, _thread = asked(axme)
    answer = axme.mcp_call_tool("axme.approve", arguments={"thread_id": intent, "comment": "ok"}, owner_agent=owner)
    assert answer["ok"] is True and answer["data"]["thread"]["status"] == "done", answer
    decision = axme.get_intent(intent)["intent"]["human_task"]["decision"]
    assert decision["via"] == "mcp", decision


def mesh_agent(axme):
    """A client of a mesh agent of its own, and the agent's row."""
    made = account(axme)
    agent = client(key=axme.create_service_account_key(made["service_account_id"], {})["api_key"], max_retries=0)
    agent.mesh.heartbeat()
    rows = axme.mesh.list_agents(limit=500)["agents"]
    return agent, next(row for row in rows if row["address"] == made["address"])


@works("mesh.heartbeat")
def mesh_heartbeat(axme):
    agent, _row = mesh_agent(axme)
    answer = agent.mesh.heartbeat(metrics={"intents_total": 2, "intents_succeeded": 2})
    assert answer["health_status"] == "healthy" and answer["received_at"], answer


@works("mesh.list_agents")
def mesh_list_agents(axme):
    _agent, row = mesh_agent(axme)
    assert row["health_status"] == "healthy" and row["address_id"], row
    page = axme.mesh.list_agents(health="healthy")
    assert page["summary"]["healthy"] >= 1 and page["agents"], page


@works("mesh.get_agent")
def mesh_get_agent(axme):
    _agent, row = mesh_agent(axme)
    shown = axme.mesh.get_agent(row["address_id"])["agent"]
    assert shown["address"] == row["address"] and "metrics" in shown and "events" in shown, shown


@works("mesh.kill")
def mesh_kill(axme):
    agent, row = mesh_agent(axme)
    assert axme.mesh.kill(row["address_id"])["status"] == "killed"
    error = refused(Exception, lambda: sent(axme, row["address"]))
    assert error.body["error"]["details"]["reason"] == "agent_killed", error.body
    assert code(refused(Exception, lambda: next(agent.listen(row["address"])))) == "policy_denied"


@works("mesh.resume")
def mesh_resume(axme):
    _agent, row = mesh_agent(axme)
    axme.mesh.kill(row["address_id"])
    assert axme.mesh.resume(row["address_id"])["status"] == "active"
    assert sent(axme, row["address"])


@works("mesh.list_events")
def mesh_list_events(axme):
    _agent, row = mesh_agent(axme)
    axme.mesh.kill(row["address_id"])
    events = axme.mesh.list_events(limit=500)["events"]
    assert row["address"] in [one["address"] for one in events], events
    kind = events[0]["event_type"]
    assert {one["event_type"] for one in axme.mesh.list_events(event_type=kind)["events"]} == {kind}


@works("mesh.report_metric")
def mesh_report_metric(axme):
    """What is reported goes with the next beat."""
    agent, row = mesh_agent(axme)
    agent.mesh.report_metric(success=True, latency_ms=12.0, cost_usd=0.5)
    agent.mesh.start_heartbeat(interval_seconds=0.1)
    try:
        until("the metric has come", lambda: "0.5" in str(axme.mesh.get_agent(row["address_id"])["agent"]["metrics"]))
    finally:
        agent.mesh.stop_heartbeat()


@works("mesh.start_heartbeat")
def mesh_start_heartbeat(axme):
    agent, row = mesh_agent(axme)
    first = axme.mesh.get_agent(row["address_id"])["agent"]["last_heartbeat_at"]
    agent.mesh.start_heartbeat(interval_seconds=0.1, include_metrics=False)
    try:
        later = lambda: axme.mesh.get_agent(row["address_id"])["agent"]["last_heartbeat_at"] > first
        until("the thread has beaten", later)
    finally:
        agent.mesh.stop_heartbeat()


@works("mesh.stop_heartbeat")
def mesh_stop_heartbeat(axme):
    agent, _row = mesh_agent(axme)
    agent.mesh.start_heartbeat(interval_seconds=60.0)
    agent.mesh.stop_heartbeat()
    # A second stop and a new start are no errors.
    agent.mesh.stop_heartbeat()
    agent.mesh.start_heartbeat(interval_seconds=60.0)
    agent.mesh.stop_heartbeat()


@works("close")
def close(_axme):
    own = client()
    assert own.health()["ok"] is True
    own.close()
    refused(RuntimeError, own.health)


if __name__ == "__main__":
    main({"every_method": every_method})
