#!/usr/bin/env python3
"""Makes api/gateway.yaml out of api/messaging.yaml: the same routes under /v1, and what the gateway alone does.

Run it after a change of messaging.yaml; --check writes nothing and fails when gateway.yaml is out of date.
"""

import copy
import pathlib
import sys

import yaml

API = pathlib.Path(__file__).resolve().parent.parent / "api"
SOURCE = API / "messaging.yaml"
SEARCH = API / "search.yaml"
TARGET = API / "gateway.yaml"
HEADING = """\
# Made by scripts/make_gateway_openapi.py out of messaging.yaml: change that file, then run the script.
# The x- extensions are explained at the top of messaging.yaml.
"""
DESCRIPTION = """\
The one door to Parley. Every answer of a service comes through unchanged: status, problem, headers but
hop-by-hop ones. The gateway itself answers for a request it cannot parse, for a missing or bad token, and for a
service that is not there: 503 `circuit_open` within milliseconds while its circuit is open, 503
`upstream_unavailable` when it could not be reached, 504 `deadline_exceeded` when it did not answer in time.

It repeats a request on its own only when that is safe: GET and HEAD, and routes with `x-idempotency: key`, to which
it adds an Idempotency-Key when the client gave none. docs/api.md has the rules, the rights and the error codes.
"""
OWN_ERROR_CODES = ["circuit_open", "upstream_unavailable"]


class PlainDumper(yaml.SafeDumper):
    """Writes every value out: an anchor would be one more thing for a reader to support."""

    def ignore_aliases(self, data):
        return True


def represent_text(dumper, text):
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


PlainDumper.add_representer(str, represent_text)


def is_operational(operation):
    return "operations" in operation.get("tags", [])


def is_internal(operation):
    return "internal" in operation.get("tags", [])


def gateway_paths(paths):
    made = {}
    for path, operations in paths.items():
        if any(is_internal(operation) for operation in operations.values()):
            continue
        operational = any(is_operational(operation) for operation in operations.values())
        made[path if operational else "/v1" + path] = copy.deepcopy(operations)
    alias = copy.deepcopy(paths["/conversations/{conversation_id}/messages"]["get"])
    alias["operationId"] = "list_messages_alias"
    alias["summary"] = "The same as GET /v1/conversations/{conversation_id}/messages"
    made["/v1/messages/conversations/{conversation_id}"] = {"get": alias}
    return made


def references(value):
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for child in value.values():
            yield from references(child)
    elif isinstance(value, list):
        for child in value:
            yield from references(child)


def drop_unused(document):
    """Components that only left-out routes used."""
    while True:
        used = set(references(document))
        unused = [(kind, name) for kind in ("schemas", "responses", "headers")
                  for name in document["components"][kind] if f"#/components/{kind}/{name}" not in used]  # fmt: skip
        if not unused:
            return
        for kind, name in unused:
            del document["components"][kind][name]


def make(messaging, search):
    gateway = copy.deepcopy(messaging)
    gateway["info"]["title"] = "Parley gateway"
    gateway["info"]["description"] = DESCRIPTION
    gateway["servers"] = [{"url": "http://127.0.0.1:3000"}]
    gateway["paths"] = gateway_paths(messaging["paths"])
    gateway["tags"] = [tag for tag in gateway["tags"] if tag["name"] != "internal"]
    del gateway["components"]["securitySchemes"]["internal"]
    drop_unused(gateway)

    health = gateway["paths"]["/health"]["get"]
    health["description"] = "With each upstream and its circuit; callers from beyond loopback get the status alone."
    metrics = gateway["paths"]["/metrics"]["get"]
    metrics["description"] = "From beyond loopback METRICS_TOKEN is asked for; while that is unset, it is 401 to them."
    metrics["security"] = [{}, {"metrics_token": []}]
    metrics["responses"]["401"] = {"$ref": "#/components/responses/Unauthorized"}

    components = gateway["components"]
    components["securitySchemes"]["metrics_token"] = {
        "type": "http",
        "scheme": "bearer",
        "description": "The value of METRICS_TOKEN.",
    }
    components["responses"]["Unavailable"]["description"] = (
        "Not now: the service says so (unavailable, overloaded), its circuit is open (circuit_open), "
        "or it could not be reached (upstream_unavailable)."
    )
    components["schemas"]["DependencyHealth"]["properties"]["breaker"] = {
        "type": "string",
        "enum": ["closed", "open", "half_open"],
    }
    codes = components["schemas"]["ErrorCode"]
    of_search = search["components"]["schemas"]["ErrorCode"]["enum"]
    codes["enum"] = sorted({*codes["enum"], *of_search, *OWN_ERROR_CODES})
    return gateway


def render(gateway):
    body = yaml.dump(gateway, Dumper=PlainDumper, sort_keys=False, allow_unicode=True, width=120)
    return HEADING + body


def main():
    text = render(make(*(yaml.safe_load(file.read_text(encoding="utf-8")) for file in (SOURCE, SEARCH))))
    if "--check" in sys.argv[1:]:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
            sys.exit("api/gateway.yaml is out of date: run scripts/make_gateway_openapi.py")
        return
    TARGET.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
