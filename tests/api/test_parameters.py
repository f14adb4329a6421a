"""Query parameters, path segments and headers that are wrong, on every route that has them."""

import urllib.parse

import pytest

from harness.contract import contract
from harness.files import upload

MESSAGING, MEDIA = contract("messaging"), contract("media")
OF_MEDIA = {op.id for op in MEDIA.operations}
ALL = [op for op in MESSAGING.operations if "operations" not in op.spec["tags"]] + MEDIA.operations
# download_file takes a signed address instead of a token, too.
GETS = [op for op in ALL if op.method == "GET" and (op.needs_token or op.id == "download_file") and not op.internal]
LISTS = [op for op in GETS if "limit" in op.names("query")]
by_get = pytest.mark.parametrize("operation", GETS, ids=lambda op: op.id)
by_list = pytest.mark.parametrize("operation", LISTS, ids=lambda op: op.id)


class Scene:
    def __init__(self, tenant, storage):
        self.user, self.files = tenant.user("ada"), storage.user("ada")
        self.room = self.user.group(members=["ben"])["id"]
        self.message = self.user.send(self.room, "first")["id"]
        self.file = upload(self.files, b"x", expect=201).json["id"]

    def client(self, operation):
        return self.files if operation.id in OF_MEDIA else self.user

    def get(self, operation, query=""):
        names = {"conversation_id": self.room, "message_id": self.message, "user_id": "ada",
                 "file_id": self.file, "upload_id": self.file, "size": "small"}  # fmt: skip
        parts = [names[part[1:-1]] if part[0] == "{" else part for part in operation.path.strip("/").split("/")]
        client = self.client(operation)
        return client.call("GET", client.target(*parts) + query)


@pytest.fixture
def scene(tenant, storage):
    return Scene(tenant, storage)


@by_list
@pytest.mark.parametrize("value", ["0", "101", "-1", "abc", "", "1.5", "1e1", "+5", " 5", "5 ", "0x10", "99999999999999999999", "%00", "٥", "05x"])
def test_a_limit_outside_1_to_100_is_400(scene, operation, value):
    quoted = value if value.startswith("%") else urllib.parse.quote(value)
    scene.get(operation, f"?limit={quoted}").refused(400, "validation_failed", "query.limit")


@by_list
def test_a_limit_of_1_and_of_100_is_taken(scene, operation):
    for value in ("1", "100"):
        assert scene.get(operation, f"?limit={value}").status == 200


@by_get
def test_an_unknown_parameter_is_400_and_named(scene, operation):
    for name in ("stray", "Limit", "tenant_id", "access_token"):
        scene.get(operation, f"?{name}=1").refused(400, "validation_failed", f"query.{name}")


@by_list
def test_the_same_parameter_twice_is_400(scene, operation):
    scene.get(operation, "?limit=5&limit=5").refused(400, "validation_failed", "query.limit")
    scene.get(operation, "?limit=5&lim%69t=6").refused(400, "validation_failed", "query.limit")


@by_list
def test_a_cursor_that_is_none_is_400(scene, operation):
    for value in ("x", "%20", "%00", "%FF", "null", "x" * 512):
        answer = scene.get(operation, f"?cursor={value}").refused(400)
        assert answer.code in ("invalid_cursor", "validation_failed"), answer
    for value in ("", "x" * 513):
        scene.get(operation, f"?cursor={value}").refused(400)


@pytest.mark.parametrize("operation", [op for op in LISTS if "order" in op.names("query")], ids=lambda op: op.id)
def test_an_order_that_is_none_is_400(scene, operation):
    for value in ("", "ASC", "up", "asc,desc", "asc%00"):
        scene.get(operation, f"?order={value}").refused(400, "validation_failed", "query.order")


@pytest.mark.parametrize("value", ["0", "-1", "x", "", "1.0", "9007199254740992", "99999999999999999999"])
def test_a_jump_to_no_seq_is_400(scene, value):
    (operation,) = (op for op in LISTS if "around" in op.names("query"))
    scene.get(operation, f"?around={value}").refused(400, "validation_failed", "query.around")


@by_get
def test_a_query_with_bad_escapes_is_400(scene, operation):
    for query in ("?limit=%zz", "?limit=%", "?%zz=1", "?a=%ff", "?limit=1%0"):
        scene.get(operation, query).refused(400)


@by_get
def test_an_empty_query_is_no_query(scene, operation):
    # A file that is no picture has no smaller copies.
    assert scene.get(operation, "?").status == (404 if operation.id == "get_thumbnail" else 200)


PATHS = [op for op in ALL if "{" in op.path]


@pytest.mark.parametrize("operation", PATHS, ids=lambda op: op.id)
def test_a_path_segment_that_is_no_id_is_refused(scene, operation):
    """Too long, with control characters, not UTF-8, badly escaped: 400 that names it, or 404; never anything else."""
    for bad in ("x" * 129, "%00", "a%0Ab", "%ff", "%C3", "%c2%80", "%ED%A0%80"):
        parts = [bad if part[0] == "{" else part for part in operation.path.strip("/").split("/")]
        client = scene.client(operation)
        target = f"{client.prefix}/{'/'.join(parts)}"
        body = {"POST": {}, "PUT": {}}.get(operation.method) if operation.body_schema[0] else None
        headers = {"Content-Type": operation.body_schema[0]} if body is not None else {}
        answer = client.call(operation.method, target, body, headers)
        assert answer.status in (400, 404), answer
        if operation.method != "HEAD" and answer.status == 400 and answer.code == "validation_failed":
            assert any(path.startswith(("path.", "/")) for path in answer.faulty), answer


@pytest.mark.parametrize("bad", ["%", "%z", "%zz", "%2", "a%"])
def test_a_badly_escaped_path_is_400_or_404(scene, bad):
    for path in (f"conversations/{bad}", f"messages/{bad}/history", f"users/{bad}"):
        answer = scene.user.call("GET", f"{scene.user.prefix}/{path}", check=False)
        assert answer.status in (400, 404), answer
        scene.user.contract.check_problem(answer)


def test_an_unknown_id_is_404_on_every_route(scene):
    bodies = {"send_message": None, "edit_message": {"content": "x"}, "add_reaction": {"reaction": "x"},
              "update_conversation": {"name": "x"}, "add_member": {"user_id": "x"}, "set_member_role": {"role": "member"},
              "set_read_mark": {"seq": 0}}  # fmt: skip
    for operation in (op for op in PATHS if op.id not in OF_MEDIA):
        parts = ["unknown" if part[0] == "{" else part for part in operation.path.strip("/").split("/")]
        headers = {}
        body = bodies.get(operation.id)
        if operation.id == "import_messages":
            headers["Content-Type"] = "application/x-ndjson"
            body = b'{"external_id":"1","author":"irc:x","content":"x","created_at":"2004-11-15T10:02:00Z"}'
        answer = scene.user.call(operation.method, scene.user.target(*parts), body, headers)
        answer.refused(404, "not_found")


def test_message_ids_that_look_like_ids_but_are_none_are_404(scene):
    for name in ("00000000-0000-7000-8000-000000000000", scene.message.upper() + "x", scene.message[:-1],
                 scene.message + " ", "' OR 1=1 --", "../conversations", "*", "null"):  # fmt: skip
        scene.user.get("messages", name).refused(404, "not_found")
