"""Tools over the Model Context Protocol: the published client of the broker's protocol, and of that one."""

import asyncio

from axme.exceptions import AxmeError
from support import KEY, URL, client, main, order, refused, status


def dead_letter(axme):
    intent = axme.create_intent(order("orders"), correlation_id="0d3e4f5a-0000-4000-8000-000000000001")["intent_id"]
    axme.resume_intent(intent, {"action": "fail", "reason": "no"})
    return intent


def the_published_client():
    """`mcp_initialize`, `mcp_list_tools` and `mcp_call_tool` of axme 0.2.0."""
    axme = client()
    assert axme.mcp_initialize()["protocolVersion"] == "2024-11-05"
    names = {tool["name"] for tool in axme.mcp_list_tools()["tools"]}
    assert {"axme.send_intent", "axme.approve", "axme.replay"} <= names, names
    asked = {"intent_type": "intent.refund.v1", "to_agent": "finance", "payload": {"n": 1}, "human_task": {"title": "?"}}
    keyed = {"arguments": asked, "idempotency_key": "k1"}
    intent = axme.mcp_call_tool("axme.send_intent", **keyed)["data"]["intent_id"]
    assert axme.mcp_call_tool("axme.send_intent", **keyed)["data"]["intent_id"] == intent
    threads = axme.mcp_call_tool("axme.list_inbox", owner_agent="finance")["data"]["threads"]
    assert [thread["intent_id"] for thread in threads] == [intent]
    axme.mcp_call_tool("axme.approve", arguments={"thread_id": intent}, owner_agent="finance")
    assert status(axme, intent) == "COMPLETED"
    letter = dead_letter(axme)
    replay = axme.mcp_call_tool("axme.replay", arguments={"intent_id": letter})
    assert replay["data"]["intent"]["replay_of"] == letter
    refused(AxmeError, lambda: axme.mcp_call_tool("axme.get_intent", arguments={"intent_id": "none"}))
    refused(AxmeError, lambda: client(key="wrong").mcp_call_tool("axme.list_inbox"))


def the_official_client():
    """The package `mcp`, over streamable HTTP: lists the inbox, approves, replays a dead letter."""
    asyncio.run(official())


async def official():
    import httpx2
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    axme = client()
    intent = axme.create_intent(
        order("finance", human_task={"title": "May we?"}), correlation_id="0d3e4f5a-0000-4000-8000-000000000002"
    )["intent_id"]
    letter = dead_letter(axme)
    http = httpx2.AsyncClient(headers={"x-api-key": KEY})
    async with Client(streamable_http_client(f"{URL}/mcp", http_client=http)) as tools:
        names = [tool.name for tool in (await tools.list_tools()).tools]
        assert "axme.list_inbox" in names, names
        inbox = await tools.call_tool("axme.list_inbox", {"owner_agent": "finance"})
        assert intent in inbox.content[0].text, inbox
        await tools.call_tool("axme.approve", {"thread_id": intent, "owner_agent": "finance"})
        assert status(axme, intent) == "COMPLETED"
        replay = await tools.call_tool("axme.replay", {"intent_id": letter})
        assert letter in replay.content[0].text, replay


if __name__ == "__main__":
    main(globals())
