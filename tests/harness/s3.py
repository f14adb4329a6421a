"""An S3 that runs already (PARLEY_TEST_S3_ENDPOINT), as the tests look into it: a bucket of a test's own, over HTTP or HTTPS."""

import datetime
import hashlib
import hmac
import http.client
import os
import re
import ssl
import urllib.parse
import uuid
from xml.sax.saxutils import unescape

ENDPOINT = os.environ.get("PARLEY_TEST_S3_ENDPOINT", "")
ACCESS_KEY, SECRET_KEY, REGION = "testkey", "testsecret123", "us-east-1"


def _mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Bucket:
    def __init__(self, endpoint=ENDPOINT, ca_file=None):
        self.name, self.endpoint = f"parley-{uuid.uuid4().hex[:20]}", endpoint
        self.host = urllib.parse.urlsplit(endpoint).netloc
        self.context = ssl.create_default_context(cafile=ca_file) if endpoint.startswith("https:") else None
        self.call("PUT", "")

    def settings(self):
        return {"S3_ENDPOINT": self.endpoint, "S3_BUCKET": self.name, "S3_ACCESS_KEY": ACCESS_KEY,
                "S3_SECRET_KEY": SECRET_KEY, "S3_REGION": REGION}  # fmt: skip

    def call(self, method, key, body=b"", **query):
        path = urllib.parse.quote(f"/{self.name}/{key}" if key else f"/{self.name}")
        text = "&".join(f"{name}={urllib.parse.quote(str(query[name]), safe='')}" for name in sorted(query))
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(body).hexdigest()
        fields = {"host": self.host, "x-amz-content-sha256": digest, "x-amz-date": now}
        names = ";".join(sorted(fields))
        canonical = "\n".join([method, path, text, *(f"{n}:{fields[n]}" for n in sorted(fields)), "", names, digest])
        scope = f"{now[:8]}/{REGION}/s3/aws4_request"
        to_sign = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key_of_scope = f"AWS4{SECRET_KEY}".encode()
        for part in (now[:8], REGION, "s3", "aws4_request"):
            key_of_scope = _mac(key_of_scope, part)
        fields["authorization"] = (f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, SignedHeaders={names}, "
                                   f"Signature={_mac(key_of_scope, to_sign).hex()}")  # fmt: skip
        connection = (http.client.HTTPSConnection(self.host, timeout=30, context=self.context) if self.context
                      else http.client.HTTPConnection(self.host, timeout=30))  # fmt: skip
        connection.request(method, path + (f"?{text}" if text else ""), body, fields)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        assert answer.status < 300, (method, key, answer.status, content)
        return content

    def keys(self, prefix=""):
        text = self.call("GET", "", **{"list-type": 2, "prefix": prefix}).decode()
        return [unescape(key) for key in re.findall(r"<Key>([^<]*)</Key>", text)]

    def remove(self):
        while keys := self.keys():  # which come a thousand at once
            for key in keys:
                self.call("DELETE", key)
        self.call("DELETE", "")
