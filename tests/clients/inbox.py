"""People: their inbox, their decisions, and completions that are sent to whoever asked for them."""

import uuid

from axme import AxmeAuthError, AxmeHttpError, AxmeValidationError

from support import PATIENCE_SECONDS, client, code, main, order, plain, refused, status, types

FINANCE = "agent://local/default/finance"


def person(axme, name="finance"):
    return axme.create_service_account({"name": name, "delivery_mode": "inbox"})["service_account"]


def ask(axme, **more):
    """Asks the person, and gives the intent and the thread it opened."""
    intent = axme.send_intent(order("finance", {"amount": 120}, **more))
    threads = axme.list_inbox(owner_agent="finance")["threads"]
    return intent, next(thread for thread in threads if thread["intent_id"] == intent)


def a_completion_is_sent_where_the_sender_wants_it():
    """`reply_to` gives a finished thread whose id is the intent's, by whatever way the intent ends."""
    axme = client()
    web = "agent://local/default/web"
    done = axme.send_intent(order("orders", reply_to="web"))
    failed = axme.send_intent(order("orders", reply_to=web))
    canceled = axme.send_intent(order("orders", reply_to=web))
    assert axme.list_inbox(owner_agent=web)["threads"] == []
    axme.resume_intent(done, {"total": 7}, owner_agent="orders")
    axme.resume_intent(failed, {"action": "fail", "reason": "no stock"}, owner_agent="orders")
    answer = axme.resolve_intent(canceled, {"status": "CANCELED", "reason": "not wanted"})
    sent = answer["completion_delivery"]
    assert sent["delivered"] is True and sent["thread_id"] == canceled and sent["reply_to"] == web, sent
    assert sent["completion"]["status"] == "CANCELED", sent
    threads = {thread["thread_id"]: thread for thread in axme.list_inbox(owner_agent=web)["threads"]}
    assert set(threads) == {done, failed, canceled}, threads
    for intent, told in ((done, "COMPLETED"), (failed, "FAILED"), (canceled, "CANCELED")):
        thread = axme.get_inbox_thread(intent, owner_agent=web)["thread"]
        assert thread["kind"] == "completion" and thread["status"] == "done", thread
        assert thread["owner_agent"] == web and thread["intent_id"] == intent, thread
        [entry] = [one for one in thread["timeline"] if one["event_type"] == "intent_completion_delivered"]
        assert entry["details"]["status"] == told, entry
    done_thread = axme.get_inbox_thread(done, owner_agent=web)["thread"]
    assert done_thread["timeline"][-1]["details"]["result"] == {"total": 7}, done_thread
    plain_end = axme.resolve_intent(axme.send_intent(order("orders")), {"status": "COMPLETED"})
    assert plain_end["completion_delivery"] == {"delivered": False, "reason": "reply_to_not_set"}, plain_end
    assert plain_end["event"]["event_type"] == "intent.completed", plain_end


def approved():
    """An intent for a person opens a task; approving it completes the intent for who waits."""
    axme = client()
    person(axme)
    intent, thread = ask(axme)
    assert thread["kind"] == "task" and thread["status"] == "pending", thread
    assert thread["owner_agent"] == FINANCE and thread["thread_id"] != intent, thread
    assert thread["timeline"][0]["event_type"] == "intent_received", thread
    waiting = axme.get_intent(intent)["intent"]
    assert waiting["status"] == "WAITING" and waiting["waiting_reason"] == "WAITING_FOR_HUMAN", waiting
    assert waiting["pending_with"]["type"] == "human", waiting
    shown = axme.get_inbox_thread(thread["thread_id"], owner_agent="finance")
    assert shown["thread"]["thread_id"] == thread["thread_id"] and "messages" in shown, shown
    assert shown["thread"]["timeline"][0]["details"]["payload"] == {"amount": 120}, shown
    answer = axme.approve_inbox_thread(thread["thread_id"], {"comment": "fine"}, owner_agent="finance")
    assert answer["thread"]["status"] == "done", answer
    end = axme.wait_for(intent, timeout_seconds=PATIENCE_SECONDS)
    assert end["status"] == "COMPLETED" and end["result"]["outcome"] == "approved", end
    # The same again changes nothing; the opposite comes too late, and says who was first.
    again = axme.approve_inbox_thread(thread["thread_id"], {}, owner_agent="finance")
    assert again["thread"]["status"] == "done", again
    late = refused(
        AxmeValidationError,
        lambda: axme.reject_inbox_thread(thread["thread_id"], {}, owner_agent="finance"),
    )
    assert late.status_code == 409 and code(late) == "already_decided", late.body
    assert types(axme, intent).count("intent.completed") == 1


def rejected():
    """A person's no fails the intent; it is an answer, and nobody's dead letter to look at."""
    axme = client()
    person(axme)
    intent, thread = ask(axme)
    axme.reject_inbox_thread(thread["thread_id"], {"comment": "too much"}, owner_agent="finance")
    end = axme.wait_for(intent, timeout_seconds=PATIENCE_SECONDS)
    assert end["status"] == "FAILED" and end["error"]["code"] == "rejected", end
    said = end["error"]["details"]
    assert said["outcome"] == "rejected" and said["comment"] == "too much", end
    with plain() as http:
        assert http.get("/v1/dead-letters").json()["dead_letters"] == []
        kept = http.get("/v1/dead-letters", params={"reason": "rejected"}).json()["dead_letters"]
    assert [letter["intent_id"] for letter in kept] == [intent], kept


def replied():
    """For an inbox without a task of its own, a reply is the answer."""
    axme = client()
    person(axme)
    intent, thread = ask(axme)
    axme.reply_inbox_thread(thread["thread_id"], message="take 100", owner_agent="finance")
    end = axme.wait_for(intent, timeout_seconds=PATIENCE_SECONDS)
    assert end["status"] == "COMPLETED", end
    assert end["result"]["outcome"] == "replied" and end["result"]["message"] == "take 100", end


def decided_by_its_id():
    """A decision needs only the id; a task's own outcomes and its version are checked."""
    axme = client()
    person(axme)
    for decision, outcome in (("approve", "COMPLETED"), ("reject", "FAILED")):
        intent, thread = ask(axme)
        answer = axme.decide_approval(thread["thread_id"], decision=decision, comment="so be it")
        assert answer["approval"]["decision"] == decision, answer
        assert axme.wait_for(intent, timeout_seconds=PATIENCE_SECONDS)["status"] == outcome
    task = {"title": "Refund?", "task_type": "review"}
    intent, thread = ask(axme, human_task=task)
    assert thread["human_task"]["allowed_outcomes"] == ["approved", "changes_requested", "rejected"], thread
    wrong = refused(AxmeValidationError, lambda: axme.resume_intent(intent, {"task_result": {"outcome": "maybe"}}))
    assert wrong.status_code == 422 and code(wrong) == "outcome_not_allowed", wrong.body
    assert wrong.body["error"]["details"]["allowed"] == thread["human_task"]["allowed_outcomes"], wrong.body
    assert status(axme, intent) == "WAITING"
    stale = refused(
        AxmeValidationError,
        lambda: axme.resume_intent(intent, {"task_version": 0, "task_result": {"outcome": "approved"}}),
    )
    assert stale.status_code == 409 and code(stale) == "task_version_stale", stale.body
    done = axme.resume_intent(intent, {"task_result": {"outcome": "approved", "comment": "ok"}})
    assert done["applied"] is True and done["intent"]["status"] == "COMPLETED", done
    second = refused(AxmeValidationError, lambda: axme.resume_intent(intent, {"task_result": {"outcome": "rejected"}}))
    assert second.status_code == 409 and code(second) == "intent_terminal", second.body


def unknown_and_foreign():
    """What is not there is not there, and what is another's is not there either."""
    axme = client()
    account = person(axme)
    intent, thread = ask(axme)
    key = axme.create_service_account_key(account["service_account_id"], {})["api_key"]
    other = axme.create_service_account({"name": "other"})["service_account"]["service_account_id"]
    stranger = client(key=axme.create_service_account_key(other, {})["api_key"])
    finance = client(key=key)
    for who, id in ((axme, str(uuid.uuid4())), (axme, "no-such-thread"), (stranger, thread["thread_id"])):
        for act in (
            lambda: who.get_inbox_thread(id),
            lambda: who.reply_inbox_thread(id, message="hello"),
            lambda: who.approve_inbox_thread(id, {}),
            lambda: who.reject_inbox_thread(id, {}),
        ):
            error = refused(AxmeHttpError, act)
            assert error.status_code == 404 and code(error) == "thread_not_found", error.body
        error = refused(AxmeHttpError, lambda: who.decide_approval(id, decision="approve"))
        assert error.status_code == 404 and code(error) == "approval_not_found", error.body
    error = refused(AxmeAuthError, lambda: stranger.list_inbox(owner_agent="finance"))
    assert error.status_code == 403 and code(error) == "forbidden", error.body
    assert stranger.list_inbox()["threads"] == [] and status(axme, intent) == "WAITING"
    # The owner needs to name nobody.
    assert [one["thread_id"] for one in finance.list_inbox()["threads"]] == [thread["thread_id"]]
    finance.approve_inbox_thread(thread["thread_id"], {})
    assert status(axme, intent) == "COMPLETED"


def handed_on():
    """A task is handed to a colleague: both see it, words can be taken out of it, and the colleague decides."""
    axme = client()
    person(axme)
    person(axme, "bob")
    intent, thread = ask(axme, human_task={"title": "Refund?"})
    id = thread["thread_id"]
    said = axme.reply_inbox_thread(id, message="do you know them?", owner_agent="finance")
    assert said["thread"]["status"] == "pending", said
    handed = axme.delegate_inbox_thread(id, {"delegate_to": "bob", "note": "yours"}, owner_agent="finance")
    assert handed["thread"]["status"] == "active", handed
    assert handed["thread"]["timeline"][-1]["event_type"] == "inbox.delegated", handed
    for who in ("finance", "bob"):
        [seen] = axme.list_inbox(owner_agent=who)["threads"]
        assert seen["thread_id"] == id and seen["owner_agent"] == f"agent://local/default/{who}", seen
    emptied = axme.delete_inbox_messages(id, {"mode": "self", "limit": 10}, owner_agent="finance")
    assert emptied["deleted_count"] == 1 and emptied["mode"] == "self", emptied
    assert [message["content"] for message in emptied["messages"]] == ["", "yours"], emptied
    axme.approve_inbox_thread(id, {"comment": "fine"}, owner_agent="bob")
    end = axme.wait_for(intent, timeout_seconds=PATIENCE_SECONDS)
    assert end["status"] == "COMPLETED", end
    late = refused(
        AxmeValidationError,
        lambda: axme.delegate_inbox_thread(id, {"delegate_to": "eve"}, owner_agent="finance"),
    )
    assert late.status_code == 409 and code(late) == "already_decided", late.body


def changes():
    """Each change of an inbox is given once, under a cursor that goes on from the last."""
    axme = client()
    person(axme)
    first, thread = ask(axme)
    page = axme.list_inbox_changes(owner_agent="finance")
    assert [one["thread"]["intent_id"] for one in page["changes"]] == [first], page
    quiet = axme.list_inbox_changes(owner_agent="finance", cursor=page["next_cursor"])
    assert quiet["changes"] == [] and quiet["next_cursor"] == page["next_cursor"], quiet
    second, _ = ask(axme)
    axme.approve_inbox_thread(thread["thread_id"], {}, owner_agent="finance")
    news = axme.list_inbox_changes(owner_agent="finance", cursor=page["next_cursor"])
    assert {one["thread"]["intent_id"] for one in news["changes"]} == {first, second}, news


main(globals())
