"""Which files the checks look at: what git tracks or would track; without git, all but build output."""

import os
import subprocess
from pathlib import Path

SKIPPED_FOLDERS = {".git", "build", "data", "dist", "node_modules", "__pycache__", ".pytest_cache", ".cache", ".venv"}


def repo_files(root):
    """Paths relative to root, sorted; only files that exist."""
    root = Path(root)
    listed = _ask_git(root)
    if listed is None:
        listed = _walk(root)
    return sorted(path for path in listed if (root / path).is_file())


def _ask_git(root):
    if not (root / ".git").exists():
        return None
    try:
        # The folder may belong to another user, as in a container: reading its list is safe.
        answer = subprocess.run(
            ["git", "-c", f"safe.directory={root.resolve()}", "-C", str(root), "ls-files", "-z", "--cached", "--others",
             "--exclude-standard"],
            capture_output=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    return {name for name in answer.stdout.decode("utf-8", "surrogateescape").split("\0") if name}


def _walk(root):
    found = set()
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS]
        for name in files:
            found.add(str((Path(folder) / name).relative_to(root)))
    return found


def read_text(path):
    """The file as text, or None where it is binary or cannot be read."""
    try:
        raw = Path(path).read_bytes()
    except OSError:
        return None
    return None if b"\0" in raw[:8192] else raw.decode("utf-8", "replace")
