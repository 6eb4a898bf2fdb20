"""Cursors: opaque, authenticated, bound to a tenant and to what is listed."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from outpost.domain.errors import CursorInvalid
from outpost.domain.token import Purpose, TokenInvalid, sign, verify


def make_cursor(signing_key: bytes, tenant_id: str, listed: Mapping[str, object], position: str) -> str:
    """A cursor that goes on from the position, for this tenant and this list only."""
    return sign(signing_key, Purpose.CURSOR, {"of": _digest(tenant_id, listed), "at": position})


def read_cursor(signing_key: bytes, tenant_id: str, listed: Mapping[str, object], cursor: str, now: datetime) -> str:
    """The position that the cursor carries. Raises CursorInvalid."""
    try:
        claims = verify(signing_key, Purpose.CURSOR, cursor, now)
    except TokenInvalid as error:
        raise CursorInvalid from error
    if claims.get("of") != _digest(tenant_id, listed):
        raise CursorInvalid
    return str(claims["at"])


def _digest(tenant_id: str, listed: Mapping[str, object]) -> str:
    described = json.dumps([tenant_id, dict(listed)], sort_keys=True, default=str)
    return hashlib.sha256(described.encode()).hexdigest()[:32]
