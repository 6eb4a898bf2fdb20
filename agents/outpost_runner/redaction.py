"""Keeps the secrets that the runner knows out of everything that it shows."""

import base64
import re
from urllib.parse import quote

REPLACEMENT = "[redacted]"
SHORTEST_SECRET = 4


class Redactor:
    """Replaces each hidden text, also where it is percent-encoded or in Base64."""

    def __init__(self) -> None:
        self._hidden: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.longest = 0

    def hide(self, *secrets: str) -> None:
        """Hide these texts from now on; one of under four characters would only deface ordinary words."""
        for secret in secrets:
            if len(secret) >= SHORTEST_SECRET:
                encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
                self._hidden |= {secret, quote(secret, safe=""), encoded}
        longest_first = sorted(self._hidden, key=len, reverse=True)
        self.longest = len(longest_first[0]) if longest_first else 0
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def redact(self, text: str) -> str:
        return text if self._pattern is None else self._pattern.sub(REPLACEMENT, text)
