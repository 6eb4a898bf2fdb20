"""The profile file: named pairs of URL and key, readable by its owner only."""

import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from outpost_cli.api_keys import check_api_key
from outpost_cli.errors import UsageRefused
from outpost_cli.private_file import PrivateFile, locate_folder

PROFILE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


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
        return cls(path=locate_folder(environment) / "profiles.toml")

    def read(self) -> dict[str, Profile]:
        """All profiles by name; none when there is no file. Refuses a file that others may read."""
        content = self._file.read() or b""
        try:
            document = tomllib.loads(content.decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise self._refuse_content(str(error)) from error
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
        self._file.write(render_profiles({**self.read(), name: profile}))

    def find(self, name: str) -> Profile:
        """Raises UsageRefused when there is no such profile."""
        saved = self.read()
        if name not in saved:
            known = ", ".join(sorted(saved)) or "none"
            raise UsageRefused(
                f"There is no profile {name!r} (saved: {known}).", remedy=f"outpost login --profile {name} --url URL"
            )
        return saved[name]

    def remove(self, name: str) -> None:
        """Raises UsageRefused when there is no such profile."""
        self.find(name)
        left = {other: profile for other, profile in self.read().items() if other != name}
        self._file.write(render_profiles(left))

    @property
    def _file(self) -> PrivateFile:
        return PrivateFile(path=self.path, noun="profile file")

    def _read_profile(self, name: str, table: object) -> Profile:
        url, api_key = (table.get("url"), table.get("api_key")) if isinstance(table, dict) else (None, None)
        if not isinstance(url, str) or not isinstance(api_key, str):
            raise self._refuse_content(f"the profile {name} needs the texts url and api_key")
        return Profile(url=url.rstrip("/"), api_key=api_key)

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
