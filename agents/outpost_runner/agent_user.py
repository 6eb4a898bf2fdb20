"""The unprivileged user that the agent runs as."""

import os
import pwd
import resource
from dataclasses import dataclass
from pathlib import Path

# More than builds and browsers need, and few enough to leave the runner processes to work with.
MAX_PROCESSES = 4096
FIRST_PROCESS = 1


class AgentUserUnknown(Exception):
    """The image names a user that does not exist in it."""


@dataclass(frozen=True)
class AgentUser:
    """One that `is_alone` is nobody's but the agent's, as far as this process can see."""

    user_id: int
    group_id: int
    is_alone: bool

    def own(self, path: Path) -> None:
        os.chown(path, self.user_id, self.group_id)


def find_agent_user(name: str | None) -> AgentUser | None:
    """The user by name or number; None when none is named, or when this process may not change users."""
    if name is None or os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwuid(int(name)) if name.isdecimal() else pwd.getpwnam(name)
    except KeyError as error:
        if name.isdecimal():
            return _make_user(int(name), int(name))
        raise AgentUserUnknown(f"The user {name!r} that AGENT_USER names does not exist in this image.") from error
    return _make_user(entry.pw_uid, entry.pw_gid)


def limit_processes() -> None:
    """Of the agent's user; root, as which this process runs, is not held to it. Children inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    limit = MAX_PROCESSES if hard == resource.RLIM_INFINITY else min(MAX_PROCESSES, hard)
    resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit))


def _make_user(user_id: int, group_id: int) -> AgentUser:
    """In a container this process is the first one or the first one's child; elsewhere others may be this user too."""
    is_first = FIRST_PROCESS in {os.getpid(), os.getppid()}
    return AgentUser(user_id, group_id, is_alone=is_first and user_id != os.geteuid())
