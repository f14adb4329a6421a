"""What messaging asks of media, answered as a test says: for tests of messaging alone."""

import json
import secrets
import time

from harness.upstream import FakeUpstream, answer


def file_id():
    """An id such as media gives."""
    digits = secrets.token_hex(16)
    return f"{digits[:8]}-{digits[8:12]}-7{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"


class FakeMedia(FakeUpstream):
    """Tells of the files that it was told of, to those who may read them."""

    def __init__(self):
        super().__init__(self._answer)
        self.files = {}  # (tenant, user) -> {id: file}
        self.instead = None  # bytes to answer with, whatever is asked
        self.delay = 0

    def give(self, tenant, user, filename="plan.pdf", **fields):
        file = {"id": file_id(), "filename": filename, "size": 12, "content_type": "application/pdf"} | fields
        self.files.setdefault((tenant, user), {})[file["id"]] = file
        return file["id"]

    def forget(self, file):
        for known in self.files.values():
            known.pop(file, None)

    def _answer(self, connection, head, body):
        time.sleep(self.delay)
        if self.instead is not None:
            connection.sendall(self.instead)
            return True
        if not head.startswith("POST /internal/files ") or self.header(-1, "Authorization")[:15] != "Bearer parley1.":
            connection.sendall(answer(404))
            return True
        asked = json.loads(body)
        known = self.files.get((asked["tenant"], asked["user"]), {})
        files = [known[file] for file in asked["files"] if file in known]
        connection.sendall(answer(200, json.dumps({"files": files}).encode()))
        return True
