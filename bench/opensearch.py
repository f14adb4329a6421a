"""OpenSearch as the peer of search: a server that runs already, an index of our own in it, removed at the end."""

import http.client
import itertools
import json
import time
from urllib.parse import urlsplit

INDEX = "parley-bench"
BULK = 2000
# What our own analysis means to do: words with case and accents folded, English stems beside them, parts of
# identifiers beside the whole, characters and pairs of them where scripts have no spaces.
ANALYSIS = {
    "filter": {
        "pairs": {"type": "cjk_bigram", "output_unigrams": True},
        "parts": {"type": "word_delimiter_graph", "preserve_original": True},
        "stems": {"type": "stemmer", "language": "english"},
    },
    "analyzer": {
        "written": {"tokenizer": "standard", "filter": ["pairs", "parts", "flatten_graph", "lowercase", "asciifolding",
                                                        "keyword_repeat", "stems", "remove_duplicates"]},
        "asked": {"tokenizer": "standard", "filter": ["cjk_bigram", "lowercase", "asciifolding", "stems"]},
    },
}
MAPPING = {
    "dynamic": "strict",
    "properties": {
        "conversation": {"type": "keyword"}, "author": {"type": "keyword"}, "created_at": {"type": "date"},
        "content": {"type": "text", "analyzer": "written", "search_analyzer": "asked"},
    },
}


class OpenSearch:
    """One connection, kept."""

    def __init__(self, address):
        parts = urlsplit(address)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port or 9200, timeout=120)
        try:
            self.version = self.ask("GET", "/")["version"]["number"]
        except (OSError, KeyError, ValueError) as error:
            raise RuntimeError(f"no OpenSearch answers at {address}: {error}") from error

    def send(self, method, path, body=None):
        """The bytes of the answer; raises on any status but 2xx."""
        kind = "application/x-ndjson" if path.endswith("_bulk") else "application/json"
        self.connection.request(method, path, body, {"Content-Type": kind} if body is not None else {})
        answer = self.connection.getresponse()
        text = answer.read()
        if not 200 <= answer.status < 300:
            raise RuntimeError(f"OpenSearch, {method} {path}: {answer.status} {text[:500]!r}")
        return text

    def ask(self, method, path, body=None):
        return json.loads(self.send(method, path, None if body is None else json.dumps(body).encode()))

    def load(self, chat):
        """Seconds until all of it can be found; merges under way are waited for after that."""
        self.drop()
        self.ask("PUT", f"/{INDEX}", {"mappings": MAPPING, "settings": {
            "number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1", "analysis": ANALYSIS}})
        began = time.monotonic()
        with open(chat.file, "rb") as lines:
            while batch := list(itertools.islice(lines, BULK)):
                answer = self.send("POST", f"/{INDEX}/_bulk", b"".join(b'{"index":{}}\n' + line for line in batch))
                if b'"errors":false' not in answer[:200]:
                    raise RuntimeError(f"OpenSearch did not take all: {answer[:500]!r}")
        self.ask("POST", f"/{INDEX}/_refresh")
        seconds = time.monotonic() - began
        stored = self.ask("GET", f"/{INDEX}/_count")["count"]
        if stored != chat.messages:
            raise RuntimeError(f"OpenSearch holds {stored} of {chat.messages} messages")
        while self.ask("GET", f"/{INDEX}/_stats/merge")["_all"]["total"]["merges"]["current"]:
            time.sleep(0.2)
        self.ask("POST", f"/{INDEX}/_flush")
        return seconds

    def index_bytes(self):
        return self.ask("GET", f"/{INDEX}/_stats/store")["_all"]["total"]["store"]["size_in_bytes"]

    def drop(self):
        self.ask("DELETE", f"/{INDEX}?ignore_unavailable=true")


def search_body(kind, words, order, conversations, page, counted):
    """What `kind` of chat.searches_of() is here, within the conversations, as bytes."""
    query = {
        "phrase": lambda: {"match_phrase": {"content": " ".join(words)}},
        "OR": lambda: {"match": {"content": {"query": " ".join(words), "operator": "or"}}},
        "prefix": lambda: {"prefix": {"content": words[0]}},
    }.get(kind, lambda: {"match": {"content": {"query": " ".join(words), "operator": "and"}}})()
    body = {"query": {"bool": {"must": query, "filter": {"terms": {"conversation": conversations}}}}, "size": page,
            "track_total_hits": counted,
            "highlight": {"encoder": "html", "fields": {"content": {"number_of_fragments": 1}}}}
    if order == "newest":
        body["sort"] = [{"created_at": "desc"}]
    return json.dumps(body).encode()
