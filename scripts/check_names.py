"""Checks file lengths (a warning over 500 lines, a failure over 600) and names that say nothing.

Manager, Util, Helper and Common may be part of no file's, folder's, class's or namespace's name: a name says what
the thing does.
"""

import argparse
import re
import sys
from pathlib import Path

from repo_files import read_text, repo_files

WARN_LINES, MOST_LINES = 500, 600
CODE_SUFFIXES = {".h", ".cc", ".py", ".sh", ".js", ".mjs", ".ts", ".cmake", ".proto"}
EMPTY_WORDS = r"(?:[Mm]anagers?|[Uu]til(?:s|ity|ities)?|[Hh]elpers?|[Cc]ommon)"
# In snake_case, kebab-case and CamelCase; not as a part of another word (Utilization, uncommon).
IN_FILE = re.compile(rf"(?:^|[_\-./]){EMPTY_WORDS}(?=[_\-./]|$)")
IN_CAMEL = re.compile(r"(?:Manager|Util|Utility|Utilities|Helper|Common)s?(?![a-z])")
DECLARED = re.compile(r"^\s*(?:template\s*<[^;{]*>\s*)?(?:class|struct|enum(?:\s+class)?|concept|namespace|union)\s+"
                      r"(?:\[\[[^\]]*\]\]\s*)?([\w:]+)", re.MULTILINE)


def name_is_empty(name):
    return bool(IN_CAMEL.search(name) or any(IN_FILE.search(part) for part in name.split("::")))


def file_name_is_empty(path):
    return any(IN_FILE.search(part) or IN_CAMEL.search(part) for part in Path(path).parts)


def is_code(path, text):
    return Path(path).suffix in CODE_SUFFIXES or (Path(path).suffix == "" and text.startswith("#!"))


def check_file(path, text):
    """Returns (problems, warnings) of one file."""
    problems, warnings = [], []
    if file_name_is_empty(path):
        problems.append(f"{path}: Manager, Util, Helper and Common say nothing: name the file after what it does")
    if not is_code(path, text):
        return problems, warnings
    for match in DECLARED.finditer(text):
        if name_is_empty(match.group(1)):
            line = text.count("\n", 0, match.start(1)) + 1
            problems.append(f"{path}:{line}: {match.group(1)}: a name says what the thing does")
    lines = len(text.splitlines())
    if lines > MOST_LINES:
        problems.append(f"{path}: {lines} lines, more than {MOST_LINES}: split it")
    elif lines > WARN_LINES:
        warnings.append(f"{path}: {lines} lines, more than {WARN_LINES}")
    return problems, warnings


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", nargs="?", default=str(Path(__file__).resolve().parent.parent))
    root = Path(parser.parse_args(arguments).root)
    problems, warnings = [], []
    for path in repo_files(root):
        text = read_text(root / path)
        found = check_file(path, text if text is not None else "")
        problems += found[0]
        warnings += found[1]
    for warning in warnings:
        print(f"warning: {warning}")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
