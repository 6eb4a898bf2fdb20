"""The address at which a person sees a branch against its base, and opens the pull request by hand."""

from urllib.parse import quote


def make_compare_url(repository_url: str, base_branch: str, branch: str) -> str:
    repository = repository_url.rstrip("/").removesuffix(".git")
    return f"{repository}/compare/{quote(base_branch)}...{quote(branch)}"
