#!/usr/bin/env python3
"""Makes api/gateway.yaml out of messaging.yaml, search.yaml and media.yaml: their routes under /v1, and what the gateway alone does.

Run it after a change of any; --check writes nothing and fails when gateway.yaml is out of date.
"""

import copy
import dataclasses
import pathlib
import sys

import yaml

API = pathlib.Path(__file__).resolve().parent.parent / "api"
SOURCES = [API / "messaging.yaml", API / "search.yaml", API / "media.yaml"]
TARGET = API / "gateway.yaml"
HEADING = """\
# Made by scripts/make_gateway_openapi.py out of messaging.yaml, search.yaml and media.yaml: change those, then run the script.
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

Files stand under /v1/media. Their bytes stream through, either way, at the pace of the slower side; what limits an upload or a
download is how long nothing moves, not how long it takes. A signed address is passed on without a token, and media verifies it.
"""
OWN_ERROR_CODES = ["circuit_open", "upstream_unavailable"]
CACHED = ["search_messages", "search_conversations", "search_users", "search_all"]


@dataclasses.dataclass(frozen=True)
class Part:
    """What the gateway takes over of a contract beside messaging's."""

    name: str
    tags: list  # of the routes it passes on
    prefix: str  # of their paths
    # Components that share a name with others: what this service means by it; and where messaging's says as much and more.
    of_its_own: set
    said_by_messaging: set


SEARCH = Part(
    "search",
    ["search"],
    "/v1",
    {("responses", "RateLimited"), ("responses", "Unavailable")},
    {("responses", "BadRequest"), ("responses", "Conflict"), ("schemas", "Message"), ("schemas", "Problem"),
     ("schemas", "ErrorCode"), ("schemas", "Position")},
)  # fmt: skip
MEDIA = Part(
    "media",
    ["uploads", "tus", "files"],
    "/v1/media",
    {("responses", "BadRequest"), ("responses", "Forbidden"), ("responses", "Conflict"), ("responses", "PayloadTooLarge"),
     ("responses", "DeadlineExceeded"), ("headers", "Location"), ("headers", "ETag")},
    {("schemas", "Id"), ("schemas", "ErrorCode"), ("responses", "Unavailable")},
)  # fmt: skip


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


def add_part(gateway, part, contract):
    """The routes of a service for everybody, with the components they need."""
    own_name = {name: part.name.capitalize() + name for _, name in part.of_its_own}
    renamed = {f"#/components/{kind}/{name}": f"#/components/{kind}/{own_name[name]}" for kind, name in part.of_its_own}
    for kind in ("schemas", "responses", "headers"):
        have = gateway["components"][kind]
        for name, component in contract["components"][kind].items():
            if (kind, name) in part.of_its_own:
                name = own_name[name]
            elif name in have:
                if component != have[name] and (kind, name) not in part.said_by_messaging:
                    sys.exit(f"{kind}/{name} is one thing in messaging.yaml or search.yaml and another in {part.name}.yaml")
                continue
            have[name] = with_references_to(component, renamed)
    codes = gateway["components"]["schemas"]["ErrorCode"]
    codes["enum"] = sorted({*codes["enum"], *contract["components"]["schemas"]["ErrorCode"]["enum"]})
    for path, operations in contract["paths"].items():
        if any(set(part.tags) & set(operation["tags"]) for operation in operations.values()):
            gateway["paths"][part.prefix + path] = with_references_to(operations, renamed)
    tags = [tag for tag in contract["tags"] if tag["name"] in part.tags]
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


def make(messaging, search, media):
    gateway = copy.deepcopy(messaging)
    gateway["info"]["title"] = "Parley gateway"
    gateway["info"]["description"] = DESCRIPTION
    gateway["paths"] = gateway_paths(messaging["paths"])
    gateway["tags"] = [tag for tag in gateway["tags"] if tag["name"] != "internal"]
    del gateway["components"]["securitySchemes"]["internal"]
    add_part(gateway, SEARCH, search)
    add_part(gateway, MEDIA, media)
    drop_unused(gateway)
    add_cache(gateway)

    health = gateway["paths"]["/health"]["get"]
    health["description"] = "With each upstream and its circuit; callers from beyond loopback get the status alone."
    metrics = gateway["paths"]["/metrics"]["get"]
    metrics["description"] = "From beyond loopback METRICS_TOKEN is asked for; while that is unset, it is 401 to them."
    metrics["security"] = [{}, {"metrics_token": []}]
    metrics["responses"]["401"] = {"$ref": "#/components/responses/Unauthorized"}

    components = gateway["components"]
    components["securitySchemes"]["signed"] = media["components"]["securitySchemes"]["signed"]
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
