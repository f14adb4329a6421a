"""One OpenAPI file of api/, and the check that an answer keeps to it: status listed, headers there, body valid."""

import copy
import functools
import json
import pathlib
import re
import urllib.parse

import yaml
from jsonschema import Draft7Validator, FormatChecker, RefResolver

API = pathlib.Path(__file__).resolve().parents[2] / "api"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
# Absent when the caller has no limit, when no cache answered, when there is no cache.
# And of media: several files have no one Location; an upload has a length or defers it, and metadata if it was given some.
OPTIONAL_HEADERS = {"Age", "X-Cache", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Location", "Upload-Offset",
                    "Upload-Length", "Upload-Defer-Length", "Upload-Metadata", "Upload-Concat"}  # fmt: skip

formats = FormatChecker(formats=[])


@formats.checks("date-time")
def is_time_of_ours(value):
    return not isinstance(value, str) or TIME.fullmatch(value) is not None


class Operation:
    def __init__(self, method, path, spec):
        self.method, self.path, self.spec = method.upper(), path, spec
        self.id = spec["operationId"]
        self.parameters = spec.get("parameters", [])
        self.needs_token = spec.get("security") in (None, [{"bearer": []}, {"signed": []}])  # or an address that is signed
        self.for_roles = spec.get("security") == [{"internal": []}]  # an internal token, and no user's
        self.internal = "internal" in spec.get("tags", [])  # the gateway has it not
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]*", re.escape(path))
        self.matches = re.compile(pattern).fullmatch

    def __repr__(self):
        return f"{self.method} {self.path}"

    @property
    def body_schema(self):
        """(content type, schema) of the body it takes, or (None, None)."""
        for content_type, content in self.spec.get("requestBody", {}).get("content", {}).items():
            return content_type, content.get("x-line-schema", content["schema"])
        return None, None

    def names(self, where):
        return [parameter["name"] for parameter in self.parameters if parameter["in"] == where]


class Contract:
    def __init__(self, name):
        self.name = name
        self.document = yaml.safe_load((API / f"{name}.yaml").read_text("utf-8"))
        self.operations = [
            Operation(method, path, spec)
            for path, item in self.document["paths"].items()
            for method, spec in item.items()
        ]
        closed = copy.deepcopy(self.document)
        for schema in closed["components"]["schemas"].values():
            if schema.get("type") == "object" and "properties" in schema:
                schema.setdefault("additionalProperties", False)  # an answer tells nothing that is not listed
        self._resolver = RefResolver("", closed)
        self._validators = {}

    def deref(self, value):
        while isinstance(value, dict) and "$ref" in value:
            found = self.document
            for part in value["$ref"][2:].split("/"):
                found = found[part]
            value = found
        return value

    def find(self, method, target):
        """The operation that serves this request, or None. The more literal path goes first, as in the router."""
        path = urllib.parse.urlsplit(target).path
        found = [op for op in self.operations if op.method == method and op.matches(path)]
        if method == "HEAD" and not found:
            return self.find("GET", target)
        return min(found, key=lambda op: op.path.count("{"), default=None)

    def methods_of(self, target):
        path = urllib.parse.urlsplit(target).path
        return {op.method for op in self.operations if op.matches(path)}

    def _validator(self, schema):
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            self._validators[key] = Draft7Validator(schema, resolver=self._resolver, format_checker=formats)
        return self._validators[key]

    def check_problem(self, answer):
        assert answer.headers.get("Content-Type", "").split(";")[0] == "application/problem+json", answer
        faults = [f"{list(e.path)}: {e.message}" for e in
                  self._validator({"$ref": "#/components/schemas/Problem"}).iter_errors(answer.json)]  # fmt: skip
        assert not faults, f"{answer}: {faults}"
        assert answer.json["status"] == answer.status, answer
        assert answer.json["request_id"] == answer.headers.get("X-Request-Id"), answer
        assert ("errors" in answer.json) <= (answer.status == 400), answer
        if answer.json["code"] == "validation_failed":
            assert answer.json.get("errors"), f"{answer} does not say which field"

    def check(self, method, target, answer):
        """Fails unless the answer is one that the contract lists for this request."""
        operation = self.find(method, target)
        assert operation, f"{method} {target} is not in {self.name}.yaml"
        responses = operation.spec["responses"]
        assert str(answer.status) in responses, f"{answer} is not listed for {operation}: {sorted(responses)}"
        response = self.deref(responses[str(answer.status)])
        for name in response.get("headers", {}):
            assert name in OPTIONAL_HEADERS or name in answer.headers, f"{answer}: no {name} in {answer.headers}"
        content = response.get("content", {})
        if not content:
            assert answer.body == b"" and "Content-Type" not in answer.headers, answer
            return
        content_type = answer.headers.get("Content-Type", "").split(";")[0]
        assert content_type in content or "*/*" in content, f"{answer}: {content_type} instead of {list(content)}"
        if method == "HEAD":
            assert answer.body == b""
            return
        if content_type == "application/problem+json":
            self.check_problem(answer)
        elif content_type == "application/json" and content_type in content:
            faults = [f"{list(e.path)}: {e.message}" for e in
                      self._validator(content[content_type]["schema"]).iter_errors(answer.json)]  # fmt: skip
            assert not faults, f"{answer}: {faults[:5]}"


@functools.cache
def contract(name):
    return Contract(name)
