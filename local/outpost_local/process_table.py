"""Finds processes by their parents."""

import subprocess
from pathlib import Path


def find_first_descendant(process_id: int, depth: int) -> int | None:
    """The child's child's ... child, `depth` levels down, oldest child at each level."""
    found: int | None = process_id
    for _ in range(depth):
        children = [] if found is None else list_children(found)
        found = children[0] if children else None
    return found


def list_children(process_id: int) -> list[int]:
    """Oldest first."""
    if not Path("/proc/self/stat").exists():
        return _list_children_by_ps(process_id)
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                # The command's name is in parentheses and may contain anything; what follows it is plain.
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[1]) == process_id:
                found.append((int(fields[19]), int(entry.name)))
    return [child for _, child in sorted(found)]


def _list_children_by_ps(process_id: int) -> list[int]:
    table = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [line.split() for line in table.splitlines()]
    return sorted(int(child) for child, parent in pairs if int(parent) == process_id)
