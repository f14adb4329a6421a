"""The tables of a run, for a terminal and as docs/benchmarks.md."""

import shutil
from pathlib import Path


def empty_folder(path):
    shutil.rmtree(path, ignore_errors=True)
    Path(path).mkdir(parents=True)
    return Path(path)


def for_terminal(table):
    lines = [f"\n{table.title}", *aligned([table.columns, *table.rows])]
    return "\n".join([*lines, *(f"note: {note}" for note in table.notes)])


def aligned(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        first, *others = row
        cells = [first.ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        yield "  ".join(cells).rstrip()


def targets_of(tables):
    return [[target.what, target.wanted, target.got, "met" if target.met else "MISSED"]
            for table in tables for target in table.targets]


def summary(tables, facts):
    lines = ["", *(f"{name}: {value}" for name, value in facts.items())]
    targets = targets_of(tables)
    if targets:
        lines += ["", *aligned([["Target", "wanted", "got", ""], *targets])]
    return "\n".join(lines)


def markdown_table(rows, left=1):
    head, *others = rows
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * left + "---:|" * (len(head) - left)
    for row in others:
        yield "| " + " | ".join(row) + " |"


def as_markdown(tables, facts):
    lines = ["# Benchmarks", "",
             "<!-- Written by `./dev bench --write`; do not edit by hand. -->", "",
             "Everything below was measured in one run on one machine, load generator and peers included, so only the ratios "
             "carry over to others. To repeat it: `./dev bench` (`--help` lists its options); `bench/` holds the scenarios "
             "and the peers' configurations.", ""]
    lines += [f"- {name}: {value}" for name, value in facts.items()]
    lines += ["", "## Targets", "", *markdown_table([["Target", "Wanted", "Measured", ""], *targets_of(tables)], left=4)]
    for table in tables:
        lines += ["", f"## {table.title}", "", table.what, "", *markdown_table([table.columns, *table.rows])]
        lines += [line for note in table.notes for line in ("", f"Note: {note}")]
    return "\n".join(lines) + "\n"
