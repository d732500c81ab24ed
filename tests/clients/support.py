"""What the walks share: a client, a sender, other processes, and waiting for what must become true.

A walk is a function of its program; its first line of documentation says what it shows.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
from axme import AxmeClient, AxmeClientConfig

URL = os.environ["POSTROOM_URL"]
KEY = os.environ["POSTROOM_KEY"]
HERE = Path(__file__).parent

# Long enough for a busy machine; nothing waits this long when all is well.
PATIENCE_SECONDS = 30


def client(key=KEY, **more):
    return AxmeClient(AxmeClientConfig(base_url=URL, api_key=key, **more))


def plain(key=KEY):
    """HTTP without a client of the protocol. Bodies are read by hand, statuses too."""
    return httpx.Client(base_url=URL, headers={"x-api-key": key}, timeout=PATIENCE_SECONDS)


def order(to, payload=None, **more):
    body = {"intent_type": "intent.order.process.v1", "to_agent": to, "payload": payload or {"n": 1}}
    return {**body, **more}


def until(what, ask):
    """Asks until the answer is true, and gives it back."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"still not so: {what}; last answer {answer!r}")
        time.sleep(0.02)


def events(axme, intent):
    return axme.list_intent_events(intent)["events"]


def types(axme, intent):
    return [event["event_type"] for event in events(axme, intent)]


def status(axme, intent):
    return axme.get_intent(intent)["intent"]["lifecycle_status"]


def refused(kind, act):
    """What a call was refused with, as the published client tells it."""
    try:
        answer = act()
    except kind as error:
        return error
    raise AssertionError(f"not refused, but answered {answer}")


def code(error):
    return error.body["error"]["code"]


class Other:
    """Another process. What it prints is JSON, a value a line."""

    def __init__(self, program, *words):
        self.process = subprocess.Popen(
            [sys.executable, "-B", str(HERE / program), *words], stdout=subprocess.PIPE, text=True
        )

    def line(self):
        text = self.process.stdout.readline()
        assert text, "the other process ended"
        return json.loads(text)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_failure):
        self.kill()
        self.process.stdout.close()


def say(value):
    """One line for whoever started this process."""
    print(json.dumps(value), flush=True)


def main(walks):
    """Runs the walk that the command line names."""
    name, *words = sys.argv[1:]
    walks[name](*words)
