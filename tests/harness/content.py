"""What clients send and must get back: one block of bytes again and again, so that any size costs no memory."""

import hashlib
import os
import random

BLOCK = random.Random(20261129).randbytes(64 * 1024)
SIZES = {"empty": 0, "one-byte": 1, "10-mb": 10_000_000}
if os.environ.get("PARLEY_LARGE_FILES"):
    SIZES["5-gib"] = 5 * 1024**3


class Content:
    """`size` bytes: in a file, or as a digest alone."""

    def __init__(self, folder, name, size):
        self.size = size
        self.path = folder / name
        digest = hashlib.sha256()
        with open(self.path, "wb") as file:
            for piece in self.pieces():
                file.write(piece)
                digest.update(piece)
        self.sha256 = digest.hexdigest()

    def pieces(self):
        left = self.size
        while left:
            yield BLOCK[: min(left, len(BLOCK))]
            left -= min(left, len(BLOCK))


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
