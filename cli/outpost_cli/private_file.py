"""Files in the user's configuration folder that hold secrets: readable by their owner only, and replaced whole."""

import contextlib
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from outpost_cli.errors import UsageRefused

OWNER_ONLY = 0o600


def locate_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Outpost's folder below the user's configuration."""
    configured = environment.get("XDG_CONFIG_HOME", "")
    # The XDG specification says to ignore a relative path.
    base = Path(configured) if configured.startswith("/") else Path.home() / ".config"
    return base / "outpost"


@dataclass(frozen=True, slots=True)
class PrivateFile:
    """One such file; `noun` is what messages call it."""

    path: Path
    noun: str

    def read(self) -> bytes | None:
        """What the file holds; None when there is none. Raises UsageRefused for a file that others may read."""
        try:
            with self.path.open("rb") as file:
                self._refuse_wide_permissions(os.fstat(file.fileno()).st_mode)
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UsageRefused(
                f"The {self.noun} {self.path} cannot be read: {error.strerror}.",
                remedy="Make it readable for you and nobody else.",
            ) from error

    def write(self, text: str) -> None:
        """Replaces the file whole, so that a crash leaves the old one."""
        draft = self.path.with_name(f".{self.path.name}.{secrets.token_hex(8)}")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "w") as file:
                file.write(text)
            draft.replace(self.path)
        except OSError as error:
            raise UsageRefused(
                f"The {self.noun} {self.path} cannot be written: {error.strerror}.",
                remedy="Make its folder yours, or name another with XDG_CONFIG_HOME.",
            ) from error
        finally:
            with contextlib.suppress(OSError):
                draft.unlink()

    def remove(self) -> None:
        """Takes the file away if it is there."""
        with contextlib.suppress(OSError):
            self.path.unlink()

    def _refuse_wide_permissions(self, mode: int) -> None:
        # Windows has no such permission bits: Python shows every file there as readable by all.
        if os.name == "posix" and mode & 0o077:
            raise UsageRefused(
                f"The {self.noun} {self.path} holds keys and has mode {stat.S_IMODE(mode):04o}: others may read it.",
                remedy=f"chmod 600 {self.path}",
            )
