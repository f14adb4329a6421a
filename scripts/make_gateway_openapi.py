#!/usr/bin/env python3
"""Makes api/gateway.yaml out of messaging.yaml and search.yaml: their routes under /v1, and what the gateway alone does.

Run it after a change of either; --check writes nothing and fails when gateway.yaml is out of date.
"""

import copy
import pathlib
import sys

import yaml

API = pathlib.Path(__file__).resolve().parent.parent / "api"
SOURCES = [API / "messaging.yaml", API / "search.yaml"]
TARGET = API / "gateway.yaml"
HEADING = """\
# Made by scripts/make_gateway_openapi.py out of messaging.yaml and search.yaml: change those, then run the script.
# The x- extensions are explained at the top of messaging.yaml.
"""
DESCRIPTION = """\
The one door to Parley. Every answer of a service comes through unchanged: status, problem, headers but
hop-by-hop ones. The gateway itself answers for a request it cannot parse, for a missing or bad token, and for a
service that is not there: 503 `circuit_open` within milliseconds while its circuit is open, 503
`upstream_unavailable` when it could not be reached, 504 `deadline_exceeded` when it did not answer in time.

It repeats a request on its own only when that is safe: GET and HEAD, and routes with `x-idempotency: key`, to which
it adds an Idempotency-Key when the client gave none. docs/api.md has the rules, the rights and the error codes.

Searches may be answered from a cache (`X-Cache: hit`, with `Age`): only the caller's own, while search tells of no change in
the tenant. `min_position` and `Cache-Control: no-cache` go past it. A hit does not count against the limit of searches.
"""
OWN_ERROR_CODES = ["circuit_open", "upstream_unavailable"]
# Of search: what the gateway passes on; the same name with another meaning; where messaging's says as much and more.
SEARCH_TAG = "search"
CACHED = ["search_messages", "search_conversations", "search_users", "search_all"]
OF_SEARCH_ALONE = {("responses", "RateLimited"), ("responses", "Unavailable")}
SAID_BY_MESSAGING = {
    ("responses", "BadRequest"), ("responses", "Conflict"), ("schemas", "Message"), ("schemas", "Problem"),
    ("schemas", "ErrorCode"), ("schemas", "Position"),
}  # fmt: skip


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


def with_references_to(value, renamed):
    """A copy in which references lead to the new names."""
    if isinstance(value, dict):
        return {key: renamed.get(child, child) if key == "$ref" else with_references_to(child, renamed)
                for key, child in value.items()}  # fmt: skip
    if isinstance(value, list):
        return [with_references_to(child, renamed) for child in value]
    return value


def add_search(gateway, search):
    """The routes of search for everybody, with the components they need."""
    renamed = {f"#/components/{kind}/{name}": f"#/components/{kind}/Search{name}" for kind, name in OF_SEARCH_ALONE}
    for kind in ("schemas", "responses", "headers"):
        have = gateway["components"][kind]
        for name, component in search["components"][kind].items():
            if (kind, name) in OF_SEARCH_ALONE:
                name = "Search" + name
            elif name in have:
                if component != have[name] and (kind, name) not in SAID_BY_MESSAGING:
                    sys.exit(f"{kind}/{name} is one thing in messaging.yaml and another in search.yaml")
                continue
            have[name] = with_references_to(component, renamed)
    codes = gateway["components"]["schemas"]["ErrorCode"]
    codes["enum"] = sorted({*codes["enum"], *search["components"]["schemas"]["ErrorCode"]["enum"]})
    for path, operations in search["paths"].items():
        if any(SEARCH_TAG in operation["tags"] for operation in operations.values()):
            gateway["paths"]["/v1" + path] = with_references_to(operations, renamed)
    tags = [tag for tag in search["tags"] if tag["name"] == SEARCH_TAG]
    gateway["tags"][-1:-1] = tags


def add_cache(gateway):
    components = gateway["components"]
    components["headers"]["CacheState"] = {
        "description": "Where the answer came from: the gateway's cache or search itself. Absent while the cache is off.",
        "schema": {"type": "string", "enum": ["hit", "miss"]},
    }
    components["headers"]["CacheAge"] = {
        "description": "Seconds since search was asked. With a hit only.",
        "schema": {"type": "integer", "minimum": 0},
    }
    for operations in gateway["paths"].values():
        for operation in operations.values():
            if operation["operationId"] in CACHED:
                name = operation["responses"]["200"]["$ref"].rpartition("/")[2]
                headers = components["responses"][name]["headers"]
                headers["X-Cache"] = {"$ref": "#/components/headers/CacheState"}
                headers["Age"] = {"$ref": "#/components/headers/CacheAge"}


def make(messaging, search):
    gateway = copy.deepcopy(messaging)
    gateway["info"]["title"] = "Parley gateway"
    gateway["info"]["description"] = DESCRIPTION
    gateway["servers"] = [{"url": "http://127.0.0.1:3000"}]
    gateway["paths"] = gateway_paths(messaging["paths"])
    gateway["tags"] = [tag for tag in gateway["tags"] if tag["name"] != "internal"]
    del gateway["components"]["securitySchemes"]["internal"]
    add_search(gateway, search)
    drop_unused(gateway)
    add_cache(gateway)

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
    own = "its circuit is open (circuit_open), or it could not be reached (upstream_unavailable)."
    components["responses"]["Unavailable"]["description"] = (
        f"Not now: the service says so (unavailable, overloaded), {own}"
    )
    components["responses"]["SearchUnavailable"]["description"] = (
        f"Not now: search says so (unavailable, overloaded, or index_behind: min_position was not reached in time), {own}"
    )
    components["schemas"]["Position"]["description"] = "Opaque; bound to the tenant."
    components["schemas"]["DependencyHealth"]["properties"]["breaker"] = {
        "type": "string",
        "enum": ["closed", "open", "half_open"],
    }
    codes = components["schemas"]["ErrorCode"]
    codes["enum"] = sorted(codes["enum"] + OWN_ERROR_CODES)
    return gateway


def render(gateway):
    body = yaml.dump(gateway, Dumper=PlainDumper, sort_keys=False, allow_unicode=True, width=120)
    return HEADING + body


def main():
    text = render(make(*(yaml.safe_load(source.read_text(encoding="utf-8")) for source in SOURCES)))
    if "--check" in sys.argv[1:]:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
            sys.exit("api/gateway.yaml is out of date: run scripts/make_gateway_openapi.py")
        return
    TARGET.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
