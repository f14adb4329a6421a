"""The contract files by themselves: sound, within the subset the server reads, and at one with each other.

No server runs here. The black-box tests beside this file hold the server to the contract.
"""

import copy
import json
import pathlib
import re
import subprocess
import sys

import pytest
import yaml
from jsonschema import Draft7Validator

ROOT = pathlib.Path(__file__).resolve().parents[2]
API = ROOT / "api"
CONTRACTS = ["messaging", "gateway", "media", "search"]

METHODS = {"get", "head", "put", "post", "patch", "delete", "options"}
READING = {"get", "head", "options"}
ANNOTATIONS = {"description", "default", "format"}
HEADERS = {
    "Idempotency-Key", "If-Match", "X-Parley-User", "Content-Disposition", "Content-MD5", "Digest", "Repr-Digest", "Content-Digest",
    "X-Checksum-SHA256", "Content-Range", "Range", "If-Range", "If-None-Match", "Tus-Resumable", "Upload-Length",
    "Upload-Defer-Length", "Upload-Metadata", "Upload-Concat", "Upload-Checksum", "Upload-Offset", "X-HTTP-Method-Override",
}  # fmt: skip
EXTENSIONS = {"x-max-bytes", "x-no-nul", "x-no-control-chars", "x-visible-ascii"}
REQUEST_KEYWORDS = ANNOTATIONS | EXTENSIONS | {
    "type", "required", "properties", "additionalProperties", "enum", "const", "not", "minLength", "maxLength", "pattern",
    "minimum", "maximum", "items", "minItems", "maxItems", "uniqueItems", "maxProperties", "$ref",
}  # fmt: skip
ANSWER_KEYWORDS = REQUEST_KEYWORDS | {"anyOf"}
TYPES = {"object", "array", "string", "integer", "number", "boolean", "null"}

ROUTES_OF_MESSAGING = """
POST /messages
GET /conversations/{conversation_id}/messages
GET PUT DELETE /messages/{message_id}
GET /messages/{message_id}/history
GET /messages/{message_id}/replies
POST /messages/{message_id}/reactions
DELETE /messages/{message_id}/reactions/{reaction}
POST GET /conversations
GET PUT DELETE /conversations/{conversation_id}
POST GET /conversations/{conversation_id}/members
DELETE /conversations/{conversation_id}/members/{user_id}
PUT /conversations/{conversation_id}/members/{user_id}/role
PUT /conversations/{conversation_id}/read
POST /conversations/{conversation_id}/import
GET PUT /users/me
GET /users/{user_id}
GET /internal/scope
POST /internal/lookup
POST /internal/attachment-access
POST /internal/deleted-files
GET /internal/log
GET /internal/tenants
GET /internal/scan/conversations
GET /internal/scan/messages
GET /internal/scan/users
GET /
GET /health
GET /health/live
GET /metrics
GET /openapi.yaml
GET /docs
"""


class StrictLoader(yaml.SafeLoader):
    """Refuses a key that stands twice in a mapping, which YAML readers settle each in their own way."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        assert not twice, f"{twice} twice in the mapping that begins at {node.start_mark}"
        return super().construct_mapping(node, deep)


def load(name):
    return yaml.load((API / f"{name}.yaml").read_text(encoding="utf-8"), Loader=StrictLoader)


@pytest.fixture(scope="module", params=CONTRACTS)
def contract(request):
    return load(request.param)


@pytest.fixture(scope="module")
def messaging():
    return load("messaging")


def operations(contract):
    for path, item in contract["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def nodes(value, where=""):
    yield where, value
    if isinstance(value, dict):
        for key, child in value.items():
            yield from nodes(child, f"{where}/{key}")
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from nodes(child, f"{where}/{index}")


def resolve(contract, ref):
    assert ref.startswith("#/"), f"{ref} leaves the file"
    value = contract
    for part in ref[2:].split("/"):
        assert isinstance(value, dict) and part in value, f"{ref} leads nowhere"
        value = value[part]
    return value


def deref(contract, value):
    return resolve(contract, value["$ref"]) if "$ref" in value else value


def is_open(operation):
    return operation.get("security") is not None and not is_for_roles(operation) and not takes_signed_addresses(operation)


def takes_signed_addresses(operation):
    return operation.get("security") == [{"bearer": []}, {"signed": []}]


def is_for_roles(operation):
    return operation.get("security") == [{"internal": []}]


def is_internal(operation):
    return "internal" in operation["tags"]


def is_of_messaging(path):
    """Its writes answer a position in its event log; nobody waits for those of the others."""
    others = ("search", "admin", "media", "upload", "download", "stream", "files", "usage", "tus")
    return path.removeprefix("/v1").split("/")[1] not in others


def streams(operation):
    """Its body is read as it comes, by the handler, and no schema is held against it."""
    return operation.get("x-body") == "stream"


def request_schemas(operation):
    for parameter in operation.get("parameters", []):
        yield parameter["name"], parameter["schema"]
    if streams(operation):
        return
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        yield media_type, content["schema"]
        if "x-line-schema" in content:
            yield "line", content["x-line-schema"]


def answer_schemas(contract, operation):
    for status, response in operation["responses"].items():
        response = deref(contract, response)
        for content in response.get("content", {}).values():
            yield status, content["schema"]
        for header in response.get("headers", {}).values():
            yield status, deref(contract, header)["schema"]


def subschemas(contract, schema, seen=None):
    """The schema and all it is made of, through references, each once."""
    seen = set() if seen is None else seen
    if "$ref" in schema:
        if schema["$ref"] in seen:
            return
        seen.add(schema["$ref"])
        yield schema
        yield from subschemas(contract, resolve(contract, schema["$ref"]), seen)
        return
    yield schema
    children = list(schema.get("properties", {}).values()) + schema.get("anyOf", [])
    children += [schema[key] for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)]
    for child in children:
        yield from subschemas(contract, child, seen)


def check_schema(schema, allowed):
    unknown = set(schema) - allowed
    assert not unknown, f"{unknown} in {schema}"
    if "$ref" in schema:
        assert set(schema) == {"$ref"}, f"draft 7 ignores what stands beside a $ref: {schema}"
        assert schema["$ref"].startswith("#/components/schemas/")
    types = schema.get("type", [])
    assert set([types] if isinstance(types, str) else types) <= TYPES, schema
    if "format" in schema:
        assert schema["format"] in {"date-time", "binary"}
    for name in schema.get("required", []):
        assert name in schema["properties"], f"{name} is required and not described"
    if "not" in schema:
        assert set(schema["not"]) == {"enum"}, schema
    Draft7Validator.check_schema(schema)


def inlined(contract, name):
    """A component schema as one that a stock validator can use."""
    schema = copy.deepcopy(contract["components"]["schemas"][name])
    schema["components"] = contract["components"]
    return Draft7Validator(schema)


# OpenAPI 3.1


def test_a_contract_has_the_shape_of_openapi_3_1(contract):
    assert contract["openapi"] == "3.1.0"
    assert set(contract) <= {"openapi", "info", "servers", "security", "tags", "paths", "components"}
    assert contract["info"]["title"] and contract["info"]["version"]
    assert set(contract["components"]) <= {"schemas", "responses", "headers", "securitySchemes"}
    tags = {tag["name"] for tag in contract["tags"]}
    for path, method, operation in operations(contract):
        assert path == "/" or (path.startswith("/") and not path.endswith("/"))
        assert method in METHODS
        assert set(operation) <= {
            "operationId", "tags", "summary", "description", "parameters", "requestBody", "responses", "security",
            "x-max-body-bytes", "x-max-lines", "x-idempotency", "x-body",
        }  # fmt: skip
        assert operation["summary"] and set(operation["tags"]) <= tags
        for requirement in operation.get("security", contract.get("security", [])):
            assert set(requirement) <= set(contract["components"]["securitySchemes"])


def test_no_value_is_empty_by_a_slip_of_the_pen(contract):
    for where, value in nodes(contract):
        assert value is not None or "/example/" in where, f"{where} has no value"


def test_every_reference_leads_somewhere_and_every_component_is_used(contract):
    used = set()
    for _, value in nodes(contract):
        if isinstance(value, dict) and "$ref" in value:
            resolve(contract, value["$ref"])
            used.add(value["$ref"])
    for kind in ("schemas", "responses", "headers"):
        for name in contract["components"].get(kind, {}):
            assert f"#/components/{kind}/{name}" in used, f"{kind}/{name} is used nowhere"


def test_every_operation_has_an_id_of_its_own(contract):
    ids = [operation["operationId"] for _, _, operation in operations(contract)]
    assert len(ids) == len(set(ids))
    for operation_id in ids:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", operation_id)


def test_parameters_are_those_of_the_path_and_known_headers(contract):
    for path, _, operation in operations(contract):
        parameters = operation.get("parameters", [])
        assert len({(p["in"], p["name"].lower()) for p in parameters}) == len(parameters)
        in_path = [p["name"] for p in parameters if p["in"] == "path"]
        assert sorted(in_path) == sorted(re.findall(r"{(\w+)}", path)), path
        for parameter in parameters:
            assert set(parameter) <= {"name", "in", "required", "schema", "description"}
            if parameter["in"] == "path":
                assert parameter["required"] is True
            elif parameter["in"] == "header":
                assert parameter["name"] in HEADERS
            else:
                assert parameter["in"] == "query"


def test_answers_are_described_and_carry_the_request_id(contract):
    for path, method, operation in operations(contract):
        assert any(status.startswith("2") for status in operation["responses"]), (path, method)
        for status, response in operation["responses"].items():
            assert isinstance(status, str) and re.fullmatch(r"[245]\d\d|304|307", status)
            response = deref(contract, response)
            assert response["description"]
            assert set(response) <= {"description", "headers", "content"}
            if is_open(operation):
                continue
            headers = response["headers"]
            assert "X-Request-Id" in headers
            if status in {"429", "503"}:
                assert "Retry-After" in headers
            if status[0] in "45":
                assert response["content"] == {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                }
            elif method not in READING and not is_internal(operation) and is_of_messaging(path):
                assert "X-Parley-Position" in headers, f"{method} {path} is a write without a position"


def test_every_route_with_a_token_tells_the_failures_it_shares_with_all(contract):
    for path, method, operation in operations(contract):
        if is_open(operation):
            continue
        statuses = set(operation["responses"])
        for_roles = is_for_roles(operation)
        assert {"400", "401", "431", "500", "503", "504"} <= statuses, path
        assert ("403" in statuses) != for_roles, path
        if "{" in path:
            assert "404" in statuses, path
        if not is_internal(operation):
            assert ("507" in statuses) == (method not in READING or operation["operationId"] == "get_own_profile"), path
        assert ("415" in statuses) == ("requestBody" in operation), path
        assert ("413" in statuses) == (method not in READING), path
        headers = {p["name"] for p in operation.get("parameters", []) if p["in"] == "header"}
        assert ("412" in statuses) == bool({"If-Match", "Tus-Resumable"} & headers), path
        assert (operation.get("x-idempotency") == "key") == ("Idempotency-Key" in headers), path
        assert ("X-Parley-User" in headers) != for_roles, path


def test_internal_routes_stand_apart_and_only_they_take_internal_tokens(contract):
    for path, _, operation in operations(contract):
        assert is_internal(operation) == path.startswith("/internal/"), path
        assert is_internal(operation) or not is_for_roles(operation), path
        if is_internal(operation):
            assert not is_open(operation), path
            assert contract["info"]["title"] != "Parley gateway"


def test_every_write_bounds_its_body(contract):
    for path, method, operation in operations(contract):
        if method in READING:
            assert "requestBody" not in operation and "x-max-body-bytes" not in operation
            continue
        if streams(operation):
            assert "requestBody" in operation and "x-max-body-bytes" not in operation
            continue
        limit = operation["x-max-body-bytes"]
        assert (limit > 0) == ("requestBody" in operation), path
        assert 0 <= limit <= 1024 * 1024
        if "requestBody" in operation:
            assert operation["requestBody"]["required"] is (path != "/admin/reindex"), path


# Schemas


def test_request_schemas_keep_to_the_subset_the_server_reads(contract):
    for path, _, operation in operations(contract):
        for name, root in request_schemas(operation):
            for schema in subschemas(contract, root):
                check_schema(schema, REQUEST_KEYWORDS)
                if "properties" in schema:
                    assert schema["additionalProperties"] is False, f"{path} {name} would take unknown fields"


def test_answer_schemas_keep_to_the_subset_and_anyof(contract):
    for _, _, operation in operations(contract):
        for _, root in answer_schemas(contract, operation):
            for schema in subschemas(contract, root):
                check_schema(schema, ANSWER_KEYWORDS)


def test_every_string_list_and_number_a_client_gives_has_a_limit(contract):
    for path, _, operation in operations(contract):
        for name, root in request_schemas(operation):
            if name == "application/x-ndjson":
                continue
            for schema in subschemas(contract, root):
                types = schema.get("type", [])
                where = f"{path} {name}: {schema}"
                if "string" in types:
                    assert {"maxLength", "x-max-bytes", "enum"} & set(schema), where
                if "array" in types:
                    assert "maxItems" in schema, where
                if "integer" in types:
                    assert {"minimum", "maximum"} <= set(schema), where
                if "object" in types and "properties" not in schema:
                    assert "x-max-bytes" in schema, where


def test_request_examples_are_valid(messaging):
    count = 0
    for _, _, operation in operations(messaging):
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            lines = media_type == "application/x-ndjson"
            schema = content["x-line-schema"] if lines else content["schema"]
            examples = [content["example"]] if "example" in content else []
            examples += [example["value"] for example in content.get("examples", {}).values()]
            if lines:
                examples = [json.loads(line) for example in examples for line in example.splitlines()]
            for example in examples:
                inlined(messaging, schema["$ref"].rsplit("/", 1)[1]).validate(example)
                count += 1
    assert count >= 9


MANY_USERS = [f"u{n}" for n in range(101)]
IMPORT_LINE = {"external_id": "1", "author": "irc:a", "content": "x", "created_at": "2004-11-15T10:02:00.000Z"}


@pytest.mark.parametrize(
    "name, body",
    [
        ("SendMessage", {"conversation_id": "123", "content": "Test message"}),
        ("SendMessage", {"conversation_id": "a/b ü", "content": "", "attachments": ["f1"], "metadata": {"a": [1, None]}}),
        ("EditMessage", {}),
        ("CreateConversation", {}),
        ("CreateConversation", {"name": None, "topic": "", "imported": True}),
        ("UpdateConversation", {"name": None, "archived": False}),
        ("AddMember", {"user_id": "u2"}),
        ("SetReadMark", {"seq": 0}),
        ("UpdateProfile", {"avatar_url": "https://example.org/a.png"}),
        ("UpdateProfile", {"avatar_url": None, "name": "李雷"}),
        ("ImportLine", {**IMPORT_LINE, "reactions": [{"reaction": "👍", "users": ["slack:U1"]}]}),
        ("LookUp", {}),
        ("LookUp", {"messages": MANY_USERS[:100], "conversations": ["a/b ü"], "users": []}),
    ],
)
def test_a_good_body_is_accepted(messaging, name, body):
    inlined(messaging, name).validate(body)


@pytest.mark.parametrize(
    "name, body",
    [
        ("SendMessage", []),
        ("SendMessage", None),
        ("SendMessage", {"content": "no conversation"}),
        ("SendMessage", {"conversation_id": ""}),
        ("SendMessage", {"conversation_id": 123, "content": "x"}),
        ("SendMessage", {"conversation_id": "123", "content": None}),
        ("SendMessage", {"conversation_id": "123", "content": "x", "sender_id": "someone"}),
        ("SendMessage", {"conversation_id": "123", "content": "x", "metadata": "text"}),
        ("SendMessage", {"conversation_id": "123", "content": "x", "metadata": {str(n): n for n in range(65)}}),
        ("SendMessage", {"conversation_id": "123", "content": "x", "mentions": ["u1", "u1"]}),
        ("SendMessage", {"conversation_id": "123", "content": "x", "mentions": MANY_USERS[:51]}),
        ("SendMessage", {"conversation_id": "123", "content": "x", "client_message_id": ""}),
        ("SendMessage", {"conversation_id": "123", "content": "x", "client_message_id": "k" * 256}),
        ("SendMessage", {"conversation_id": "123", "content": "x", "type": ""}),
        ("EditMessage", {"type": "text"}),
        ("EditMessage", {"content": None}),
        ("AddReaction", {}),
        ("AddReaction", {"reaction": ""}),
        ("CreateConversation", {"type": "channel"}),
        ("CreateConversation", {"members": ["u1", "u1"]}),
        ("CreateConversation", {"members": MANY_USERS}),
        ("CreateConversation", {"members": [""]}),
        ("CreateConversation", {"name": ""}),
        ("CreateConversation", {"imported": "yes"}),
        ("UpdateConversation", {"archived": None}),
        ("UpdateConversation", {"type": "group"}),
        ("AddMember", {"role": "member"}),
        ("AddMember", {"user_id": "u2", "role": "king"}),
        ("SetMemberRole", {"role": None}),
        ("SetReadMark", {"seq": -1}),
        ("SetReadMark", {"seq": 1.5}),
        ("SetReadMark", {"seq": "7"}),
        ("SetReadMark", {"seq": 2**53}),
        ("UpdateProfile", {"avatar_url": "javascript:alert(1)"}),
        ("UpdateProfile", {"id": "u2"}),
        ("ImportLine", {**IMPORT_LINE, "content": ""}),
        ("ImportLine", {**IMPORT_LINE, "seq": 1}),
        ("ImportLine", {key: value for key, value in IMPORT_LINE.items() if key != "created_at"}),
        ("ImportLine", {**IMPORT_LINE, "reactions": [{"reaction": "👍", "users": []}]}),
        ("LookUp", {"messages": MANY_USERS}),
        ("LookUp", {"messages": ["u1", "u1"]}),
        ("LookUp", {"files": []}),
        ("LookUp", {"users": None}),
    ],
)
def test_a_bad_body_is_refused(messaging, name, body):
    assert not inlined(messaging, name).is_valid(body)


# The files among each other


def test_messaging_has_every_route_it_owes(messaging):
    owed = set()
    for line in ROUTES_OF_MESSAGING.split("\n"):
        *methods, path = line.split() or [""]
        owed |= {(method.lower(), path) for method in methods}
    assert {(method, path) for path, method, _ in operations(messaging)} == owed


def test_the_gateway_contract_is_what_its_script_makes():
    script = ROOT / "scripts" / "make_gateway_openapi.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_gateway_has_messaging_under_v1_and_both_ways_to_list_messages(messaging):
    gateway = load("gateway")
    for path, method, operation in operations(messaging):
        if is_internal(operation):
            assert path not in gateway["paths"] and "/v1" + path not in gateway["paths"]
            continue
        prefix = "" if "operations" in operation["tags"] else "/v1"
        assert gateway["paths"][prefix + path][method]["operationId"] == operation["operationId"]
    assert "get" in gateway["paths"]["/v1/messages/conversations/{conversation_id}"]
    assert not any("/internal" in path for path in gateway["paths"])


def test_the_gateway_has_what_search_offers_to_everybody_and_nothing_else_of_it():
    gateway, search = load("gateway"), load("search")
    offered = {("/v1" + path, method): operation for path, method, operation in operations(search) if operation["tags"] == ["search"]}
    assert len(offered) == 7
    for (path, method), operation in offered.items():
        there = gateway["paths"][path][method]
        assert there["operationId"] == operation["operationId"]
        assert there.get("parameters") == operation.get("parameters")
        assert set(there["responses"]) == set(operation["responses"])
        success = next(status for status in there["responses"] if status.startswith("2"))
        cached = "X-Cache" in deref(gateway, there["responses"][success])["headers"]
        assert cached == operation["operationId"].startswith("search_")
    assert {path for path in gateway["paths"] if "search" in path or "admin" in path} == {path for path, _ in offered}


def test_the_gateway_has_all_of_media_but_what_is_internal():
    gateway, media = load("gateway"), load("media")
    offered = {("/v1/media" + path, method): operation for path, method, operation in operations(media)
               if not is_internal(operation) and "operations" not in operation["tags"]}  # fmt: skip
    assert len(offered) == 20
    for (path, method), operation in offered.items():
        there = gateway["paths"][path][method]
        for same in ("operationId", "parameters", "security", "x-body", "x-max-body-bytes", "x-idempotency"):
            assert there.get(same) == operation.get(same), (path, method, same)
        assert set(there["responses"]) == set(operation["responses"])
        for status, response in operation["responses"].items():
            here, original = deref(gateway, there["responses"][status]), deref(media, response)
            assert set(here.get("headers", {})) == set(original.get("headers", {}))
            assert set(here.get("content", {})) == set(original.get("content", {}))
    assert {path for path in gateway["paths"] if "media" in path or "internal" in path} == {path for path, _ in offered}


def test_every_role_tells_its_health_without_a_token(contract):
    for path in ("/", "/health", "/health/live", "/metrics", "/openapi.yaml", "/docs"):
        assert {} in contract["paths"][path]["get"]["security"] or contract["paths"][path]["get"]["security"] == []


def test_the_table_of_error_codes_is_the_one_in_the_contract():
    rows = re.findall(r"^\| `(\w+)` \| (\d{3}) \| (.+) \|$", (ROOT / "docs/api.md").read_text("utf-8"), re.MULTILINE)
    codes = [code for code, _, _ in rows]
    assert codes == sorted(set(codes))
    gateway = load("gateway")
    assert codes == gateway["components"]["schemas"]["ErrorCode"]["enum"]
    status_of = {code: status for code, status, _ in rows}
    for name, response in gateway["components"]["responses"].items():
        for code in re.findall(r"[a-z]+(?:_[a-z]+)+", response["description"]):
            if code in status_of:
                users = [s for _, _, o in operations(gateway) for s, r in o["responses"].items()
                         if r.get("$ref", "").endswith("/" + name)]  # fmt: skip
                assert set(users) == {status_of[code]}, f"{code} in {name}"
