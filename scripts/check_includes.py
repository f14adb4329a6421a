"""Checks the include rule of src/: a lower layer never includes a higher one.

    base <- config, telemetry, tenancy <- resilience <- http, drivers <- cache, rate_limit, events <- auth
         <- messaging | media | search | gateway | import <- app

Also: folders of one layer do not include each other in a circle; features never include each other; in a feature only
stores/ includes a driver, and only stores/ (and tests) include stores/; everyone but app names no feature's store.
"""

import argparse
import re
import sys
from pathlib import Path

LAYERS = [
    ["base"],
    ["config", "telemetry", "tenancy"],
    ["resilience"],
    ["http", "drivers"],
    ["cache", "rate_limit", "events"],
    ["auth"],
    ["messaging", "media", "search", "gateway", "import"],
    ["app"],
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
FEATURES = set(LAYERS[6])
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
TEST_FILE = re.compile(r"(_test|_bench|_fuzz)\.(cc|h)$")


def is_test(path):
    return bool(TEST_FILE.search(path)) or "testing" in Path(path).parts[:-1]


def check_include(path, target, quoted):
    """What is wrong with one include; path and target are relative to src/. None when it is right."""
    if target.startswith(".") or "/../" in target:
        return f"includes {target}: write the path from src/"
    folder, into = path.split("/")[0], target.split("/")[0]
    if into not in LEVEL or "/" not in target:
        return f"includes \"{target}\": write the path from src/, and system headers in <>" if quoted else None
    if not quoted:
        return f"includes <{target}>: our own headers stand in quotes"
    if LEVEL[into] > LEVEL[folder]:
        return f"{folder} includes {target}: a lower layer includes a higher one"
    if folder in FEATURES and into in FEATURES and folder != into:
        return f"{folder} includes {target}: features meet through events/ and http/upstream.h only"
    if folder == "app" or is_test(path):
        return None
    in_stores = "stores" in path.split("/")[1:-1]
    if folder in FEATURES and into == "drivers" and not in_stores:
        return f"includes {target}: in a feature only stores/ includes a driver"
    if into in FEATURES and "stores" in target.split("/")[1:-1] and not in_stores:
        return f"includes {target}: only app and stores/ name an adapter"
    return None


def find_circles(edges):
    """Pairs of folders of one layer that include each other, directly or by way of a third."""
    reach = {}
    for start in {a for a, _ in edges}:
        seen, todo = set(), [start]
        while todo:
            here = todo.pop()
            for a, b in edges:
                if a == here and b not in seen and LEVEL[a] == LEVEL[b]:
                    seen.add(b)
                    todo.append(b)
        reach[start] = seen
    return sorted({tuple(sorted((a, b))) for a in reach for b in reach[a] if a != b and a in reach.get(b, ())})


def check_tree(src):
    src = Path(src)
    problems, edges = [], {}
    for file in sorted(list(src.rglob("*.h")) + list(src.rglob("*.cc"))):
        path = file.relative_to(src).as_posix()
        folder = path.split("/")[0]
        if "/" not in path or folder not in LEVEL:
            problems.append(f"src/{path}: not in a known layer; add its folder to scripts/check_includes.py")
            continue
        text = file.read_text("utf-8", "replace")
        for match in INCLUDE.finditer(text):
            target = match.group(2)
            line = text.count("\n", 0, match.start(1)) + 1
            problem = check_include(path, target, match.group(1) == '"')
            if problem:
                problems.append(f"src/{path}:{line}: {problem}")
            into = target.split("/")[0]
            if into in LEVEL and into != folder and LEVEL[into] == LEVEL[folder] and not is_test(path):
                edges.setdefault((folder, into), f"src/{path}:{line}")
    for a, b in find_circles(set(edges)):
        where = [edges[pair] for pair in ((a, b), (b, a)) if pair in edges]
        problems.append(f"{a} and {b} include each other ({', '.join(where)})")
    return problems


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("src", nargs="?", default=str(Path(__file__).resolve().parent.parent / "src"))
    problems = check_tree(parser.parse_args(arguments).src)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
