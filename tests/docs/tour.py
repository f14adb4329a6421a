"""The README's tour as pairs of commands and what they are said to print.

Expected and real output are compared after what differs from run to run (ids, times, cursors) has been given one name;
`…` in the README stands for anything.
"""

import re

SECTION = re.compile(r"^## A tour\n(.*?)^## ", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VARYING = [
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b"), "ID"),
    (re.compile(r"\b20[2-9]\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"), "TIME"),
    (re.compile(r'("(?:position|next_cursor|prev_cursor|request_id)":)"[^"]*"'), r'\1"OPAQUE"'),
    (re.compile(r'("latency_ms":)[0-9.]+'), r"\1N"),
]


def steps(markdown):
    """[(commands, expected output)], in order; a block of commands without output expects none."""
    section = SECTION.search(markdown)
    assert section, "there is no tour"
    found = []
    for language, text in BLOCK.findall(section.group(1)):
        if language == "sh":
            found.append((text, ""))
        else:
            assert language == "text" and found and not found[-1][1], f"a block of {language} follows no commands"
            found[-1] = (found[-1][0], text)
    return found


def normal(text):
    for pattern, name in VARYING:
        text = pattern.sub(name, text)
    return [line for line in text.splitlines() if line.strip()]


def line_matches(expected, line):
    return re.fullmatch(".*".join(re.escape(piece) for piece in expected.split("…")), line) is not None


def differences(expected, real):
    """What is wrong with the output, as lines for a person; none when it is as said."""
    expected, real = normal(expected), normal(real)
    wrong = [f"said:  {want}\nreal:  {got}" for want, got in zip(expected, real) if not line_matches(want, got)]
    wrong += [f"said, but did not come:  {want}" for want in expected[len(real):]]
    wrong += [f"came, but is not said:  {got}" for got in real[len(expected):]]
    return wrong
