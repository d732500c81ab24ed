"""Every bundle of `tests/scenarios`, applied by the published client and run to its end by real agents.

People decide through the command line and through the API.
"""

import json
import os
import subprocess
import threading
import time

from axme import AxmeHttpError, AxmeValidationError

from receiver import Receiver
from support import HERE, KEY, PATIENCE_SECONDS, URL, Other, client, code, events, main, plain, refused, say, status, types, until

PROGRAM = os.environ["POSTROOM_PROGRAM"]


def bundle(name, change=None):
    text = (HERE.parent / "scenarios" / f"{name}.json").read_text()
    read = json.loads(text)
    if change:
        change(read)
    return read


def apply(axme, read, **more):
    """Checks and applies a bundle, and gives the id of its run."""
    checked = axme.validate_scenario(read)
    assert checked == {"ok": True, "valid": True, "errors": [], "warnings": []}, checked
    applied = axme.apply_scenario(read, **more)
    assert applied["scenario_id"] == read["scenario_id"], applied
    assert applied["compile_id"] and applied["compile_id"] == applied["workflow_compile_id"], applied
    assert [agent["role"] for agent in applied["agents_provisioned"]] == [one["role"] for one in read["agents"]], applied
    return applied


def cli(*words, code=0):
    """The command line, with its answer as JSON."""
    ended = subprocess.run(
        [PROGRAM, *words, "--json", "--url", URL],
        env={**os.environ, "POSTROOM_KEY": KEY, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert ended.returncode == code, (words, ended.returncode, ended.stdout, ended.stderr)
    return json.loads(ended.stdout) if ended.stdout.strip() else ended.stderr


def intent_of(axme, run):
    return axme.get_intent(run)["intent"]


def holder(axme, run):
    """Who has to act, as kind and name."""
    told = intent_of(axme, run).get("pending_with")
    return told and (told["type"], told["name"])


def at_step(axme, run, step):
    """The child of a step, once the run is there."""
    there = until(f"the run is at {step}", lambda: (lambda run: run if run.get("step_id") == step and "step_intent_id" in run else None)(intent_of(axme, run)))
    return there["step_intent_id"]


class Poller:
    """An agent that asks for its work, as a cron job would, and answers with what `answer` says."""

    def __init__(self, address, answer):
        self.rows, self.stopped = [], threading.Event()
        self.thread = threading.Thread(target=self.run, args=(address, answer), daemon=True)
        self.thread.start()

    def run(self, address, answer):
        axme = client()
        with plain() as http:
            while not self.stopped.is_set():
                got = http.get(f"/v1/agents/{address}/intents", params={"wait_seconds": 1}).json()
                for row in got["intents"]:
                    self.rows.append(row)
                    axme.resume_intent(row["intent_id"], answer(row), owner_agent=address)

    def __enter__(self):
        return self

    def __exit__(self, *_failure):
        self.stopped.set()
        self.thread.join()


def waits(axme, run):
    """The events of a run as kind and holder: what the sender sees of it."""
    told = []
    for event in events(axme, run):
        name = event["event_type"].removeprefix("intent.")
        who = event["pending_with"]["name"] if name in ("waiting", "escalated") else None
        told.append((name, who) if who else name)
    assert [event["seq"] for event in events(axme, run)] == list(range(1, len(told) + 1))
    return told


def order_stream():
    """A live stream gets the order; the agent's answer ends the run."""
    axme = client()
    read = bundle("order-stream")
    applied = apply(axme, read, idempotency_key="once")
    run = applied["intent_id"]
    assert applied["status"] == "WAITING" and applied["idempotent"] is False, applied
    assert applied["pending_with"] == "agent://local/default/order-processor", applied
    again = axme.apply_scenario(read, idempotency_key="once")
    assert again["intent_id"] == run and again["idempotent"] is True, again
    with Other("listener.py", "order-processor", "finish") as listener:
        end = axme.wait_for(run, timeout_seconds=PATIENCE_SECONDS)
        row = listener.line()
    assert row["payload"]["order_id"] == "ORD-2026-00142", row
    assert row["payload"]["parent_payload"] == read["intent"]["payload"], row
    assert row["payload"]["parent_intent_id"] == run and row["payload"]["step_id"] == "process", row
    assert end["event_type"] == "intent.completed" and end["status"] == "COMPLETED", end
    assert end["result"]["seen"] == row["payload"], end
    assert end["result"]["steps"]["process"]["seen"] == row["payload"], end
    assert waits(axme, run) == ["created", "submitted", "delivered", ("waiting", "order-processor"), "completed"]
    seen = [event["event_type"] for event in axme.observe(run, timeout_seconds=PATIENCE_SECONDS)]
    assert seen == types(axme, run), seen


def report_poll():
    """An agent that polls claims the report and answers; when it fails, so does the run, which is the letter."""
    axme = client()
    run = apply(axme, bundle("report-poll"))["intent_id"]
    with Poller("nightly-reports", lambda row: {"action": "complete", "pages": 12}) as poller:
        end = axme.wait_for(run, timeout_seconds=PATIENCE_SECONDS)
    assert end["status"] == "COMPLETED" and end["result"]["pages"] == 12, end
    assert [row["payload"]["day"] for row in poller.rows] == ["2026-11-22"], poller.rows
    assert waits(axme, run) == ["created", "submitted", "delivered", ("waiting", "nightly-reports"), "completed"]
    failing = apply(axme, bundle("report-poll"))["intent_id"]
    with Poller("nightly-reports", lambda row: {"action": "fail", "reason": "no data"}):
        end = axme.wait_for(failing, timeout_seconds=PATIENCE_SECONDS)
    assert end["status"] == "FAILED" and end["error"]["code"] == "step_failed", end
    assert end["error"]["message"] == "step render: no data", end
    assert cli("dead", "list")["dead_letters"][0]["intent_id"] == failing


def invoice_webhook():
    """A service that is called: two failures of a try are retries of the call, a signed success ends the run."""
    axme = client()
    secret = "whsec_cG9zdHJvb20tdGVzdC12ZWN0b3Ita2V5"
    booked = (200, {}, {"action": "complete", "booking": "B-77"})
    with Receiver(503, booked, secret=secret) as receiver:

        def here(read):
            read["agents"][0]["callback_url"] = receiver.url

        with plain() as http:
            account = {"name": "billing-webhook", "delivery_mode": "http", "callback_url": receiver.url}
            made = http.post("/v1/service-accounts", json=account).json()["service_account"]
            path = f"/v1/service-accounts/{made['service_account_id']}/webhook-secret"
            http.post(path, json={"secret": secret}).raise_for_status()
        read = bundle("invoice-webhook", here)
        applied = apply(axme, read)
        assert applied["agents"][0]["created"] is False, applied
        run = applied["intent_id"]
        end = axme.wait_for(run, timeout_seconds=PATIENCE_SECONDS)
        posts = receiver.requests
    assert end["status"] == "COMPLETED" and end["result"]["booking"] == "B-77", end
    assert [post["fault"] for post in posts] == [None, None], posts
    assert len({post["headers"]["webhook-id"] for post in posts}) == 1, posts
    assert posts[0]["body"]["payload"]["invoice"] == "INV-88-0431", posts
    assert waits(axme, run) == ["created", "submitted", "delivered", ("waiting", "billing-webhook"), "completed"]
    step = posts[0]["body"]["intent_id"]
    assert types(axme, step)[3:] == [
        "intent.attempt_started",
        "intent.attempt_failed",
        "intent.attempt_started",
        "intent.completed",
    ], types(axme, step)


def invoice_is_tried_anew():
    """A step that failed for good is tried once more, as a child of its own, and then the run goes on."""
    axme = client()
    booked = (200, {}, {"result": {"booking": "B-78"}})
    gone = 410
    with Receiver(gone, booked) as receiver:

        def here(read):
            read["agents"][0]["callback_url"] = receiver.url
            read["workflow"]["steps"][0]["retry"]["retry_delay_seconds"] = 1

        run = apply(axme, bundle("invoice-webhook", here))["intent_id"]
        end = axme.wait_for(run, timeout_seconds=PATIENCE_SECONDS)
        posts = receiver.requests
    assert end["status"] == "COMPLETED" and end["result"]["booking"] == "B-78", end
    assert len({post["body"]["intent_id"] for post in posts}) == 2, posts
    assert waits(axme, run) == [
        "created",
        "submitted",
        "delivered",
        ("waiting", "billing-webhook"),
        ("waiting", "agent_core"),
        ("waiting", "billing-webhook"),
        "completed",
    ], waits(axme, run)


def short_refund(read):
    steps = {step["step_id"]: step for step in read["workflow"]["steps"]}
    steps["cool_off"]["runtime_config"]["seconds"] = 1
    steps["pay"]["retry"]["retry_delay_seconds"] = 0


def refund_accepted():
    """The form is filled in on the command line; the delay passes; the agent pays at its second try."""
    axme = client()
    run = apply(axme, bundle("refund-branches", short_refund))["intent_id"]
    assert holder(axme, run) == ("human", "support@example.test")
    [task] = cli("tasks", "list")["tasks"]
    assert task["parent_intent_id"] == run and task["human_task"]["task_type"] == "form", task
    shown = cli("tasks", "show", run)
    assert shown["intent"]["human_task"]["form_schema"]["required"] == ["amount_minor", "reason"], shown
    wrong = cli("tasks", "decide", run, "--outcome", "submitted", "--field", "amount_minor=lots", code=1)
    assert "form_invalid" in wrong and "/reason: is required" in wrong, wrong
    done = cli("tasks", "decide", run, "--outcome", "submitted", "--field", "amount_minor=4990", "--field", "reason=damaged")
    assert done["applied"] is True, done
    paid = iter([{"action": "fail", "reason": "bank closed"}, {"action": "complete", "paid": True}])
    with Poller("payouts", lambda row: next(paid)) as poller:
        end = axme.wait_for(run, timeout_seconds=PATIENCE_SECONDS)
    assert end["status"] == "COMPLETED" and end["result"]["paid"] is True, end
    assert len({row["intent_id"] for row in poller.rows}) == 2, poller.rows
    earlier = poller.rows[0]["payload"]["previous_results"]
    assert earlier["assess"]["amount_minor"] == 4990, earlier
    assert poller.rows[0]["payload"]["customer"] == "Zoë Müller \u202e0001", poller.rows
    assert waits(axme, run) == [
        "created",
        "submitted",
        "delivered",
        ("waiting", "support@example.test"),
        ("waiting", "agent_core"),
        ("waiting", "payouts"),
        ("waiting", "payouts"),
        "completed",
    ], waits(axme, run)


def refund_rejected():
    """A rejection over the API asks for clarification; after it the form comes again, as a new task."""
    axme = client()
    run = apply(axme, bundle("refund-branches", short_refund))["intent_id"]
    first = at_step(axme, run, "assess")
    axme.resume_intent(run, {"task_result": {"outcome": "rejected", "comment": "no photo"}})
    clarify = at_step(axme, run, "clarify")
    asked = intent_of(axme, clarify)
    assert asked["human_task"]["title"] == "What would make this refund acceptable?", asked
    assert asked["payload"]["previous_results"]["assess"]["comment"] == "no photo", asked
    no = refused(AxmeValidationError, lambda: axme.resume_intent(run, {"task_result": {"outcome": "submitted"}}))
    assert code(no) == "outcome_not_allowed" and no.body["error"]["details"]["allowed"] == ["provided", "rejected"], no.body
    # This time through the inbox that the task lies in.
    support = "support@example.test"
    [thread] = [one for one in axme.list_inbox(owner_agent=support)["threads"] if one["status"] == "pending"]
    axme.approve_inbox_thread(thread["thread_id"], {"comment": "photo attached"}, owner_agent=support)
    second = at_step(axme, run, "assess")
    assert second != first, "asked anew"
    assert intent_of(axme, second)["payload"]["previous_results"]["clarify"]["comment"] == "photo attached"
    held = {"outcome": "submitted", "data": {"amount_minor": "100", "reason": "late"}}
    answer = axme.resume_intent(run, {"task_result": held, "hold_seconds": 1})
    assert answer["intent"]["status"] == "WAITING", answer
    with Poller("payouts", lambda row: {"paid": row["payload"]["previous_results"]["assess"]["amount_minor"]}):
        end = axme.wait_for(run, timeout_seconds=PATIENCE_SECONDS)
    assert end["status"] == "COMPLETED" and end["result"]["paid"] == 100, end
    assert [who for who in waits(axme, run) if who[0] == "waiting"] == [
        ("waiting", support),
        ("waiting", support),
        ("waiting", support),
        ("waiting", "agent_core"),
        ("waiting", "payouts"),
    ], waits(axme, run)


def refund_given_up():
    """A rejection of the clarification has nowhere to go on: the run fails with the person's words."""
    axme = client()
    run = apply(axme, bundle("refund-branches"))["intent_id"]
    axme.resume_intent(run, {"task_result": {"outcome": "rejected"}})
    at_step(axme, run, "clarify")
    cli("tasks", "decide", run, "--outcome", "rejected", "--comment", "customer is gone")
    end = axme.wait_for(run, timeout_seconds=PATIENCE_SECONDS)
    assert end["status"] == "FAILED" and end["error"]["code"] == "rejected", end
    assert "customer is gone" in end["error"]["message"], end
    with plain() as http:
        assert http.get("/v1/dead-letters").json()["dead_letters"] == []


def refund_on_the_command_line():
    """The other way round, all of it on the command line: rejected, clarified, filled in."""
    axme = client()
    run = apply(axme, bundle("refund-branches", short_refund))["intent_id"]
    cli("tasks", "decide", run, "--outcome", "rejected", "--comment", "no photo")
    at_step(axme, run, "clarify")
    wrong = cli("tasks", "decide", run, "--outcome", "submitted", code=1)
    assert "outcome_not_allowed" in wrong and "provided" in wrong, wrong
    cli("tasks", "decide", run, "--outcome", "provided", "--comment", "photo attached")
    at_step(axme, run, "assess")
    form = json.dumps({"amount_minor": 4990, "reason": "goodwill"})
    cli("tasks", "decide", run, "--outcome", "submitted", "--form", form)
    with Poller("payouts", lambda row: {"paid": True}):
        end = axme.wait_for(run, timeout_seconds=PATIENCE_SECONDS)
    assert end["status"] == "COMPLETED" and end["result"]["steps"]["assess"]["reason"] == "goodwill", end
    support = "support@example.test"
    held = [("waiting", who) for who in (support, support, support, "agent_core", "payouts")]
    assert waits(axme, run) == ["created", "submitted", "delivered", *held, "completed"], waits(axme, run)


def refund_over_the_api():
    """The form is handed in over the API at once."""
    axme = client()
    run = apply(axme, bundle("refund-branches", short_refund))["intent_id"]
    form = {"outcome": "submitted", "amount_minor": 100, "reason": "late"}
    axme.resume_intent(run, {"task_result": form})
    with Poller("payouts", lambda row: {"paid": True}):
        end = axme.wait_for(run, timeout_seconds=PATIENCE_SECONDS)
    assert end["status"] == "COMPLETED" and end["result"]["steps"]["assess"]["amount_minor"] == 100, end
    held = [("waiting", who) for who in ("support@example.test", "agent_core", "payouts")]
    assert waits(axme, run) == ["created", "submitted", "delivered", *held, "completed"], waits(axme, run)


def deploy_over_the_api():
    """Approved by the approval's route, rejected by the inbox's; the events are those of either end."""
    axme = client()
    held = [("waiting", "readiness-checker"), ("waiting", "ops@example.test")]
    run = ready(axme, bundle("deploy-approval"))
    axme.decide_approval(intent_of(axme, run)["step_intent_id"], decision="approve", comment="go")
    end = axme.wait_for(run, timeout_seconds=PATIENCE_SECONDS)
    assert end["status"] == "COMPLETED" and end["result"]["steps"]["signoff"]["comment"] == "go", end
    wanted = ["created", "submitted", "delivered", *held, ("waiting", "agent_core"), "completed"]
    assert waits(axme, run) == wanted, waits(axme, run)
    run = ready(axme, bundle("deploy-approval"))
    signoff = intent_of(axme, run)["step_intent_id"]
    axme.reject_inbox_thread(signoff, {"comment": "not on a Friday"}, owner_agent="ops@example.test")
    end = axme.wait_for(run, timeout_seconds=PATIENCE_SECONDS)
    assert end["status"] == "FAILED" and end["error"]["code"] == "rejected", end
    assert "not on a Friday" in end["error"]["message"], end
    assert waits(axme, run) == ["created", "submitted", "delivered", *held, "failed"], waits(axme, run)
    late = refused(AxmeValidationError, lambda: axme.decide_approval(signoff, decision="approve"))
    assert code(late) == "already_decided", late.body


def deploy_rejected_on_the_command_line():
    """A no ends the run with the person's words."""
    axme = client()
    run = ready(axme, bundle("deploy-approval"))
    cli("tasks", "decide", run, "--outcome", "rejected", "--comment", "not on a Friday")
    end = axme.wait_for(run, timeout_seconds=PATIENCE_SECONDS)
    assert end["status"] == "FAILED" and "not on a Friday" in end["error"]["message"], end


def short_deploy(read, deadline=3600):
    signoff = read["workflow"]["steps"][1]
    signoff.update(remind_after_seconds=1, remind_interval_seconds=1, max_reminders=2, step_deadline_seconds=deadline)


def ready(axme, read):
    run = apply(axme, read)["intent_id"]
    with Other("listener.py", "readiness-checker", "finish"):
        at_step(axme, run, "signoff")
    return run


def deploy_until_it_waits():
    """First half: the agent is done, a person is asked; the broker dies now."""
    axme = client()
    run = ready(axme, bundle("deploy-approval", short_deploy))
    say([run, intent_of(axme, run)["step_intent_id"]])


def deploy_after_the_crash(run, signoff):
    """Second half: reminders and escalation go on, the lead sees the task and decides it, a notice goes out."""
    axme = client()
    escalated = until("the lead has it", lambda: holder(axme, run) == ("human", "lead@example.test"))
    assert escalated and holder(axme, signoff) == ("human", "lead@example.test")
    assert intent_of(axme, run)["step_intent_id"] == signoff, "the same task, not another"
    told = intent_of(axme, signoff)
    assert told["remind_count"] == 2, told
    kinds = types(axme, signoff)
    assert kinds == [
        "intent.created",
        "intent.submitted",
        "intent.delivered",
        "intent.waiting",
        "intent.human_task_assigned",
        "intent.reminder",
        "intent.reminder",
        "intent.escalated",
    ], kinds
    for who in ("ops@example.test", "lead@example.test"):
        [thread] = axme.list_inbox(owner_agent=who)["threads"]
        assert thread["intent_id"] == signoff and thread["status"] == "active", thread
        assert thread["owner_agent"].endswith(who), thread
    stale = refused(
        AxmeValidationError,
        lambda: axme.resume_intent(run, {"task_version": 0, "task_result": {"outcome": "approved"}}),
    )
    assert code(stale) == "task_version_stale", stale.body
    done = cli("tasks", "decide", run, "--outcome", "approved", "--comment", "go")
    assert done["intent"]["status"] == "COMPLETED", done
    end = axme.wait_for(run, timeout_seconds=PATIENCE_SECONDS)
    assert end["result"]["steps"]["signoff"]["outcome"] == "approved", end
    assert end["result"]["steps"]["announce"]["body"] == f"Intent {run} approved.", end
    assert waits(axme, run) == [
        "created",
        "submitted",
        "delivered",
        ("waiting", "readiness-checker"),
        ("waiting", "ops@example.test"),
        ("escalated", "lead@example.test"),
        ("waiting", "agent_core"),
        "completed",
    ], waits(axme, run)
    threads = axme.list_inbox(owner_agent="ops@example.test")["threads"]
    [notice] = [thread for thread in threads if thread["kind"] == "notice"]
    assert notice["subject"] == "Deployment released" and notice["status"] == "done", notice
    late = refused(AxmeValidationError, lambda: axme.resume_intent(run, {"task_result": {"outcome": "rejected"}}))
    assert late.status_code == 409 and code(late) == "intent_terminal", late.body
    unknown = refused(AxmeHttpError, lambda: axme.get_intent("018f3c5e-7a10-7c3a-9b1e-5d2f6a7b8c9d"))
    assert unknown.status_code == 404, unknown.body


def deploy_too_late():
    """Nobody decides before the step's deadline: the task ends, the run fails, and a decision comes too late."""
    axme = client()
    run = ready(axme, bundle("deploy-approval", lambda read: short_deploy(read, deadline=2)))
    signoff = intent_of(axme, run)["step_intent_id"]
    end = axme.wait_for(run, timeout_seconds=PATIENCE_SECONDS)
    assert end["status"] == "FAILED" and end["error"]["code"] == "step_timeout", end
    assert status(axme, signoff) == "TIMED_OUT"
    assert types(axme, signoff)[-1] == "intent.timed_out", types(axme, signoff)
    late = cli("tasks", "decide", run, "--outcome", "approved", code=1)
    assert "intent_terminal" in late, late
    [letter] = cli("dead", "list")["dead_letters"]
    assert letter["intent_id"] == run and letter["reason"] == "deadline", letter


main(globals())
