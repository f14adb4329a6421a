"""Pictures to upload, good ones and bad ones, made by hand; and what a WebP file says of its size."""

import base64
import struct
import zlib

# 48 by 24 pixels each, the left half red, the right half blue; no metadata.
JPEG = base64.b64decode(
    "/9j/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBkeFxlZ2P/2wBDARESEhgVGC8aGi9j"
    "QjhCY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2P/wAARCAAYADADASIAAhEBAxEB/8QAFQABAQAAAAAAAAAA"
    "AAAAAAAAAAX/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFgEBAQEAAAAAAAAAAAAAAAAABgcF/8QAGREBAAMBAQAAAAAAAAAAAAAAAEOBwQUG/9oADAMB"
    "AAIRAxEAPwCKAyzwR1hHKPOy1o53o7wAKBxYAS9RhHAo87LWjnejvAAoHH//2Q=="
)
WEBP = base64.b64decode(
    "UklGRi4BAABXRUJQVlA4WAoAAAAIAAAALwAAFwAAVlA4IE4AAADQAwCdASowABgAPtFWo0uoJKMhsAgBABoJQBjVUA/En8AAEAGYSdAA/us2/9zmuho7"
    "f/6EhGm2/J37X/1fOEENOwej9aVA9mp2spAAAABFWElGugAAAEV4aWYAAElJKgAIAAAABgASAQMAAQAAAAEAAAAaAQUAAQAAAFYAAAAbAQUAAQAAAF4A"
    "AAAoAQMAAQAAAAIAAAATAgMAAQAAAAEAAABphwQAAQAAAGYAAAAAAAAAOGMAAOgDAAA4YwAA6AMAAAYAAJAHAAQAAAAwMjEwAZEHAAQAAAABAgMAAKAH"
    "AAQAAAAwMTAwAaADAAEAAAD//wAAAqAEAAEAAAAwAAAAA6AEAAEAAAAYAAAAAAAAAA=="
)
GIF = base64.b64decode(
    "R0lGODlhMAAYAIEAAEdwTAAA//8AAAAAACH/C05FVFNDQVBFMi4wAwEAAAAh+QQFAAAAACwAAAAAMAAYAAACR5SPqRftD6NbtMqLq064ww0K3hiEG+mZ"
    "GtqpFnu5FBzLCi3ZN/7pCN/zGYAPIYPYMA6RJSWzaXwqRcyp1FnFIq3ZaFd49SILADs="
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="10" height="10"/></svg>'
TAKEN_BY = b"Taken-by-Ada"


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width, height, bits, colour, row, more=b""):
    """A PNG whose rows are all `row`, packed as it is made: so a very large one is made soon."""
    packer = zlib.compressobj(1)
    data = b"".join(packer.compress(b"\0" + row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + more + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def png(width, height, more=b""):
    return png_of(width, height, 8, 2, b"\x20\x80\xe0" * width, more)


def png_bomb(side=30_000):
    """Black and white, so 900 million pixels in some 100 KB."""
    return png_of(side, side, 1, 0, bytes((side + 7) // 8))


def text_bomb(megabytes=200):
    """A small picture with a compressed text that is very long."""
    packer = zlib.compressobj(9)
    text = b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()
    return png(100, 100, chunk(b"zTXt", b"Comment\0\0" + text))


def turned_jpeg(orientation):
    """JPEG with EXIF that says how it is to be turned (6 and 8: by a right angle), and who took it."""
    artist = TAKEN_BY + b"\0"
    entries = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0) + struct.pack(">HHII", 0x013B, 2, len(artist), 38)
    tiff = b"MM\0\x2a\0\0\0\x08" + struct.pack(">H", 2) + entries + struct.pack(">I", 0) + artist
    exif = b"Exif\0\0" + tiff
    return JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + JPEG[2:]


def webp_size(data):
    """(width, height) that a WebP file says."""
    assert data[:4] == b"RIFF" and data[8:12] == b"WEBP" and struct.unpack("<I", data[4:8])[0] + 8 == len(data), data[:16]
    kind, body = data[12:16], data[20:]
    if kind == b"VP8X":
        return (1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little"))
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    assert kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a", data[:32]
    return (int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF)
