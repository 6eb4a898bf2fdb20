"""Finds secrets that nobody told the runner of by their shape: well-known tokens, keys and assignments."""

import re

from outpost_runner.redaction import REPLACEMENT

TOKEN = "|".join(
    (
        r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AIPA|ANPA|ANVA|AROA)[A-Z0-9]{16}",  # AWS key ids
        r"gh[oprsu]_[A-Za-z0-9]{16,}",
        r"github_pat_[A-Za-z0-9_]{16,}",
        r"gl(?:pat|dt|rt|cbt|ptt|soat)-[A-Za-z0-9_-]{16,}",
        r"sk-[A-Za-z0-9_-]{16,}",  # OpenAI, Anthropic, DeepSeek
        r"xai-[A-Za-z0-9_-]{16,}",
        r"AIza[A-Za-z0-9_-]{30,}",
        r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",
        r"xox[a-z]-[A-Za-z0-9-]{10,}",
        r"npm_[A-Za-z0-9]{30,}",
        r"pypi-[A-Za-z0-9_-]{30,}",
        r"hf_[A-Za-z0-9]{30,}",
        r"otp_[0-9a-f]{16,}",
        r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",  # JSON web tokens
    )
)
GUARDED_NAME = (
    "pass(?:word|wd|phrase)|pwd|secret|token|credential|(?:api|access|account|auth|private|encryption|signing)[_-]?key"
)
# Every part is bounded or begins at a fixed word, so that no text makes the search slow.
PATTERNS = (
    # A private key without its end hides all that follows.
    (r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----.*?(?:-----END [A-Z0-9 ]{0,60}-----|\Z)", re.DOTALL),
    (rf"(?<![A-Za-z0-9_-])(?:{TOKEN})", re.NOFLAG),
    (r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)", re.NOFLAG),
    (r"\b((?:bearer|basic)[ \t]{1,8})[A-Za-z0-9._~+/=-]{16,}", re.IGNORECASE),
    (rf"((?:{GUARDED_NAME})[A-Za-z0-9_-]{{0,40}}+[\"']?[ \t]{{0,8}}(?::=|=>|[:=])[ \t]{{0,8}})"
     r"(?:\"[^\"\n]+\"|'[^'\n]+'|[^\s\"',;]{4,})", re.IGNORECASE),
)  # fmt: skip
COMPILED = tuple(re.compile(pattern, flags) for pattern, flags in PATTERNS)


def scrub_secret_shapes(text: str) -> str:
    """Hide what looks like a secret; the name that it is given stays, and so does an address around a password."""
    for pattern in COMPILED:
        text = pattern.sub(_hide, text)
    return text


def _hide(found: re.Match[str]) -> str:
    """What the pattern takes in a group is shown: it says what was hidden."""
    return (found[1] if found.re.groups else "") + REPLACEMENT
