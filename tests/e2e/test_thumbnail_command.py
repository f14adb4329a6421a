"""`parley thumbnail`, the child that makes thumbnails: run here as the server runs it, with good and with evil pictures."""

import ctypes.util
import os
import re
import struct
import subprocess
import tempfile
import time

import pytest

from harness import pictures
from harness.pictures import png, webp_size
from harness.server import binary

MADE, UNSUPPORTED, TOO_MANY_PIXELS, BROKEN = 0, 10, 11, 12


@pytest.fixture(autouse=True)
def _needs_libvips(parley):
    if ctypes.util.find_library("vips") is None:
        pytest.skip("libvips is not installed (Debian's libvips42; ./dev test installs it)")


def run(data, content_type, megapixels=50, program=None, seconds=60):
    """(exit code or minus signal, size or None, {kind: WebP}) of one picture."""
    with tempfile.TemporaryFile() as picture:
        picture.write(data)
        picture.seek(0)
        ours, theirs = os.pipe()
        # Descriptors 3 and 4, whatever is open here.
        command = f'exec 9<&{picture.fileno()} 8>&{theirs} 3<&9 4>&8 8>&- 9<&-; exec "$@"'
        arguments = program or [str(binary()), "thumbnail", "--max-megapixels", str(megapixels), "--type", content_type]
        child = subprocess.Popen(
            ["/bin/bash", "-c", command, "bash", *arguments], pass_fds=(picture.fileno(), theirs), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"LC_ALL": "C", "VIPSHOME": "/nonexistent", "VIPS_CONCURRENCY": "1"},
        )  # fmt: skip
        os.close(theirs)
        answer = b""
        while piece := os.read(ours, 1 << 16):
            answer += piece
        os.close(ours)
        code = child.wait(seconds)
    size, made = None, {}
    while answer:
        kind, length = struct.unpack("<BI", answer[:5])
        body, answer = answer[5 : 5 + length], answer[5 + length :]
        assert len(body) == length
        if kind == 0:
            size = struct.unpack("<II", body)
        else:
            made[("small", "medium", "large")[kind - 1]] = body
    return code, size, made


@pytest.mark.parametrize(("data", "content_type"), [(pictures.JPEG, "image/jpeg"), (pictures.WEBP, "image/webp"),
                                                    (pictures.GIF, "image/gif"), (png(48, 24), "image/png")])  # fmt: skip
def test_each_of_the_four_formats_gets_its_thumbnail(data, content_type):
    code, size, made = run(data, content_type)
    assert (code, size, list(made)) == (MADE, (48, 24), ["small"])
    assert webp_size(made["small"]) == (48, 24), "none is made larger"


@pytest.mark.parametrize(("width", "height", "expected"), [
    (2000, 1000, {"small": (160, 80), "medium": (480, 240), "large": (1280, 640)}),
    (500, 1000, {"small": (80, 160), "medium": (240, 480)}),
    (480, 480, {"small": (160, 160)}),
    (1, 1, {"small": (1, 1)}),
    (5000, 1, {"small": (160, 1), "medium": (480, 1), "large": (1280, 1)}),
])  # fmt: skip
def test_sizes_are_by_the_longer_side(width, height, expected):
    code, size, made = run(png(width, height), "image/png")
    assert (code, size) == (MADE, (width, height))
    assert {name: webp_size(data) for name, data in made.items()} == expected


@pytest.mark.parametrize(("orientation", "expected"), [(1, (48, 24)), (3, (48, 24)), (6, (24, 48)), (8, (24, 48))])
def test_a_picture_is_turned_as_its_exif_says_and_keeps_nothing_of_that(orientation, expected):
    code, size, made = run(pictures.turned_jpeg(orientation), "image/jpeg")
    assert (code, size) == (MADE, expected)
    assert webp_size(made["small"]) == expected
    assert not any(word in made["small"] for word in (pictures.TAKEN_BY, b"EXIF", b"ICCP"))


def test_a_bomb_of_pixels_is_not_decoded():
    began = time.monotonic()
    code, size, made = run(pictures.png_bomb(), "image/png")
    assert (code, size, made) == (TOO_MANY_PIXELS, (30_000, 30_000), {})
    assert time.monotonic() - began < 20


def test_the_limit_of_pixels_is_the_one_that_is_given():
    assert run(png(1000, 1000), "image/png", megapixels=1)[0] == MADE
    assert run(png(1001, 1000), "image/png", megapixels=1)[0] == TOO_MANY_PIXELS


def test_a_bomb_of_text_takes_no_more_than_its_limits():
    code, _, _ = run(pictures.text_bomb(), "image/png")
    assert code in (MADE, BROKEN)


@pytest.mark.parametrize("data", [
    pictures.JPEG[:280], pictures.JPEG[:255], pictures.JPEG[:20], png(300, 300)[:-60], png(300, 300)[:33], pictures.GIF[:60], pictures.WEBP[:80],
    b"\x89PNG\r\n\x1a\n" + b"\xff" * 1000,
    png(300, 300).replace(struct.pack(">II", 300, 300), struct.pack(">II", 300, 301), 1),
], ids=range(9))  # fmt: skip
def test_a_broken_picture_ends_in_order(data):
    kind = {b"\x89": "image/png", b"\xff": "image/jpeg", b"G": "image/gif", b"R": "image/webp"}[data[:1]]
    code, _, made = run(data, kind)
    assert code in (BROKEN, UNSUPPORTED, MADE), "of a cut picture libvips may show what is there"
    assert (code == MADE) == bool(made)


@pytest.mark.parametrize(("data", "content_type"), [
    (pictures.SVG, "image/png"), (b"%PDF-1.4\n%%EOF", "image/png"), (b"", "image/png"), (b"II*\0" + bytes(100), "image/jpeg"),
    (pictures.JPEG, "image/png"), (png(10, 10), "image/jpeg"), (pictures.GIF, "image/webp"),
    (b"VIPS" + bytes(60), "image/png"), (b"P6 1 1 255\n\0\0\0", "image/png"),
])  # fmt: skip
def test_other_formats_and_other_types_than_were_sniffed_are_refused(data, content_type):
    assert run(data, content_type)[::2] == (UNSUPPORTED, {})


def test_what_it_is_given_is_all_that_it_can_open(tmp_path):
    """After the picture has been opened the process can open nothing: told by strace where there is one."""
    probe = tmp_path / "trace"
    if subprocess.run(["sh", "-c", "command -v strace"], capture_output=True, check=False).returncode:
        pytest.skip("needs strace")
    arguments = [str(binary()), "thumbnail", "--max-megapixels", "50", "--type", "image/png"]
    run(png(2000, 1000), "image/png", program=["strace", "-f", "-o", str(probe), *arguments])
    after = probe.read_text().split("seccomp(", 1)[1]
    opened = [line for line in after.splitlines() if re.search(r" (open|openat|socket|execve|clone3?)\(", line) and "CLONE_THREAD" not in line]
    assert not [line for line in opened if " = -1 E" not in line], opened
