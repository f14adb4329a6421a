"""Pictures that are uploaded get their size and their thumbnails; those that are broken or evil cost nothing else."""

import ctypes.util
import sqlite3
import threading

import pytest

from harness import pictures
from harness.client import unique
from harness.pictures import png, webp_size
from harness.waiting import until

NAMES = ("small", "medium", "large")
pytestmark = pytest.mark.skipif(ctypes.util.find_library("vips") is None,
                                reason="libvips is not installed (Debian's libvips42; ./dev test installs it)")  # fmt: skip


def upload(client, data, name="picture"):
    answer = client.call("POST", client.target("media", "upload", filename=name), data,
                         {"Content-Type": "application/octet-stream"}, expect=201)  # fmt: skip
    return answer.json


def stored(server, file):
    """(width, height, [sizes of thumbnails]) as the store has them."""
    with sqlite3.connect(f"file:{server.data}/media/media.db?mode=ro", uri=True, timeout=10) as db:
        width, height, bits = db.execute(
            "SELECT image_width, image_height, thumbnails FROM files WHERE id = ?", [bytes.fromhex(file["id"].replace("-", ""))]
        ).fetchone()
    return width, height, [name for number, name in enumerate(NAMES) if bits >> number & 1]


def thumbnail(server, file, size):
    return (server.data / "media" / "objects" / file["id"][-2:] / f"{file['id']}.{size}").read_bytes()


def until_made(server, file):
    return until("thumbnails are made", lambda: (got := stored(server, file))[2] and got, 60)


def counted(server, outcome):
    return server.metrics("gateway").get(f'parley_media_thumbnails_total{{outcome="{outcome}"}}', 0)


@pytest.fixture(scope="module")
def place(fleet):
    return fleet.all_in_one()


@pytest.fixture
def ada(place, tenant_at):
    return tenant_at(place).user("ada")


@pytest.mark.smoke
def test_a_picture_gets_its_size_and_three_thumbnails(place, ada):
    file = upload(ada, png(2000, 1000), "wide.png")
    assert file["content_type"] == "image/png" and file["thumbnails"] == [], "nobody waits for them"
    assert until_made(place, file) == (2000, 1000, list(NAMES))
    assert [webp_size(thumbnail(place, file, size)) for size in NAMES] == [(160, 80), (480, 240), (1280, 640)]


@pytest.mark.parametrize("data", [pictures.JPEG, pictures.GIF, pictures.WEBP], ids=["jpeg", "gif", "webp"])
def test_the_other_formats_do_too(place, ada, data):
    file = upload(ada, data)
    assert until_made(place, file) == (48, 24, ["small"])


def test_a_picture_that_lies_on_its_side_is_turned_and_says_nothing_of_who_took_it(place, ada):
    file = upload(ada, pictures.turned_jpeg(6))
    assert until_made(place, file) == (24, 48, ["small"])
    assert pictures.TAKEN_BY not in thumbnail(place, file, "small")


@pytest.mark.parametrize(("data", "outcome", "size"), [
    (pictures.png_bomb(), "too_many_pixels", (30_000, 30_000)),
    (b"\x89PNG\r\n\x1a\n" + pictures.chunk(b"IHDR", bytes(13)) + bytes(500), "broken", (None, None)),
    (pictures.JPEG[:100], "broken", (None, None)),
], ids=["bomb", "png", "jpeg"])  # fmt: skip
def test_a_bomb_or_a_broken_picture_costs_only_its_thumbnails(place, ada, data, outcome, size):
    before = counted(place, outcome)
    file = upload(ada, data)
    until("it is counted", lambda: counted(place, outcome) > before, 60)
    assert stored(place, file) == (*size, [])
    assert file["size"] == len(data)
    assert until_made(place, upload(ada, png(10, 10)))[2] == ["small"], "others go on"


@pytest.mark.parametrize("data", [pictures.SVG, b"%PDF-1.4\n%%EOF", b"II*\0" + bytes(100), b"just text"], ids=range(4))
def test_what_is_none_of_the_four_formats_is_not_tried(place, ada, data):
    file = upload(ada, data)
    until_made(place, upload(ada, png(10, 10)))
    assert stored(place, file) == (None, None, [])


def test_many_at_once_are_all_made_while_the_server_goes_on(place, ada):
    files = []
    threads = [threading.Thread(target=lambda n=n: files.append(upload(ada, png(300 + n, 200)))) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    room = ada.group(unique("room"))["id"]
    ada.send(room)
    assert len(files) == 20
    assert all(until_made(place, file)[2] == ["small"] for file in files)


def test_what_a_kill_cut_off_is_made_after_the_restart(start_server, tenant_at):
    server = start_server()
    ada = tenant_at(server).user("ada")
    files = [upload(ada, png(1000 + n, 900)) for n in range(12)]
    server.kill()
    assert any(not stored(server, file)[2] for file in files), "the test was too slow for what it is to show"
    server.start()
    for file in files:
        assert until_made(server, file)[2] == ["small", "medium"]


def test_children_end_with_their_server_and_leave_it_an_orderly_end(start_server, tenant_at):
    server = start_server()
    ada = tenant_at(server).user("ada")
    for number in range(6):
        upload(ada, png(3000 + number, 3000))
    server.stop()


def test_switched_off_none_are_made(start_server, tenant_at):
    server = start_server(THUMBNAILS="off")
    file = upload(tenant_at(server).user("ada"), png(10, 10))
    assert not [name for name in server.metrics("gateway") if name.startswith("parley_media_thumbnail")]
    assert stored(server, file) == (None, None, [])
