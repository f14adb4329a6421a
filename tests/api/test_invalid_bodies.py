"""Everything that is wrong with a body, on every route that takes one, driven by the contract's own schemas."""

import copy
import json

import pytest

from harness.client import unique, words
from harness.contract import contract

MESSAGING, MEDIA = contract("messaging"), contract("media")
WITH_JSON = [op for of in (MESSAGING, MEDIA) for op in of.operations if op.body_schema[0] == "application/json" and not op.internal]
OF_MEDIA = {op.id for op in MEDIA.operations}

GOOD = {
    "send_message": {"content": "hello"},
    "edit_message": {"content": "hello again"},
    "add_reaction": {"reaction": "x"},
    "create_conversation": {"name": "n"},
    "update_conversation": {"name": "new"},
    "add_member": {"user_id": "zoe"},
    "set_member_role": {"role": "member"},
    "set_read_mark": {"seq": 1},
    "update_own_profile": {"name": "n"},
    "begin_upload": {"filename": "a", "size": 1},
}


def deref(operation, schema):
    return (MEDIA if operation.id in OF_MEDIA else MESSAGING).deref(schema)


class Scene:
    """One good request for each operation, made ready to be spoilt."""

    def __init__(self, tenant, storage):
        self.user, self.files = tenant.user("ada"), storage.user("ada")
        self.room = self.user.group(members=["ben"])["id"]
        self.message = self.user.send(self.room, "first")["id"]

    def target(self, operation):
        names = {"conversation_id": self.room, "message_id": self.message, "user_id": "ben", "reaction": "x"}
        segments = [names[part[1:-1]] if part[0] == "{" else part for part in operation.path.strip("/").split("/")]
        return self.client(operation).target(*segments)

    def client(self, operation):
        return self.files if operation.id in OF_MEDIA else self.user

    def body(self, operation):
        body = copy.deepcopy(GOOD[operation.id])
        if operation.id == "send_message":
            body["conversation_id"] = self.room
        return body

    def call(self, operation, body, **options):
        return self.client(operation).call(operation.method, self.target(operation), body, **options)


@pytest.fixture
def scene(tenant, storage):
    return Scene(tenant, storage)


by_operation = pytest.mark.parametrize("operation", WITH_JSON, ids=lambda op: op.id)


@by_operation
def test_the_good_body_is_taken(scene, operation):
    assert scene.call(operation, scene.body(operation)).status in (200, 201)


@by_operation
def test_a_body_that_is_no_json_is_refused(scene, operation):
    text = json.dumps(scene.body(operation))
    for body in (b"", b"{", b"no", b"{]", text.encode() + b"x", text.encode() * 2, b"\xef\xbb\xbf{}",
                 b"{'content':'x'}", b'{"content":"x",}', b"// c\n{}", b'{"a":NaN}', b'{"a":01}', b'{"a":+1}',
                 b'{"a":"\t"}', b'{"a":"\n"}', b'{"a":"\\x"}', b'{"a":"\\u12"}', text.encode("utf-16"),
                 text.encode("utf-32")):  # fmt: skip
        scene.call(operation, body).refused(400, "invalid_json")


@by_operation
def test_bytes_that_are_not_utf_8_are_refused(scene, operation):
    for bad in (b"\xff", b"\xc3", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80"):
        scene.call(operation, b'{"content":"' + bad + b'"}').refused(400, "invalid_json")
        scene.call(operation, b'{"' + bad + b'":1}').refused(400, "invalid_json")


@by_operation
def test_lone_surrogates_are_refused(scene, operation):
    for bad in (rb"\ud800", rb"\udc00", rb"\ud83dx", rb"\ud83d\ud83d", rb"\udc4d\ud83d"):
        for body in (b'{"content":"' + bad + b'"}', b'{"metadata":{"' + bad + b'":1}}'):
            assert scene.call(operation, body).refused(400).code in ("invalid_json", "validation_failed")


@by_operation
def test_a_field_that_stands_twice_is_refused(scene, operation):
    good = json.dumps(scene.body(operation))
    name, value = next(iter(scene.body(operation).items()))
    scene.call(operation, f'{good[:-1]},{json.dumps(name)}:{json.dumps(value)}}}'.encode()).refused(400, "invalid_json")
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in name)
    scene.call(operation, f'{good[:-1]},"{escaped}":{json.dumps(value)}}}'.encode()).refused(400, "invalid_json")


@by_operation
def test_deep_nesting_is_refused_and_kills_nothing(scene, operation):
    for depth in (1000, 2000):
        scene.call(operation, b'{"a":' * (depth // 8) + b"1" + b"}" * (depth // 8)).refused(400)
        scene.call(operation, b"[" * depth + b"]" * depth).refused(400)
        scene.call(operation, b"[" * depth).refused(400)


@by_operation
def test_another_top_level_type_is_refused(scene, operation):
    for value in ([], "text", 7, True, [scene.body(operation)]):
        scene.call(operation, json.dumps(value).encode()).refused(400, "validation_failed")
    scene.call(operation, b"null").refused(400, "validation_failed")


@by_operation
def test_an_unknown_field_is_refused_and_named(scene, operation):
    for name in ("stray", "tenant_id", "sender_id", "Content", "x/y~z", "ü", ""):
        answer = scene.call(operation, {**scene.body(operation), name: 1})
        pointer = "/" + name.replace("~", "~0").replace("/", "~1")
        answer.refused(400, "validation_failed", pointer)


@by_operation
def test_a_missing_field_is_refused_and_named(scene, operation):
    for name in deref(operation, operation.body_schema[1]).get("required", []):
        body = scene.body(operation)
        del body[name]
        scene.call(operation, body).refused(400, "validation_failed", f"/{name}")


WRONG = {"string": [7, True, [], {}, 1.5], "integer": ["7", True, [], {}, 1.5, "x"], "boolean": ["true", 1, 0, [], {}],
         "array": ["x", 7, {}, True], "object": ["x", 7, [], True]}  # fmt: skip


def spoilt(operation, schema):
    """(value, the pointer's rest after the field) pairs that break the field's schema, each in one way."""
    schema = deref(operation, schema)
    types = schema.get("type")
    types = types if isinstance(types, list) else [types]
    wrong = [value for value in WRONG[types[0]]]
    if "null" not in types:
        wrong.append(None)
    for value in wrong:
        yield value, ""
    if "pattern" in schema:
        yield from ((value, "") for value in ("", "0" * 63, "g" * 64, "0" * 64 + "\n"))
    if "enum" in schema:
        yield from (("none-of-these", ""), ("", ""), (schema["enum"][0].upper(), ""), (schema["enum"][0] + " ", ""))
    yield from ((value, "") for value in schema.get("not", {}).get("enum", []))
    if schema.get("minLength"):
        yield "", ""
    if "maxLength" in schema:
        yield "x" * (schema["maxLength"] + 1), ""
    if "x-max-bytes" in schema and types[0] == "string":
        yield "x" * (schema["x-max-bytes"] + 1), ""
        yield "é" * (schema["x-max-bytes"] // 2 + 1), ""
    if schema.get("x-no-nul") and types[0] == "string":
        yield from (("\0", ""), ("a\0b", ""))
    if schema.get("x-no-control-chars"):
        yield from (("a" + bad, "") for bad in ("\0", "\n", "\x1f", "\x7f", "\x80", "\x9f"))
    if schema.get("x-visible-ascii"):
        yield from (("a" + bad, "") for bad in (" ", "\t", "ü", "\x7f", "\0"))
    if "minimum" in schema:
        yield schema["minimum"] - 1, ""
    if "maximum" in schema:
        yield from ((schema["maximum"] + 1, ""), (2**63, ""), (2**64 + 5, ""), (10**30, ""), (1e300, ""))
    if types[0] == "array":
        many = schema["maxItems"] + 1
        yield [f"u{n}" for n in range(many)], ""
        yield ["u1", "u1"], ""
        for value, _ in spoilt(operation, schema["items"]):
            yield ["u1", value], "/1"
    if types[0] == "object":
        yield {f"k{n}": n for n in range(schema["maxProperties"] + 1)}, ""
        yield {"k": "x" * schema["x-max-bytes"]}, ""
        yield from (({"a\0": 1}, ""), ({"a": {"b": ["\0"]}}, ""))


FIELDS = [(op, name) for op in WITH_JSON for name in deref(op, op.body_schema[1])["properties"]]


@pytest.mark.parametrize(("operation", "name"), FIELDS, ids=[f"{op.id}: {name}" for op, name in FIELDS])
def test_every_way_to_spoil_a_field_is_refused_and_named(scene, operation, name):
    schema = deref(operation, operation.body_schema[1])["properties"][name]
    for value, rest in spoilt(operation, schema):
        answer = scene.call(operation, json.dumps({**scene.body(operation), name: value}, ensure_ascii=False).encode())
        assert answer.status == 400 and answer.code == "validation_failed", f"{name}={str(value)[:80]!r}: {answer}"
        assert any(path == f"/{name}{rest}" or path.startswith(f"/{name}/") for path in answer.faulty), (value, answer)
    assert scene.user.read(scene.message)["version"] == 1


def test_whole_numbers_are_written_without_a_point(scene):
    (operation,) = (op for op in WITH_JSON if op.id == "set_read_mark")
    scene.call(operation, b'{"seq":1.0}').refused(400, "validation_failed", "/seq")
    scene.call(operation, b'{"seq":1e0}').refused(400, "validation_failed", "/seq")
    scene.call(operation, b'{"seq":-0}')
    assert scene.call(operation, b'{"seq":1}').status == 200


def test_several_faults_are_named_at_once_and_at_most_twenty(scene):
    answer = scene.user.post("messages", body={"content": 7, "type": "", "stray": 1})
    answer.refused(400, "validation_failed")
    assert {"/content", "/type", "/stray", "/conversation_id"} <= set(answer.faulty)
    many = scene.user.post("messages", body={f"f{n}": 1 for n in range(100)}).refused(400, "validation_failed")
    assert len(many.json["errors"]) <= 20


def test_metadata_is_limited_by_its_compact_text(scene):
    room = scene.room
    fits = {"k": "x" * (4096 - len('{"k":""}'))}
    assert scene.user.send(room, metadata=fits)["metadata"] == fits
    spaced = json.dumps({"conversation_id": room, "content": "x", "metadata": fits}, indent=8).encode()
    scene.user.post("messages", body=spaced, expect=201)
    over = {"k": fits["k"] + "x"}
    scene.user.post("messages", body={"conversation_id": room, "content": "x", "metadata": over}).refused(
        400, "validation_failed", "/metadata"
    )
    assert scene.user.send(room, metadata={f"k{n}": n for n in range(64)})


def test_the_longest_values_are_taken(scene):
    body = {
        "id": unique("c") + "é" * 50, "name": "é" * 128, "topic": "\n" * 1024,
        "metadata": {"k": "x" * 4000}, "members": ["é" * 64],
    }  # fmt: skip
    made = scene.user.post("conversations", body=body, expect=201).json
    assert made["name"] == body["name"] and made["topic"] == body["topic"]
    scene.user.send(made["id"], type="é" * 16, mentions=[f"u{n}" for n in range(50)], client_message_id="~" * 255)


# Around the body


@by_operation
def test_other_content_types_are_415(scene, operation):
    for content_type in ("text/plain", "application/x-ndjson", "application/jsonx", "", "json", "multipart/form-data",
                         "application/json; charset=latin1", "application/json;charset=utf-16"):  # fmt: skip
        answer = scene.call(operation, scene.body(operation), headers={"Content-Type": content_type})
        answer.refused(415, "unsupported_media_type")
    answer = scene.call(operation, scene.body(operation), headers={"Content-Type": None})
    answer.refused(415, "unsupported_media_type")
    for content_type in ("application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"'):
        assert scene.call(operation, scene.body(operation), headers={"Content-Type": content_type}).status in (200, 201)


def test_an_encoded_body_is_refused(scene):
    body = {"conversation_id": scene.room, "content": words()}
    scene.user.post("messages", body=body, headers={"Content-Encoding": "gzip"}).refused(415, "unsupported_media_type")


@by_operation
def test_a_body_over_the_limit_is_413(scene, operation):
    limit = operation.spec["x-max-body-bytes"]
    body = json.dumps(scene.body(operation)).encode()
    assert scene.call(operation, body.ljust(limit)).status in (200, 201)
    scene.call(operation, body.ljust(limit + 1)).refused(413, "payload_too_large")


WITHOUT_BODY = [op for op in MESSAGING.operations if op.method == "DELETE"]


@pytest.mark.parametrize("operation", WITHOUT_BODY, ids=lambda op: op.id)
def test_a_body_where_none_belongs_is_413(scene, operation):
    scene.call(operation, b"{}").refused(413, "payload_too_large")
    assert scene.user.get("conversations", scene.room).status == 200
    assert scene.user.read(scene.message)["deleted_at"] is None
