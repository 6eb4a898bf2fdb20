"""What an API key looks like."""

import re

from outpost_cli.errors import UsageRefused

API_KEY = re.compile(r"[\x21-\x7e]{1,4096}")


def check_api_key(api_key: str) -> str:
    """The key. Raises UsageRefused, without its text, for what no header could carry."""
    if not API_KEY.fullmatch(api_key):
        raise UsageRefused(
            "That is not an API key: a key is one line of printable ASCII without spaces.",
            remedy="Give the key as it was shown.",
        )
    return api_key
