"""A property-based fuzzer that nobody here wrote, against every operation of /openapi.json.

It knows the broker by that document alone. What it sends is valid and invalid, often about things that
are really there; it fails on a 5xx, and on a status, a type or a body that the document does not name.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from support import KEY, URL, main, order, plain

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def the_document_is_valid():
    """OpenAPI 3.1, says a validator."""
    document = plain().get("/openapi.json").json()
    validate(document, cls=OpenAPIV31SpecValidator)
    assert len(document["paths"]) > 60


def every_operation_is_as_documented(seconds="25"):
    """The fuzzer finds nothing."""
    document = plain().get("/openapi.json").json()
    seconds = int(os.environ.get("FUZZ_SECONDS", seconds))
    aim(document, things())
    # A stream that is not told to end soon holds its window of up to a minute: those have a run of their own.
    streams, rest = split(document, lambda path: path.endswith("/stream"))
    fuzz(rest, seconds)
    fuzz(streams, min(seconds, 10), "--mode", "positive")


def things():
    """What is there to be asked for, by the path it is asked for under."""
    http = plain()

    def post(path, body):
        answer = http.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def submit(**more):
        return post("/v1/intents", order("orders", **more))["intent_id"]

    def fail(intent):
        post(f"/v1/intents/{intent}/resume", {"action": "fail"})
        return intent

    letters = [fail(submit()) for _ in range(12)]
    tasks = [submit(human_task={"title": "May we?"}) for _ in range(12)]
    done = submit()
    post(f"/v1/intents/{done}/resume", {"paid": True})
    intents = [submit() for _ in range(12)] + [done]
    accounts = [
        post("/v1/service-accounts", {"name": f"agent-{n}"})["service_account"]["service_account_id"]
        for n in range(4)
    ]
    keys = [post(f"/v1/service-accounts/{accounts[0]}/keys", {})["key"]["key_id"] for _ in range(4)]
    job = post("/v1/dead-letters/replay", {"dry_run": False, "limit": 1})["job"]["job_id"]
    held = post(f"/v1/dead-letters/{letters[-1]}/replay", {"hold_seconds": 60})["held"]["hold_id"]
    post("/v1/schemas", {"semantic_type": "intent.fuzz.v1", "schema_json": {}, "compatibility_mode": "warn"})
    return {
        "/v1/intents/": intents + tasks + letters,
        "/v1/inbox/": tasks,
        "/v1/approvals/": tasks,
        "/v1/dead-letters/": letters + [done],
        "/v1/deliveries/": letters + [done],
        "/v1/jobs/": [job, "job_99"],
        "/v1/holds/": [held, "hld_99"],
        "/v1/service-accounts/": accounts,
        "key": keys,
        "/v1/schemas/": ["intent.fuzz.v1", "intent.none.v1"],
        "/v1/agents/": ["orders", "agent-1", "a/b/c", "nobody"],
        "lease": intents,
    }


def aim(document, things):
    """Has the fuzzer ask for what is there, and never for long waits."""
    for path, methods in document["paths"].items():
        names = next((names for start, names in things.items() if path.startswith(start)), None)
        for operation in methods.values():
            operation["parameters"] = [
                parameter
                for parameter in operation["parameters"]
                if path.endswith("/stream") or not parameter["name"].startswith("wait_")
            ]
            for parameter in operation["parameters"]:
                if parameter["name"] == "wait_seconds":
                    parameter.update(required=True, schema={"const": 1})
                if parameter["in"] == "path" and names:
                    is_lease = path.startswith("/v1/agents/") and parameter["name"] == "id"
                    names_here = things["lease"] if is_lease else names
                    names_here = things["key"] if parameter["name"] == "key_id" else names_here
                    parameter["schema"] = {"type": "string", "enum": names_here}


def split(document, is_first):
    first, second = ({**document, "paths": {}} for _ in range(2))
    for path, methods in document["paths"].items():
        part = first if is_first(path) else second
        part["paths"][path] = methods
    return first, second


def fuzz(document, seconds, *more):
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "openapi.json"
        file.write_text(json.dumps(document))
        fuzzer = Path(sys.executable).with_name("schemathesis")
        ended = subprocess.run(
            [
                fuzzer, "run", file, "--url", URL, "-H", f"x-api-key: {KEY}", "--checks", CHECKS,
                "--exclude-tag", "not-supported", "--continue-on-failure", "--phases", "coverage,fuzzing",
                "--max-time", str(seconds), "--seed", os.environ.get("FUZZ_SEED", "1"), "--no-shrink",
                "--max-examples", os.environ.get("FUZZ_EXAMPLES", "30"),
                "--warnings", "off", "--no-color", "--generation-database", "none", "--request-timeout", "20",
                *more,
            ],
            cwd=place,
            capture_output=True,
            text=True,
        )
    assert ended.returncode == 0, ended.stdout[-20000:] + ended.stderr[-2000:]
    print(*[line for line in ended.stdout.splitlines() if "generated" in line], sep="\n")


if __name__ == "__main__":
    main(globals())
