"""Whether the kernel has ended processes of this container because its memory was used up.

The counters: https://docs.kernel.org/admin-guide/cgroup-v2.html (memory.events)
and https://docs.kernel.org/admin-guide/cgroup-v1/memory.html (memory.oom_control)
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
COUNTER = "oom_kill"


def count_kills(membership: Path = MEMBERSHIP, cgroups: Path = CGROUPS) -> int:
    """How many there have been; none where the kernel does not tell."""
    with suppress(OSError, ValueError):
        for file in _find_counters(membership.read_text(), cgroups):
            if file.is_file():
                return _read_counter(file.read_text())
    return 0


def _find_counters(membership: str, cgroups: Path) -> Iterator[Path]:
    """Where the count may stand: a container may see its own group as the root or by the name that its host gave it."""
    for line in membership.splitlines():
        _, controllers, group = line.split(":", 2)
        if controllers == "memory":
            folder, name = cgroups / "memory", "memory.oom_control"
        elif not controllers:
            folder, name = cgroups, "memory.events"
        else:
            continue
        yield from (folder / group.lstrip("/") / name, folder / name)


def _read_counter(text: str) -> int:
    pairs = (line.partition(" ") for line in text.splitlines())
    return next((int(count) for name, _, count in pairs if name == COUNTER), 0)
