"""Which service to talk to, and with which key: from options, a named profile, the environment, the default profile."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from outpost_cli.errors import UsageRefused
from outpost_cli.profiles import Profile, ProfileFile
from outpost_cli.transport import is_loopback

URL_VARIABLE = "OUTPOST_URL"
API_KEY_VARIABLE = "OUTPOST_API_KEY"
PROFILE_VARIABLE = "OUTPOST_PROFILE"
DEFAULT_PROFILE = "default"
HOW_TO_CONNECT = (
    f"Set {URL_VARIABLE} and {API_KEY_VARIABLE}, or save a profile: outpost profile save {DEFAULT_PROFILE} --url URL"
)


@dataclass(frozen=True, slots=True)
class Connection:
    """A service's URL without a slash at its end, and the key for it."""

    url: str
    api_key: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ConnectionChoice:
    """What the command line said about the connection; None where it said nothing."""

    url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    profile: str | None = None

    def resolve(self, environment: Mapping[str, str] = os.environ) -> Connection:
        """The connection to use. Raises UsageRefused when there is no URL, or a profile's key would go to another."""
        profile = self._choose_profile(environment)
        ranked_urls = [self.url, None if self.profile else environment.get(URL_VARIABLE), profile and profile.url]
        url = next((check_url(candidate) for candidate in ranked_urls if candidate), None)
        if url is None:
            raise UsageRefused("No service is chosen.", remedy=HOW_TO_CONNECT)
        if self.api_key:
            return Connection(url=url, api_key=self.api_key)
        if not self.profile and environment.get(API_KEY_VARIABLE):
            return Connection(url=url, api_key=environment[API_KEY_VARIABLE])
        return Connection(url=url, api_key=self._take_key(profile, url))

    def _choose_profile(self, environment: Mapping[str, str]) -> Profile | None:
        name = self.profile or environment.get(PROFILE_VARIABLE)
        if name is None and (self.url or environment.get(URL_VARIABLE)):
            return None
        saved = ProfileFile.locate(environment).read()
        if name is None:
            return saved.get(DEFAULT_PROFILE)
        if name not in saved:
            known = ", ".join(sorted(saved)) or "none"
            raise UsageRefused(
                f"There is no profile {name!r} (saved: {known}).", remedy=f"outpost profile save {name} --url URL"
            )
        return saved[name]

    @staticmethod
    def _take_key(profile: Profile | None, url: str) -> str | None:
        if profile is None or profile.url == url:
            return profile.api_key if profile else None
        raise UsageRefused(
            f"The profile's key belongs to {profile.url} and is not sent to {url}.",
            remedy=f"Give the key for {url} in {API_KEY_VARIABLE}, or leave out the URL.",
        )


def check_url(url: str) -> str:
    """The URL without a slash at its end. Plain http would show the key to the network, so it is for loopback only."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise UsageRefused(f"{url!r} is not a URL: {error}.", remedy="Give it as https://host/stage.") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise UsageRefused(f"{url!r} is not an https URL.", remedy="Give it as https://host/stage.")
    if parsed.scheme == "http" and not is_loopback(url):
        raise UsageRefused(f"{url!r} would send the key unencrypted.", remedy="Use https; http is for loopback only.")
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise UsageRefused(
            "A service's URL has no user, query or fragment.", remedy="Give it as https://host/stage, nothing more."
        )
    return str(parsed).rstrip("/")
