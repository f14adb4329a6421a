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


def section_of(table, facts=None):
    """`facts`: of a section that was measured by itself."""
    lines = [table.what]
    if facts:
        lines += ["", f"Measured by itself. {'. '.join(f'{name}: {value}' for name, value in facts.items())}."]
    lines += ["", *markdown_table([table.columns, *table.rows])]
    lines += [line for note in table.notes for line in ("", f"Note: {note}")]
    return "\n".join(lines)


def document_of(facts, targets, sections):
    """`facts` and `targets` as lines of Markdown; `sections` by title."""
    lines = ["# Benchmarks", "",
             "<!-- Written by `./dev bench --write`; do not edit by hand. -->", "",
             "Everything below was measured in one run on one machine, load generator and peers included, so only the ratios "
             "carry over to others; a section that was measured at another time says so. To repeat it: `./dev bench` "
             "(`--help` lists its options); `bench/` holds the scenarios and the peers' configurations.", "",
             *facts, "", "## Targets", "", *targets]
    for title, text in sections.items():
        lines += ["", f"## {title}", "", text]
    return "\n".join(lines) + "\n"


def target_lines(tables):
    return list(markdown_table([["Target", "Wanted", "Measured", ""], *targets_of(tables)], left=4))


def as_markdown(tables, facts):
    return document_of([f"- {name}: {value}" for name, value in facts.items()], target_lines(tables),
                       {table.title: section_of(table) for table in tables})


def with_sections_of(document, tables, facts):
    """The document of an earlier run, in which the sections of these tables are new or replaced. So are their targets:
    those of one scenario begin with the same word before a colon."""
    head, *old = document.split("\n## ")
    sections = dict(one.split("\n\n", 1) for one in old)
    wanted = target_lines(tables)
    first_two, lines = wanted[:2], wanted[2:]
    measured = {scenario_of(line) for line in lines}
    kept = [line for line in sections.pop("Targets").strip().splitlines()[2:] if scenario_of(line) not in measured]
    sections = {title: text.strip() for title, text in sections.items()}
    sections |= {table.title: section_of(table, facts) for table in tables}
    return document_of([line for line in head.splitlines() if line.startswith("- ")], [*first_two, *kept, *lines], sections)


def scenario_of(target_line):
    return target_line.removeprefix("| ").split(":")[0].split(" |")[0]
