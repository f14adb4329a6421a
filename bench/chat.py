"""Chat of any size out of IRC logs: many conversations, few of them big, as a file of JSON lines that `parley import`
takes. The same for the same logs and size."""

import itertools
import json
import random
import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import corpus

CONVERSATIONS = 2000
MEMBER_OF = 200
FIRST = datetime(2025, 1, 1, tzinfo=timezone.utc)
SPAN = timedelta(days=365)
SAID = re.compile(r"^\[\d\d:\d\d\] <([^\s>]+)> (.*\S)")
NOTHING = "nothing found, near words tried"
WORD = re.compile(r"[a-z]{2,}")


@dataclass
class Chat:
    """The file, in the order of time, and what to know of it."""
    file: Path
    described: str
    messages: int
    text_bytes: int
    lines: list  # (author, text) of the logs
    found: Counter  # words of the conversations of member_of(), and how often


def conversation_id(number):
    return f"room-{number}"


def member_of():
    """The biggest conversation and every tenth of the others."""
    return [conversation_id(number * 10 - 1 if number else 0) for number in range(MEMBER_OF)]


def write_chat(plan, folder, count):
    folder.mkdir()
    if plan.corpus is None:
        logs, name = corpus.SAMPLE, "the project's sample logs, for no corpus was given,"
    else:
        logs, name = corpus.unpack(plan, folder / "logs")
    lines = read_lines(logs)
    text_bytes, found, readable = 0, Counter(), set(member_of())
    file = folder / "chat.jsonl"
    with open(file, "w", encoding="utf-8") as out:
        for number, (room, (author, text)) in enumerate(zip(rooms(count), varied(lines, count), strict=True)):
            at = FIRST + SPAN * number / count
            text_bytes += len(text.encode())
            if conversation_id(room) in readable:
                found.update(WORD.findall(text.lower()))
            out.write(json.dumps({"conversation": conversation_id(room), "author": f"irc:{author}", "content": text,
                                  "created_at": at.isoformat(timespec="milliseconds")}, ensure_ascii=False) + "\n")
    described = (f"{name} varied to {count:,} messages ({text_bytes / 1e6:,.1f} MB of text) in {CONVERSATIONS:,} "
                 "conversations, the nth about 1/n as big as the first")
    return Chat(file, described, count, text_bytes, lines, found)


def read_lines(logs):
    lines = []
    for log in sorted(Path(logs).glob("*.txt")):
        for line in log.read_text(encoding="utf-8").splitlines():
            if said := SAID.match(line):
                lines.append(said.groups())
    return lines


def rooms(count):
    """Each conversation once, then by their sizes."""
    yield from range(min(CONVERSATIONS, count))
    dice = random.Random(1)
    weights = list(itertools.accumulate(1 / (number + 1) for number in range(CONVERSATIONS)))
    for _ in range(count - CONVERSATIONS):
        yield dice.choices(range(CONVERSATIONS), cum_weights=weights)[0]


def varied(lines, count):
    """The lines as they are, then the head of one with the tail of another, so that words stay as common as they were
    while hardly a text comes twice; every thirtieth of these has a new rare word, as bug numbers and paths are."""
    yield from lines[:count]
    dice = random.Random(2)
    for number in range(len(lines), count):
        author, head = lines[number % len(lines)]
        head, tail = head.split(), dice.choice(lines)[1].split()
        words = head[:(len(head) + 1) // 2] + tail[len(tail) // 2:]
        if number % 30 == 0:
            words.append(f"bug{dice.randrange(10**7)}")
        yield author, " ".join(words)


def searches_of(chat, each):
    """Kind -> up to `each` queries as lists of words. Phrases and the words of prefixes are the commonest there are."""
    dice = random.Random(3)
    texts = [WORD.findall(text.lower()) for _, text in chat.lines]
    seen = Counter(word for text in texts for word in text)
    for taken in ("or", "and", "not"):  # words of query languages
        seen.pop(taken, None)
    common = [word for word, _ in seen.most_common(300)]
    rare = sorted(word for word, times in chat.found.items() if times <= 3 and len(word) > 4)
    unknown = sorted({swapped for word in common if len(word) > 5
                      if (swapped := word[:2] + word[3] + word[2] + word[4:]) not in chat.found})
    together = sorted({(a, b) for text in texts for a, b in itertools.pairwise(text)
                       if a != b and a in common[:100] and b in common})
    phrases = Counter(tuple(words[at:at + 3]) for words in (text.split() for _, text in chat.lines)
                      for at in range(len(words) - 2) if all(word in seen for word in words[at:at + 3]))

    def pick(of):
        return dice.sample(of, min(each, len(of)))

    return {"the": [["the"]], "ubuntu": [["ubuntu"]], "two words": [list(pair) for pair in pick(together)],
            "phrase": [list(words) for words, _ in phrases.most_common(each)],
            "OR": [dice.sample(common, 2) for _ in range(each)],
            "prefix": [[word] for word in sorted({word[:4] for word in common if len(word) > 4})],
            "rare word": [[word] for word in pick(rare)],
            NOTHING: [[word] for word in pick(unknown)]}
