"""Sums the JUnit files that ctest and pytest left in a folder, and prints `N passed, N failed` (and skipped).

Each GoogleTest case is a ctest case, so both kinds count cases. Exit code 1 on any failure.
"""

import argparse
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Sum:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list = field(default_factory=list)


def outcome(case):
    """passed, failed or skipped: one <testcase> of ctest or pytest."""
    status = case.get("status", "run")  # ctest's own attribute
    if case.find("failure") is not None or case.find("error") is not None or status == "fail":
        return "failed"
    if case.find("skipped") is not None or status in ("notrun", "disabled"):
        return "skipped"
    return "passed"


def sum_folder(folder):
    total = Sum()
    for path in sorted(Path(folder).glob("*.xml")):
        for case in ET.parse(path).getroot().iter("testcase"):
            result = outcome(case)
            setattr(total, result, getattr(total, result) + 1)
            if result == "failed":
                total.failures.append(f"{path.stem}: {case.get('name', '?')}")
    return total


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--failed-steps", type=int, default=0,
                        help="steps that failed; where no case did (a build broke), they are counted instead")
    options = parser.parse_args(arguments)
    total = sum_folder(options.folder)
    for name in total.failures:
        print(f"failed: {name}")
    failed = total.failed or options.failed_steps
    skipped = f", {total.skipped} skipped" if total.skipped else ""
    print(f"{total.passed} passed, {failed} failed{skipped}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
