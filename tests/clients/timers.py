"""What the broker does by itself: a delay, reminders, an escalation to an agent, a step's deadline."""

from datetime import datetime

from support import PATIENCE_SECONDS, client, events, main, plain, say, status, types, until

DELAY, DEADLINE = 2, 6

BUNDLE = {
    "scenario_id": "timers.demo.v1",
    "agents": [{"role": "backup", "address": "backup", "create_if_missing": True}],
    "humans": [{"role": "boss", "contact": "boss"}],
    "workflow": {
        "steps": [
            {"step_id": "wait", "tool_id": "tool.internal.delay", "config": {"seconds": DELAY}},
            {
                "step_id": "sign",
                "tool_id": "tool.approval.human_signoff",
                "assigned_to": "boss",
                "step_deadline_seconds": DEADLINE,
                "remind_after_seconds": 1,
                "remind_interval_seconds": 1,
                "max_reminders": 2,
                "escalate_to": "backup",
            },
        ]
    },
    "intent": {"type": "intent.timers.v1", "payload": {"n": 1}},
}


def instant(event):
    return datetime.fromisoformat(event["at"])


def between(events, earlier, later):
    """Seconds from the first event of one type to the first of another."""
    first = {}
    for event in events:
        first.setdefault(event["event_type"], instant(event))
    return (first[later] - first[earlier]).total_seconds()


def begin():
    """The run waits for an instant; the broker dies now."""
    axme = client()
    checked = axme.validate_scenario(BUNDLE)
    assert checked["valid"] is True and checked["warnings"] == [], checked
    run = axme.apply_scenario(BUNDLE)["intent_id"]
    told = axme.get_intent(run)["intent"]
    assert (told["waiting_reason"], told["pending_with"]["type"]) == ("WAITING_FOR_TIME", "internal"), told
    say([run, told["step_intent_id"]])


def go_on(run, delay):
    """Everything comes at its time and in its order, as if nothing had been; the agent is offered the step."""
    axme = client()
    until("the delay is over", lambda: status(axme, delay) == "COMPLETED")
    waited = between(events(axme, delay), "intent.created", "intent.completed")
    assert DELAY <= waited < DELAY + PATIENCE_SECONDS, waited
    sign = until("a person is asked", lambda: axme.get_intent(run)["intent"].get("step_intent_id"))
    assert sign != delay
    with plain() as http:
        rows = until("the agent is offered it", lambda: http.get("/v1/agents/backup/intents").json()["intents"])
    assert rows[0]["intent_id"] == sign and rows[0]["payload"]["parent_intent_id"] == run, rows
    told = axme.get_intent(run)["intent"]
    assert (told["pending_with"]["type"], told["pending_with"]["name"]) == ("agent", "backup"), told
    # Neither answers: the deadline of the step ends it, and with it the run.
    end = axme.wait_for(run, timeout_seconds=PATIENCE_SECONDS)
    assert (end["status"], end["error"]["code"]) == ("FAILED", "step_timeout"), end
    step = events(axme, sign)
    assert [event["event_type"] for event in step] == [
        "intent.created",
        "intent.submitted",
        "intent.delivered",
        "intent.waiting",
        "intent.human_task_assigned",
        "intent.reminder",
        "intent.reminder",
        "intent.escalated",
        "intent.delivered",
        "intent.attempt_started",
        "intent.timed_out",
    ], types(axme, sign)
    assert [event["details"].get("reminder_number") for event in step[5:7]] == [1, 2], step
    for later, seconds in (("intent.reminder", 1), ("intent.escalated", 3), ("intent.timed_out", DEADLINE)):
        waited = between(step, "intent.created", later)
        assert seconds <= waited < seconds + PATIENCE_SECONDS, (later, waited)
    assert types(axme, run) == [
        "intent.created",
        "intent.submitted",
        "intent.delivered",
        "intent.waiting",
        "intent.waiting",
        "intent.escalated",
        "intent.waiting",
        "intent.failed",
    ], types(axme, run)
    holders = [event["pending_with"] and event["pending_with"]["name"] for event in events(axme, run)[3:]]
    assert holders == ["agent_core", "boss", "backup", "backup", None], holders


if __name__ == "__main__":
    main(globals())
