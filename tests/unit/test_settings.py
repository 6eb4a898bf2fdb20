"""What follows from the operator's settings."""

import pytest
from deployment import make_settings


@pytest.mark.parametrize(
    ("git_base_url", "git_api_url", "found"),
    [
        ("https://github.com", "", "https://api.github.com"),
        ("https://github.example.com", "", ""),
        ("https://github.example.com", "https://github.example.com/api/v3", "https://github.example.com/api/v3"),
        ("https://gitlab.example.com", "", ""),
        ("http://github.com", "", ""),
    ],
)
def test_a_token_is_shown_to_no_api_but_that_of_its_own_host(git_base_url, git_api_url, found):
    assert make_settings(git_base_url=git_base_url, git_api_url=git_api_url).github_api_url == found
