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
HOW_TO_CONNECT = f"Set {URL_VARIABLE} and {API_KEY_VARIABLE}, or log in: outpost login --url URL"


@dataclass(frozen=True, slots=True)
class Connection:
    """A service's URL without a slash at its end, the key for it, and the name of the profile that the key is from."""

    url: str
    api_key: str | None = field(repr=False)
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectionChoice:
    """What the command line said about the connection; None where it said nothing."""

    url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    profile: str | None = None

    def resolve(self, environment: Mapping[str, str] = os.environ, *, needs_key: bool = True) -> Connection:
        """The connection to use; an empty variable is as none.

        Raises UsageRefused when there is no URL or no key that is needed, or a profile's key would go to another URL.
        """
        given = {} if self.profile else environment
        url = self.url or given.get(URL_VARIABLE)
        api_key = self.api_key or given.get(API_KEY_VARIABLE)
        key_profile = None
        if not url or (needs_key and not api_key):
            name, profile = self._choose_profile(environment, may_be_default=not url)
            url = url or (profile.url if profile else None)
            if profile and url and not api_key:
                api_key, key_profile = take_key(profile, url), name
        if not url:
            raise UsageRefused("No service is chosen.", remedy=HOW_TO_CONNECT)
        if needs_key and not api_key:
            raise UsageRefused(f"There is no API key for {check_url(url)}.", remedy=HOW_TO_CONNECT)
        return Connection(url=check_url(url), api_key=api_key or None, profile=key_profile)

    def _choose_profile(self, environment: Mapping[str, str], *, may_be_default: bool) -> tuple[str, Profile | None]:
        name = self.profile or environment.get(PROFILE_VARIABLE)
        if not name and not may_be_default:
            return DEFAULT_PROFILE, None
        file = ProfileFile.locate(environment)
        return (name, file.find(name)) if name else (DEFAULT_PROFILE, file.read().get(DEFAULT_PROFILE))


def take_key(profile: Profile, url: str) -> str:
    """The profile's key for its own URL. Raises UsageRefused for another."""
    if check_url(profile.url) == check_url(url):
        return profile.api_key
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
