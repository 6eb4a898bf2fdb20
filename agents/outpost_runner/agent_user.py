"""The unprivileged user that the agent runs as."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path


class AgentUserUnknown(Exception):
    """The image names a user that does not exist in it."""


@dataclass(frozen=True)
class AgentUser:
    user_id: int
    group_id: int

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
            return AgentUser(int(name), int(name))
        raise AgentUserUnknown(f"The user {name!r} that AGENT_USER names does not exist in this image.") from error
    return AgentUser(entry.pw_uid, entry.pw_gid)
