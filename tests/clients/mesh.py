"""The mesh: agents that beat, how they are, and an operator who kills one and lets it go on."""

from axme import AxmeAuthError, AxmeHttpError

from support import PATIENCE_SECONDS, client, code, main, order, refused, status, until


def agent_of(admin, name):
    """An account with a key of its own: its client, and the id of its address."""
    account = admin.create_service_account({"name": name})["service_account"]["service_account_id"]
    key = admin.create_service_account_key(account, {})["api_key"]
    return client(key=key), admin.get_agent(name)["agent"]["address_id"]


def row(admin, address_id, **filters):
    """The agent in the list, or none."""
    listed = admin.mesh.list_agents(**filters)
    assert listed["ok"] is True and listed["summary"]["total"] >= 1, listed
    found = [one for one in listed["agents"] if one["address_id"] == address_id]
    return found[0] if found else None


def beats_and_metrics():
    """An agent that beats is healthy, and what it says of its work is added up."""
    admin = client()
    agent, address_id = agent_of(admin, "orders")
    assert row(admin, address_id)["health_status"] == "unknown"
    said = agent.mesh.heartbeat()
    assert said["ok"] is True and said["health_status"] == "healthy", said
    assert said["address"] == "agent://local/default/orders" and said["received_at"].endswith("Z"), said
    # The change of its health is in the next commit.
    until("healthy", lambda: row(admin, address_id, health="healthy"))
    assert row(admin, address_id, health="unreachable") is None
    healthy = row(admin, address_id)
    assert healthy["address"] == "agent://local/default/orders", healthy
    assert healthy["last_heartbeat_at"] is not None, healthy

    # The client's own thread beats, with what was reported meanwhile.
    for is_good, latency in ((True, 10.0), (True, 20.0), (False, 60.0)):
        agent.mesh.report_metric(success=is_good, latency_ms=latency, cost_usd=0.25)
    agent.mesh.start_heartbeat(interval_seconds=0.05)
    try:
        work = until("its work is known", lambda: admin.mesh.get_agent(address_id)["agent"]["metrics"].get("intents_total"))
    finally:
        agent.mesh.stop_heartbeat()
    assert work == 3, work
    metrics = admin.mesh.get_agent(address_id)["agent"]["metrics"]
    assert (metrics["intents_succeeded"], metrics["intents_failed"]) == (2, 1), metrics
    assert abs(metrics["avg_latency_ms"] - 30) < 0.01 and abs(metrics["cost_usd"] - 0.75) < 0.001, metrics
    assert row(admin, address_id)["intents_period"] == 3, row(admin, address_id)


def killed_and_resumed():
    """A killed agent neither sends nor receives; resumed, it gets what was sent before."""
    admin = client()
    agent, address_id = agent_of(admin, "orders")
    agent.mesh.heartbeat()
    before = admin.send_intent(order("orders"))
    assert admin.mesh.kill(address_id)["status"] == "killed"
    for act in (
        lambda: admin.send_intent(order("orders")),
        lambda: agent.send_intent(order("billing")),
        lambda: next(agent.listen("orders", timeout_seconds=PATIENCE_SECONDS)),
    ):
        error = refused(AxmeAuthError, act)
        assert error.status_code == 403 and code(error) == "policy_denied", error.body
        assert error.body["error"]["details"]["reason"] == "agent_killed", error.body
    assert row(admin, address_id, health="killed")["health_status"] == "killed"
    assert admin.mesh.list_agents()["summary"]["killed"] == 1
    assert status(admin, before) == "DELIVERED", "nothing is lost"

    assert admin.mesh.resume(address_id)["status"] == "active"
    came = next(agent.listen("orders", timeout_seconds=PATIENCE_SECONDS))
    assert came["intent_id"] == before, came
    assert agent.resume_intent(before, {"action": "complete"})["intent"]["status"] == "COMPLETED"
    assert row(admin, address_id, health="killed") is None

    # What was done is on record, newest first, and by type.
    listed = admin.mesh.list_events()["events"]
    kinds = [one["event_type"] for one in listed if one["address"] == "agent://local/default/orders"]
    of_operator = [kind for kind in kinds if kind != "agent.health_changed"]
    assert of_operator == ["agent.revived", "agent.killed"], kinds
    killed = admin.mesh.list_events(event_type="agent.killed", limit=1)["events"]
    assert [one["event_type"] for one in killed] == ["agent.killed"], killed
    assert killed[0]["actor_id"] and killed[0]["event_id"] and killed[0]["created_at"], killed
    detail = admin.mesh.get_agent(address_id)["agent"]
    assert "agent.killed" in [one["event_type"] for one in detail["events"]], detail


def who_may():
    """An agent neither kills nor resumes anybody; who is unknown is not found."""
    admin = client()
    agent, address_id = agent_of(admin, "orders")
    for act in (agent.mesh.kill, agent.mesh.resume):
        error = refused(AxmeAuthError, lambda: act(address_id))
        assert error.status_code == 403 and code(error) == "forbidden", error.body
    for act in (admin.mesh.get_agent, admin.mesh.kill, admin.mesh.resume):
        error = refused(AxmeHttpError, lambda: act("adr_none"))
        assert error.status_code == 404 and code(error) == "agent_not_found", error.body


main(globals())
