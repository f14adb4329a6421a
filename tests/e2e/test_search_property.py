"""Random joins, leaves, writes and searches over three tenants that share every name, against a model in Python.

A search names the position of its tenant's last write, so the model is exact and nothing waits. Now and then the same is
asked without a position, as a cache may answer it, and must be right within a second; now and then a tenant's index is
built anew meanwhile. PARLEY_PROPERTY_STEPS says how many steps (400 unless given), PARLEY_PROPERTY_SEED repeats a run.
"""

import datetime
import itertools
import os
import random

import pytest

from harness.client import unique
from harness.search import SearchTenant, check_highlight, ids_of, lit

STEPS = int(os.environ.get("PARLEY_PROPERTY_STEPS", "400"))
# The index orders by the second, and 256 documents of one second fill it: a rebuild's are in the seconds after it.
AHEAD = datetime.timedelta(seconds=10)
USERS = ["ada", "ben", "cyd", "dan"]
# Words that no stemmer touches and that are near to none of the others; some begin alike.
WORDS = ["krolak", "krolum", "krolix", "zorbak", "zorbum", "quimpo", "quimak", "velturn", "velturk", "obnax", "obnik", "yuldra", "fwombat", "gridlok", "plunk"]
PREFIXES = sorted({word[:4] for word in WORDS})


def letters(number):
    """A word of its own for each number, near to others of its kind."""
    text = ""
    for _ in range(4):
        number, rest = divmod(number, 14)
        text += "bcdfghjkmnpqvw"[rest]
    return f"x{text}k"


class Message:
    def __init__(self, id_, room, sender, text, mentions):
        self.id, self.room, self.sender, self.text, self.mentions = id_, room, sender, text, mentions
        self.reactions = set()

    @property
    def words(self):
        return self.text.split()


class Room:
    def __init__(self, id_, name, members):
        self.id, self.name, self.members = id_, name, set(members)
        self.owner = members[0]


class Model:
    """One tenant: what there is, and what each user may find."""

    def __init__(self, tenant, dice):
        self.tenant, self.dice = tenant, dice
        self.rooms, self.messages, self.names = {}, {}, {}
        self.count, self.reindexes = 0, None
        self.users = {user: tenant.user(user) for user in USERS}
        self.boss = tenant.user("boss", "admin")
        for user in USERS:
            self.rename_user(user)

    # Writes. Each returns what it did, for the log of the run.

    def name(self):
        return " ".join(self.dice.sample(WORDS, 2))

    def text(self):
        self.count += 1
        words = [self.dice.choice(WORDS) for _ in range(self.dice.randrange(1, 6))] + [letters(self.count)]
        self.dice.shuffle(words)
        return " ".join(words)

    def rename_user(self, user=None):
        user = user or self.dice.choice(USERS)
        self.names[user] = self.name()
        self.users[user].put("users", "me", body={"name": self.names[user]}, expect=200)
        return f"{user} is now {self.names[user]}"

    def open_room(self):
        members = self.dice.sample(USERS, self.dice.randrange(1, len(USERS) + 1))
        id_ = f"room-{len(self.rooms)}"
        name = self.name() if self.dice.random() < 0.8 else None
        self.rooms[id_] = Room(id_, name, members)
        self.users[members[0]].post("conversations", body={"id": id_, "name": name, "members": members[1:]}, expect=201)
        return f"{id_} {name} of {members}"

    def some_room(self):
        live = [room for room in self.rooms.values() if room.members]
        return self.dice.choice(live) if live else None

    def some_message(self, *conditions):
        fitting = [m for m in self.messages.values() if self.rooms[m.room].members and all(holds(m) for holds in conditions)]
        return self.dice.choice(fitting) if fitting else None

    def own(self, message):
        return message.sender in self.rooms[message.room].members

    def send(self):
        room = self.some_room()
        if room is None:
            return self.open_room()
        sender = self.dice.choice(sorted(room.members))
        mentions = self.dice.sample(USERS, 1) if self.dice.random() < 0.2 else []
        text = self.text()
        id_ = self.users[sender].send(room.id, text, mentions=mentions)["id"]
        self.messages[id_] = Message(id_, room.id, sender, text, set(mentions))
        return f"{sender} in {room.id}: {text} {mentions}"

    def edit(self):
        message = self.some_message(self.own)
        if message is None:
            return "-"
        old, message.text = message.text, self.text()
        self.users[message.sender].put("messages", message.id, body={"content": message.text}, expect=200)
        return f"edit {message.id} in {message.room}: {old} → {message.text}"

    def delete(self):
        message = self.some_message(self.own)
        if message is None:
            return "-"
        by = self.dice.choice([message.sender, self.rooms[message.room].owner])
        self.users[by].delete("messages", message.id, expect=204)
        del self.messages[message.id]
        return f"{by} deletes {message.id} in {message.room}: {message.text}"

    def react(self):
        message = self.some_message()
        if message is None:
            return "-"
        by = self.dice.choice(sorted(self.rooms[message.room].members))
        if by in message.reactions:
            message.reactions.remove(by)
            self.users[by].delete("messages", message.id, "reactions", "x", expect=204)
        else:
            message.reactions.add(by)
            self.users[by].post("messages", message.id, "reactions", body={"reaction": "x"}, expect=201)
        return f"{by} reacts to {message.id}: {message.reactions}"

    def leave(self):
        room = self.some_room()
        leaving = sorted(room.members - {room.owner}) if room else []
        if not leaving:
            return "-"
        user = self.dice.choice(leaving)
        by = self.dice.choice([user, room.owner])
        self.users[by].delete("conversations", room.id, "members", user, expect=204)
        room.members.remove(user)
        return f"{user} leaves {room.id}"

    def join(self):
        room = self.some_room()
        away = sorted(set(USERS) - room.members) if room else []
        if not away:
            return "-"
        user = self.dice.choice(away)
        self.users[room.owner].add(room.id, user)
        room.members.add(user)
        return f"{user} joins {room.id}"

    def rename_room(self):
        room = self.some_room()
        if room is None:
            return "-"
        room.name = self.name() if self.dice.random() < 0.8 else None
        self.users[room.owner].put("conversations", room.id, body={"name": room.name}, expect=200)
        return f"{room.id} is now {room.name}"

    def close_room(self):
        room = self.some_room()
        if room is None:
            return "-"
        self.users[room.owner].delete("conversations", room.id, expect=204)
        room.members.clear()
        return f"{room.id} is deleted"

    def reindex(self):
        answer = self.boss.service.post("admin", "reindex")
        assert answer.status in (202, 409), answer
        self.reindexes = answer.json["id" if answer.status == 202 else "reindex_id"]
        return "reindex"

    def is_reindexing(self):
        if self.reindexes and self.boss.service.get("admin", "reindex", self.reindexes).json.get("state") != "running":
            self.reindexes = None
        return self.reindexes is not None

    # What is so

    def readable(self, user):
        return [message for message in self.messages.values() if user in self.rooms[message.room].members]

    def own_rooms(self, user):
        return [room for room in self.rooms.values() if user in room.members]


class Question:
    """A random query, and whether a message answers it."""

    def __init__(self, model, user):
        dice = model.dice
        self.parts, self.tests, self.words, self.filters = [], [], [], {}
        known = [word for message in model.messages.values() for word in message.words]
        one = dice.choice

        def word():
            return one(known) if known and dice.random() < 0.3 else one(WORDS)

        def has(w):
            return lambda m: w in m.words

        kind = dice.random()
        if kind < 0.35:
            self.add(w := word(), has(w), w)
        elif kind < 0.5:
            a, b = word(), word()
            self.add(f"{a} {b}", lambda m: a in m.words and b in m.words, a, b)
        elif kind < 0.6:
            a, b = dice.sample(WORDS, 2)
            self.add(f"{a} OR {b}", lambda m: a in m.words or b in m.words, a, b)
        elif kind < 0.7:
            a, b = word(), one(WORDS)
            self.add(f"{a} -{b}", lambda m: a in m.words and b not in m.words, a)
        elif kind < 0.8:
            text = one(list(model.messages.values())).text.split()[:2] if model.messages and dice.random() < 0.7 else dice.sample(WORDS, 2)
            self.add(f'"{" ".join(text)}"', lambda m: f" {' '.join(text)} " in f" {m.text} ", *text)
        elif kind < 0.9:
            prefix = one(PREFIXES)
            self.add(prefix + "*", lambda m: any(w.startswith(prefix) for w in m.words), *[w for w in WORDS if w.startswith(prefix)])
        if kind >= 0.9 or dice.random() < 0.35:
            self.add_filter(model, user)
        if not self.parts and not self.filters:
            self.add(w := word(), has(w), w)
        self.q = " ".join(self.parts)

    def add(self, part, holds, *words):
        self.parts.append(part)
        self.tests.append(holds)
        self.words += words

    def add_filter(self, model, user):
        which = model.dice.randrange(5)
        someone = model.dice.choice(USERS)
        room = model.dice.choice(sorted(model.rooms)) if model.rooms else "room-0"
        name, value, holds = [
            ("from", someone, lambda m: m.sender == someone), ("from", "me", lambda m: m.sender == user), ("in", room, lambda m: m.room == room),
            ("has", "reaction", lambda m: bool(m.reactions)), ("mentions", "me", lambda m: user in m.mentions),
        ][which]  # fmt: skip
        self.tests.append(holds)
        if model.dice.random() < 0.5:
            self.parts.append(f"{name}:{value}")
        else:
            self.filters[name] = value

    @property
    def query(self):
        return ({"q": self.q} if self.q else {}) | self.filters

    def holds(self, message):
        return all(test(message) for test in self.tests)


class Checks:
    """Searches, and what the model says of their answers."""

    def __init__(self, model):
        self.model, self.dice = model, model.dice

    def hits(self, user, items, words):
        readable = {message.id: message for message in self.model.readable(user)}
        for hit in items:
            assert hit["id"] in readable, f"{user} may not see {hit}"
            message = readable[hit["id"]]
            assert hit["content"] == message.text and hit["conversation_id"] == message.room and hit["sender_id"] == message.sender
            assert set(check_highlight(hit["highlight"], message.text)) <= set(words), (hit["highlight"], words)

    def near(self, user, answer, asked):
        """Near words come from what the user may read; what they found has them."""
        vocabulary = {word for message in self.model.readable(user) for word in message.words}

        def bare(text):
            return {word.strip('"-*') for word in text.split()} - {"OR"}

        new = bare(answer["did_you_mean"]) - bare(asked.q)
        assert new and new <= vocabulary, f"{user} learns {new - vocabulary}"
        self.hits(user, answer["items"], vocabulary)
        assert answer["items"] and answer["total"]["value"] >= len(answer["items"])

    def messages(self):
        user = self.dice.choice(USERS)
        question = Question(self.model, user)
        expected = {message.id for message in self.model.readable(user) if question.holds(message)}
        sort = self.dice.choice(["relevance", "newest"])
        limit = self.dice.choice([1, 2, 7, 100]) if len(expected) < 30 else 100
        pages = self.model.users[user].whole(sort=sort, limit=limit, **question.query)
        if "did_you_mean" in pages[0]:
            assert not expected, f"{user}: {question.query} has answers, and near words were searched"
            self.near(user, pages[0], question)
            return f"{user}: {question.query}: near {pages[0]['did_you_mean']}"
        items = [hit for page in pages for hit in page["items"]]
        found = [hit["id"] for hit in items]
        assert sorted(found) == sorted(expected), f"{user}: {question.query}: missing {expected - set(found)}, surplus {set(found) - expected}"
        for page in pages:
            assert page["total"] == {"value": len(expected), "relation": "eq"}, f"{user}: {question.query}: {page['total']} and {len(expected)}"
        self.hits(user, items, question.words)
        if sort == "newest":
            times = [datetime.datetime.fromisoformat(hit["created_at"]) for hit in items]
            assert all(after < before + AHEAD for before, after in itertools.pairwise(times)), times
        return f"{user}: {question.query}: {len(found)}"

    def mistyped(self):
        """A secret word or a word of one's own with two letters exchanged."""
        user = self.dice.choice(USERS)
        everything = [word for message in self.model.messages.values() for word in message.words]
        if not everything:
            return "-"
        word = self.dice.choice(everything)
        at = self.dice.randrange(1, len(word) - 2)
        typed = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        question = Question.__new__(Question)
        question.q, question.words = typed, [typed]
        answer = self.model.users[user].search(q=typed, limit=100)
        if "did_you_mean" in answer:
            self.near(user, answer, question)
        else:
            self.hits(user, answer["items"], [typed])
            assert all(typed in hit["content"].split() for hit in answer["items"])
            assert answer["total"] == {"value": len(answer["items"]), "relation": "eq"}
        return f"{user}: {typed} for {word}: {answer.get('did_you_mean')}"

    def named(self):
        user = self.dice.choice(USERS)
        prefix = self.dice.choice(WORDS)[: self.dice.choice([2, 4, 9])]
        rooms = {room.id for room in self.model.own_rooms(user) if room.name and any(w.startswith(prefix) for w in room.name.split())}
        people = {one for one, name in self.model.names.items() if any(w.startswith(prefix) for w in name.split())}
        client = self.model.users[user]
        for kind, expected in (("conversations", rooms), ("users", people)):
            answer = client.search(kind, q=prefix, limit=100)
            assert set(ids_of(answer)) == expected and len(answer["items"]) == len(expected), f"{user}: {prefix}: {ids_of(answer)} and {expected}"
            assert answer["total"] == {"value": len(expected), "relation": "eq"}
            assert all(lit(hit["highlight"]) for hit in answer["items"])
        return f"{user}: named {prefix}: {len(rooms)} {len(people)}"

    def everything(self):
        user = self.dice.choice(USERS)
        word = self.dice.choice(WORDS)
        client = self.model.users[user]
        answer = client.finder.get("search", q=word, limit=3, min_position=client.written.position, wait_ms=5000, expect=200).json
        expected = {message.id for message in self.model.readable(user) if word in message.words}
        if "did_you_mean" not in answer:
            assert answer["messages"]["total"] == {"value": len(expected), "relation": "eq"} and set(ids_of(answer["messages"])) <= expected
            self.hits(user, answer["messages"]["items"], [word])
        else:
            assert not expected
        assert set(ids_of(answer["conversations"])) <= {room.id for room in self.model.own_rooms(user)}
        return f"{user}: everything of {word}: {len(expected)}"

    def suggestions(self):
        user = self.dice.choice(USERS)
        everything = [word for message in self.model.messages.values() for word in message.words] or WORDS
        typed = self.dice.choice(everything)[: self.dice.randrange(2, 6)]
        made = self.model.users[user].suggestions(typed)
        may = {"word": {word for message in self.model.readable(user) for word in message.words if word.startswith(typed)},
               "conversation": {room.name for room in self.model.own_rooms(user)}, "user": set(self.model.names.values())}  # fmt: skip
        for kind, text in made:
            assert text in may[kind], f"{user} typed {typed} and learns of the {kind} {text}"
        assert {text for kind, text in made if kind == "word"} >= (may["word"] if len(made) < 100 and len(may["word"]) < 30 else set())
        return f"{user}: {typed}…: {len(made)}"

    def without_position(self):
        """As a cache may answer it: right within a second."""
        user = self.dice.choice(USERS)
        word = self.dice.choice(WORDS)
        expected = {message.id for message in self.model.readable(user) if word in message.words}
        if len(expected) > 100:
            return "-"
        client = self.model.users[user]

        def right():
            answer = client.ask("messages", q=word, limit=100, expect=200).json
            return "did_you_mean" in answer and not expected or set(ids_of(answer)) == expected

        client.soon(f"{user} finds {len(expected)} for {word}", right)
        return f"{user}: soon {word}: {len(expected)}"


@pytest.mark.timeout(max(300, STEPS // 2))
@pytest.mark.smoke
def test_whatever_happens_everyone_finds_what_may_be_read_and_nothing_else(issuer, fleet):
    seed = int(os.environ.get("PARLEY_PROPERTY_SEED", random.randrange(2**32)))
    print("PARLEY_PROPERTY_SEED", seed, "steps", STEPS)
    dice = random.Random(seed)
    place = fleet.search_place("all_in_one")
    models = [Model(SearchTenant(issuer, place, unique(f"property-{n}")), dice) for n in range(3)]
    log = []
    writes = {Model.send: 30, Model.edit: 8, Model.delete: 7, Model.react: 6, Model.leave: 6, Model.join: 6, Model.open_room: 4, Model.rename_room: 3,
              Model.rename_user: 2, Model.close_room: 1, Model.reindex: 1}  # fmt: skip
    asks = {Checks.messages: 40, Checks.mistyped: 8, Checks.named: 6, Checks.everything: 6, Checks.suggestions: 12, Checks.without_position: 4}
    for model in models:
        for _ in range(4):
            model.open_room()
        for _ in range(20):
            model.send()
    try:
        for step in range(STEPS):
            model = dice.choice(models)
            number = models.index(model)
            if dice.random() < 0.5:
                (do,) = dice.choices(list(writes), list(writes.values()))
                log.append(f"{step} tenant {number}: {do.__name__}: {do(model)}")
            else:
                (ask,) = dice.choices(list(asks), list(asks.values()))
                log.append(f"{step} tenant {number}: {ask.__name__}")
                log[-1] += f": {ask(Checks(model))}"
    except BaseException:
        print("seed", seed, *log[-40:], sep="\n")
        raise
