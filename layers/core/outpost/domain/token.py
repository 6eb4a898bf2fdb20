"""Signed texts: runner tokens, access tokens and cursors, each bound to one purpose and unusable for another.

A token is `base64url(JSON claims).base64url(HMAC-SHA256)`; the key of the HMAC is derived from the signing key and the
purpose (RFC 2104, and the extract step of RFC 5869), and the same claims always give the same token.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from outpost.domain.errors import OutpostError

ACCESS_TOKEN_PREFIX = "ott_"  # noqa: S105 what every access token begins with


class Purpose(StrEnum):
    """What a signed text is for."""

    RUNNER_BOOTSTRAP = "runner-bootstrap"
    RUNNER_SESSION = "runner-session"
    PROMOTION_BOOTSTRAP = "promotion-bootstrap"
    PROMOTION_SESSION = "promotion-session"
    CURSOR = "cursor"
    ACCESS = "access"


class TokenInvalid(OutpostError):
    """Not made by this deployment for this purpose, or past its time."""


def sign(signing_key: bytes, purpose: Purpose, claims: Mapping[str, str | int]) -> str:
    """The claims as a signed text; `exp` (seconds since 1970), if given, ends its validity."""
    payload = json.dumps(dict(claims), separators=(",", ":"), sort_keys=True).encode()
    return f"{_encode(payload)}.{_encode(_mac(signing_key, purpose, payload))}"


def verify(signing_key: bytes, purpose: Purpose, token: str, now: datetime) -> dict[str, str | int]:
    """The claims of a text that was signed for this purpose and has not expired; TokenInvalid otherwise."""
    try:
        encoded_payload, encoded_mac = token.split(".")
        payload, mac = _decode(encoded_payload), _decode(encoded_mac)
    except (ValueError, binascii.Error) as error:
        raise TokenInvalid("not a token") from error
    if not hmac.compare_digest(mac, _mac(signing_key, purpose, payload)):
        raise TokenInvalid("the signature does not match")
    claims: dict[str, str | int] = json.loads(payload)
    if "exp" in claims and int(claims["exp"]) <= now.timestamp():
        raise TokenInvalid("expired")
    return claims


def _mac(signing_key: bytes, purpose: Purpose, payload: bytes) -> bytes:
    derived = hmac.digest(signing_key, f"outpost/{purpose}".encode(), hashlib.sha256)
    return hmac.digest(derived, payload, hashlib.sha256)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
