"""The address at which a person sees a branch against its base, and opens the pull request by hand."""

from urllib.parse import quote

# As much as the broker takes.
MAX_CHARACTERS = 1000


def make_compare_url(repository_url: str, base_branch: str, branch: str) -> str | None:
    """The address; None where long names make it longer than anybody takes."""
    repository = repository_url.rstrip("/").removesuffix(".git")
    url = f"{repository}/compare/{quote(base_branch)}...{quote(branch)}"
    return url if len(url) <= MAX_CHARACTERS else None
