"""What a repository and a branch may be called."""

import re
from urllib.parse import urlsplit

# Source: git's own git-check-ref-format(1).
_BRANCH_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|\.lock(/|$)|(^|/)\.|\.$|^/|/$|^-|^@$")
_OWNER_AND_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}/[A-Za-z0-9_.][A-Za-z0-9_.-]{0,99}")
_HTTPS_URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[A-Za-z0-9_./~+%-]+")
_DEFAULT_PORTS = {"https": 443, "http": 80}
BRANCH_CHARACTERS = 255
URL_CHARACTERS = 500


def is_branch(text: str) -> bool:
    """Whether git takes the text for a branch's name."""
    return 0 < len(text) <= BRANCH_CHARACTERS and _BRANCH_FORBIDDEN.search(text) is None


def is_repo(text: str) -> bool:
    """Whether the text is owner/name or an https URL without credentials, query or `..`."""
    if ".." in text or len(text) > URL_CHARACTERS:
        return False
    return bool(_OWNER_AND_NAME.fullmatch(text) or _HTTPS_URL.fullmatch(text)) and not text.endswith("/.")


def clone_url(repo: str, base_url: str) -> str:
    """Where a repo of a dispatch is cloned from."""
    return repo if repo.startswith("https://") else f"{base_url}/{repo.removesuffix('.git')}.git"


def is_on_host(repo: str, git_base_url: str) -> bool:
    """Whether the repository lies where `owner/name` does, however its URL is written: no other host sees a token."""
    return _server(clone_url(repo, git_base_url)) == _server(git_base_url)


def _server(url: str) -> tuple[str, str | None, int | None] | None:
    """Scheme, host in lower case and port; None for a port that is none."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        return None
    return parts.scheme, parts.hostname, _DEFAULT_PORTS.get(parts.scheme) if port is None else port


def repository_name(repo: str, base_url: str) -> str:
    """The repository's path on its host, without `.git`: owner/name, as a rule."""
    return (
        urlsplit(clone_url(repo, base_url)).path.removeprefix(urlsplit(base_url).path).strip("/").removesuffix(".git")
    )
