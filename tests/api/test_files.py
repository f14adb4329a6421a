"""What is known of files: reading, listing, deleting, usage."""

import pytest

from harness.client import unique
from harness.files import ChunkedUpload, sha256, upload

FIELDS = {"id", "filename", "size", "content_type", "sha256", "owner_id", "created_at", "image", "thumbnails"}


@pytest.fixture
def ada(storage):
    return storage.user("ada")


def put(client, data=b"some text", name="notes.txt"):
    return upload(client, data, name, expect=201).json


def ids(items):
    return [file["id"] for file in items]


@pytest.mark.smoke
def test_a_file_tells_what_it_is(ada):
    file = put(ada, b"some text", "a/notes.txt")
    assert ada.get("files", file["id"], expect=200).json == file
    assert set(file) == FIELDS
    assert file | {"id": "", "created_at": ""} == {
        "id": "", "filename": "notes.txt", "size": 9, "content_type": "text/plain", "sha256": sha256(b"some text"),
        "owner_id": "ada", "created_at": "", "image": None, "thumbnails": []}  # fmt: skip


def test_a_list_has_the_callers_own_files_newest_first(storage, ada):
    stored = [put(ada, b"%d" % number)["id"] for number in range(7)]
    put(storage.user("ben"))
    put(storage.other().user("ada"))
    listed = ada.all("files", limit=3)
    assert set(ids(listed)) == set(stored) and len(listed) == 7
    order = [(file["created_at"], file["id"]) for file in listed]
    assert order == sorted(order, reverse=True)
    assert ids(ada.get("files").json["items"]) == ids(listed)
    assert ids(ada.all("files", limit=1)) == ids(listed)
    assert storage.user("nobody").get("files", expect=200).json == {"items": [], "next_cursor": None}


def test_pages_do_not_shift_while_files_come_and_go(ada):
    for number in range(6):
        put(ada, b"%d" % number)
    all_of_them = ids(ada.all("files"))
    page = ada.get("files", limit=2).json
    ada.delete("files", all_of_them[1], expect=204)  # the cursor stands on it
    ada.delete("files", all_of_them[3], expect=204)
    put(ada, b"new")
    rest = ids(ada.all("files", limit=2, cursor=page["next_cursor"]))
    assert ids(page["items"]) + rest == [file for file in all_of_them if file != all_of_them[3]]


def test_what_a_list_cannot_be_asked_for(storage, ada):
    for _ in range(2):
        put(ada)
    cursor = ada.get("files", limit=1).json["next_cursor"]
    for stranger in (storage.user("ben"), storage.other().user("ada")):
        stranger.get("files", cursor=cursor).refused(400, "invalid_cursor")
    for bad in ("x", cursor[:-1], cursor + "A", "=", "é"):
        assert ada.get("files", cursor=bad).refused(400).code in ("invalid_cursor", "validation_failed")
    for query in ({"limit": 0}, {"limit": 101}, {"limit": "x"}, {"cursor": ""}, {"order": "asc"}, {"q": "x"}):
        ada.get("files", **query).refused(400, "validation_failed", f"query.{next(iter(query))}")


def test_an_upload_is_no_file_before_it_is_complete(ada):
    begun = ChunkedUpload(ada, b"x" * 100)
    ada.get("files", begun.id).refused(404, "not_found")
    ada.delete("files", begun.id).refused(404, "not_found")
    ada.get("download", begun.id).refused(404, "not_found")
    assert ada.all("files") == []
    begun.put(0, expect=200)
    begun.complete(expect=201)
    assert ids(ada.all("files")) == [begun.id]


def test_the_owner_deletes_once(ada):
    file = put(ada)
    answer = ada.delete("files", file["id"], expect=204)
    assert answer.body == b""
    ada.delete("files", file["id"]).refused(404, "not_found")
    ada.get("files", file["id"]).refused(404, "not_found")
    ada.get("files", file["id"], "thumbnails", "small").refused(404, "not_found")
    ada.get("download", file["id"], "signed").refused(404, "not_found")
    assert ada.all("files") == []


def test_an_admin_deletes_what_it_may_not_read(storage, ada):
    file, admin = put(ada), storage.user("root", "admin")
    for segments in (("files", file["id"]), ("download", file["id"]), ("stream", file["id"])):
        admin.get(*segments).refused(404, "not_found")
    admin.delete("files", file["id"], expect=204)
    ada.get("files", file["id"]).refused(404, "not_found")


def test_others_find_nothing_to_delete(storage, ada):
    file = put(ada)
    for stranger in (storage.user("ben"), storage.other().user("ada"), storage.other().user("root", "admin")):
        stranger.delete("files", file["id"]).refused(404, "not_found")
    assert ada.get("files", file["id"], expect=200).json == file


def test_a_service_acts_for_its_user(storage, ada):
    file = put(ada)
    service = storage.service("ada")
    assert service.get("files", file["id"], expect=200).json == file
    assert ids(service.all("files")) == [file["id"]]
    storage.service("ben").get("files", file["id"]).refused(404)
    ada.get("files", file["id"], headers={"X-Parley-User": "ada"}).refused(403, "forbidden")
    made = put(storage.service("cleo"))
    assert made["owner_id"] == "cleo"
    service.delete("files", file["id"], expect=204)


def test_usage_counts_files_and_uploads_under_way(storage, ada):
    nothing = {"stored": 0, "reserved": 0, "files": 0, "limit": None}
    assert ada.get("usage", expect=200).json == {"user": nothing, "tenant": nothing}
    file = put(ada, b"x" * 1000)
    put(storage.user("ben"), b"y" * 500)
    begun = ChunkedUpload(ada, b"z" * 300)
    assert ada.get("usage").json == {"user": nothing | {"stored": 1000, "reserved": 300, "files": 1},
                                     "tenant": nothing | {"stored": 1500, "reserved": 300, "files": 2}}  # fmt: skip
    ada.delete("files", file["id"], expect=204)
    begun.abort(expect=204)
    assert ada.get("usage").json == {"user": nothing, "tenant": nothing | {"stored": 500, "files": 1}}
    assert storage.other().user("ada").get("usage").json["tenant"] == nothing


@pytest.mark.parametrize("id", ["nothing", "0198c5a2-7f00-7000-8000-000000000001", "..%2f", "é", "x" * 128])
def test_what_is_no_file_is_404(ada, id):
    ada.get("files", id).refused(404, "not_found")
    ada.delete("files", id).refused(404, "not_found")
    ada.get("files", id, "thumbnails", "small").refused(404, "not_found")


def test_a_thumbnail_is_404_until_it_is_made_and_400_when_there_is_no_such_size(ada):
    file = put(ada, b"no picture")
    for size in ("small", "medium", "large"):
        ada.get("files", file["id"], "thumbnails", size).refused(404, "not_found")
    ada.get("files", file["id"], "thumbnails", "huge").refused(400, "validation_failed", "path.size")


def test_every_route_asks_for_a_token(storage, ada):
    file, nobody = put(ada), storage.nobody()
    for call in (lambda: nobody.get("files"), lambda: nobody.get("files", file["id"]), lambda: nobody.get("usage"),
                 lambda: nobody.delete("files", file["id"]), lambda: nobody.get("files", file["id"], "thumbnails", "small")):  # fmt: skip
        call().refused(401, "unauthorized")


def test_a_file_lives_on_in_lists_of_its_owner_alone(storage):
    owner, other = storage.user(unique("u")), storage.user(unique("u"))
    file = put(owner)
    assert ids(owner.all("files")) == [file["id"]] and other.all("files") == []
