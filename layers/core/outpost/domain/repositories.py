"""Rules for repositories: patterns that say which may be worked on, whichever way a repository is written."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

_PATTERN = re.compile(r"(https://)?[A-Za-z0-9._~*?:/-]{1,200}")
_WAYS_AROUND = re.compile(r"%|//|/\.|\./|[/.]$")
_PORT_OF_HTTPS = re.compile(r"^([^/:]*):0*443(?=/|$)")
# git takes :08443 for :8443.
_ZEROS_OF_PORT = re.compile(r"^([^/:]*:)0+(?=[0-9])")


def is_repository_pattern(text: str) -> bool:
    """Whether the text is owner/name, host/path or an https URL, in which `*` and `?` stand for anything."""
    return _PATTERN.fullmatch(text) is not None


def may_use(repo: str | None, *, allowed: Sequence[str] | None, denied: Sequence[str] = (), git_base_url: str) -> bool:
    """Whether the rules admit the repository; no repository is always admitted, and what is denied is never.

    owner/name and its URL on the deployment's own git host are the same repository. A URL that could be another
    spelling of a denied one is refused wherever there is a rule.
    """
    if repo is None or (allowed is None and not denied):
        return True
    home = _host_and_path(git_base_url)
    name = _canonical(repo, home)
    if name is None or any(fnmatchcase(name, text) for pattern in denied for text in _denied(pattern, home)):
        return False
    return allowed is None or any(fnmatchcase(name, _allowed(pattern, home)) for pattern in allowed)


def _canonical(repo: str, home: str) -> str | None:
    """host/path in lower case without `.git`, as git hosts compare them; None for a URL that hides its path."""
    name = _host_and_path(repo) if repo.startswith("https://") else f"{home}/{repo.lower()}"
    while name.endswith(".git"):
        name = name.removesuffix(".git")
    return None if _WAYS_AROUND.search(name) else name


def _allowed(pattern: str, home: str) -> str:
    """The pattern as host/path: without a host it means the deployment's own, and only a lone `*` means every host.

    Names are compared without `.git`: a pattern that is nothing without it allows nothing.
    """
    text = _host_and_path(pattern)
    text = text if text.endswith(("*.git", "/.git")) else text.removesuffix(".git")
    is_whole = text == "*" or pattern.startswith("https://") or _begins_with_host(text)
    return text if is_whole else f"{home}/{text}"


def _denied(pattern: str, home: str) -> tuple[str, ...]:
    """Every reading of the pattern: what begins as a host does may also be an owner with a dot in its name."""
    text = _host_and_path(pattern).removesuffix(".git")
    if text == "*" or pattern.startswith("https://"):
        return (text,)
    return (text, f"{home}/{text}") if _begins_with_host(text) else (f"{home}/{text}",)


def _begins_with_host(text: str) -> bool:
    first, slash, _ = text.partition("/")
    return bool(slash) and ("." in first or ":" in first)


def _host_and_path(url: str) -> str:
    """Without the scheme and its own port, and with any other port as a plain number."""
    text = url.lower().removeprefix("https://").removeprefix("http://")
    return _ZEROS_OF_PORT.sub(r"\1", _PORT_OF_HTTPS.sub(r"\1", text))
