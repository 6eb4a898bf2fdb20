"""The profile file: named pairs of URL and key, readable by its owner only."""

import contextlib
import json
import os
import re
import secrets
import stat
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from outpost_cli.api_keys import check_api_key
from outpost_cli.errors import UsageRefused

PROFILE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
OWNER_ONLY = 0o600


@dataclass(frozen=True, slots=True)
class Profile:
    """One saved service."""

    url: str
    api_key: str = field(repr=False)


Judgement = Callable[[Profile], bool]


def never(_: Profile) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class ProfileFile:
    """The TOML file at `path`: a table `profiles.NAME` with `url` and `api_key` for each profile."""

    path: Path

    @classmethod
    def locate(cls, environment: Mapping[str, str] = os.environ) -> "ProfileFile":
        configured = environment.get("XDG_CONFIG_HOME", "")
        # The XDG specification says to ignore a relative path.
        base = Path(configured) if configured.startswith("/") else Path.home() / ".config"
        return cls(path=base / "outpost" / "profiles.toml")

    def read(self) -> dict[str, Profile]:
        """All profiles by name; none when there is no file. Refuses a file that others may read."""
        try:
            with self.path.open("rb") as file:
                self._refuse_wide_permissions(os.fstat(file.fileno()).st_mode)
                document = tomllib.load(file)
        except FileNotFoundError:
            return {}
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise self._refuse_content(str(error)) from error
        except OSError as error:
            raise UsageRefused(
                f"The profile file {self.path} cannot be read: {error.strerror}.",
                remedy="Make it readable for you and nobody else.",
            ) from error
        tables = document.get("profiles", {})
        if not isinstance(tables, dict):
            raise self._refuse_content("`profiles` is not a table")
        return {name: self._read_profile(name, table) for name, table in tables.items()}

    def check_name(self, name: str, *, may_replace: Judgement = never) -> None:
        """Raises UsageRefused when the name is none, or taken by a profile that may not be replaced."""
        if not PROFILE_NAME.fullmatch(name):
            raise UsageRefused(
                f"{name!r} is not a profile name.", remedy="Use 1 to 64 letters, digits, dots, dashes and underscores."
            )
        taken_by = self.read().get(name)
        if taken_by is not None and not may_replace(taken_by):
            raise UsageRefused(
                f"There is a profile {name} already, for {taken_by.url}.", remedy="Choose another name, or add --force."
            )

    def save(self, name: str, profile: Profile, *, may_replace: Judgement = never) -> None:
        """Adds a profile. Raises UsageRefused as `check_name`, and for what is no key."""
        self.check_name(name, may_replace=may_replace)
        check_api_key(profile.api_key)
        self._write({**self.read(), name: profile})

    def find(self, name: str) -> Profile:
        """Raises UsageRefused when there is no such profile."""
        saved = self.read()
        if name not in saved:
            known = ", ".join(sorted(saved)) or "none"
            raise UsageRefused(
                f"There is no profile {name!r} (saved: {known}).", remedy=f"outpost profile save {name} --url URL"
            )
        return saved[name]

    def remove(self, name: str) -> None:
        """Raises UsageRefused when there is no such profile."""
        self.find(name)
        self._write({other: profile for other, profile in self.read().items() if other != name})

    def _write(self, profiles: Mapping[str, Profile]) -> None:
        """Replaces the file whole, so that a crash leaves the old one."""
        draft = self.path.with_name(f".{self.path.name}.{secrets.token_hex(8)}")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "w") as file:
                file.write(render_profiles(profiles))
            draft.replace(self.path)
        except OSError as error:
            raise UsageRefused(
                f"The profile file {self.path} cannot be written: {error.strerror}.",
                remedy="Make its folder yours, or name another with XDG_CONFIG_HOME.",
            ) from error
        finally:
            with contextlib.suppress(OSError):
                draft.unlink()

    def _read_profile(self, name: str, table: object) -> Profile:
        url, api_key = (table.get("url"), table.get("api_key")) if isinstance(table, dict) else (None, None)
        if not isinstance(url, str) or not isinstance(api_key, str):
            raise self._refuse_content(f"the profile {name} needs the texts url and api_key")
        return Profile(url=url.rstrip("/"), api_key=api_key)

    def _refuse_wide_permissions(self, mode: int) -> None:
        # Windows has no such permission bits: Python shows every file there as readable by all.
        if os.name == "posix" and mode & 0o077:
            raise UsageRefused(
                f"The profile file {self.path} holds keys and has mode {stat.S_IMODE(mode):04o}: others may read it.",
                remedy=f"chmod 600 {self.path}",
            )

    def _refuse_content(self, reason: str) -> UsageRefused:
        return UsageRefused(
            f"The profile file {self.path} is not valid: {reason}.",
            remedy="Mend it, or move it away and save the profiles anew with `outpost profile save`.",
        )


def render_profiles(profiles: Mapping[str, Profile]) -> str:
    """The profiles as TOML: the escapes of a JSON string are those of a basic TOML string."""
    tables = [
        f"[profiles.{json.dumps(name)}]\nurl = {json.dumps(profile.url)}\napi_key = {json.dumps(profile.api_key)}\n"
        for name, profile in sorted(profiles.items())
    ]
    return "\n".join(tables)
