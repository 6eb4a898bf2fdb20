"""Tokens of the operator's GitHub App, each of which may push to one repository for an hour.

Source: GitHub, "Authenticating as a GitHub App installation", and the REST API of apps.
"""

import base64
import json
import logging
from datetime import datetime, timedelta
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, Protocol
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from outpost.domain.errors import Unavailable
from outpost.domain.git import clone_url
from outpost.ports import Clock
from outpost.settings import Settings

TIMEOUT_SECONDS = 5
# GitHub takes ten minutes at most, and looks at its own clock.
JWT_LIFE = timedelta(minutes=5)
CLOCK_SKEW = timedelta(seconds=60)
PERMISSIONS = {"contents": "write", "pull_requests": "write"}
REDIRECTS = range(300, 400)
REFUSALS = {HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY}

logger = logging.getLogger(__name__)


class AppSecrets(Protocol):
    """Where the app's id and key are kept."""

    def platform_github_app(self) -> tuple[str, str] | None:
        """The app's id and its private key; None where there is no app. Raises Unavailable."""
        ...


class _RefuseRedirects(HTTPRedirectHandler):
    """A redirect is an answer: the app's own word of who it is goes to the API alone."""

    def redirect_request(self, *_: object) -> None:
        return None


class GitHubAppTokens:
    """The app of `outpost/github-app`."""

    def __init__(self, secrets: AppSecrets, settings: Settings, clock: Clock) -> None:
        self._secrets = secrets
        self._api_url = settings.github_api_url
        self._git_base_url = settings.git_base_url
        self._clock = clock
        self._opener = build_opener(_RefuseRedirects)

    def token_for(self, repo: str) -> str | None:
        app = self._secrets.platform_github_app() if self._api_url else None
        if app is None:
            return None
        name = urlsplit(clone_url(repo, self._git_base_url)).path.strip("/").removesuffix(".git")
        jwt = make_jwt(*app, self._clock.now())
        found = self._call("GET", f"/repos/{name}/installation", jwt)
        if found is None:
            return None
        if not isinstance(found.get("id"), int):
            raise Unavailable("GitHub answered without an installation")
        if not _is_of_owner(found, name.partition("/")[0]):
            return None
        wish = {"repositories": [name.rpartition("/")[2]], "permissions": PERMISSIONS}
        made = self._call("POST", f"/app/installations/{found['id']}/access_tokens", jwt, wish)
        token = None if made is None else made.get("token")
        if made is not None and not (token and isinstance(token, str)):
            raise Unavailable("GitHub answered without a token")
        return token

    def _call(self, method: str, path: str, jwt: str, body: object = None) -> dict[str, Any] | None:
        """What GitHub answers, None where the app is not installed or may not do it. Raises Unavailable."""
        headers = {
            "Authorization": f"Bearer {jwt}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "outpost",
        }
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._api_url + path, data=data, headers=headers, method=method)  # noqa: S310 the operator's address
        try:
            return self._send(request)
        except (OSError, HTTPException, ValueError) as error:
            raise Unavailable(f"GitHub: {type(error).__name__}") from error

    def _send(self, request: Request) -> dict[str, Any] | None:
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                read = json.load(answer)
        except HTTPError as error:
            # It holds the connection, as an answer would.
            with error:
                is_refusal = (error.code in REFUSALS or error.code in REDIRECTS) and not _is_rate_limit(error)
            if not is_refusal:
                raise Unavailable(f"GitHub answered {error.code}") from error
            logger.warning("the GitHub App was refused", extra={"status": error.code})
            return None
        return read if isinstance(read, dict) else {}


def _is_of_owner(installation: dict[str, Any], owner: str) -> bool:
    """Whether it is the owner's own: the name of a repository that was given away leads to whoever has it now."""
    account = installation.get("account")
    login = account.get("login") if isinstance(account, dict) else None
    return isinstance(login, str) and login.lower() == owner.lower()


def _is_rate_limit(error: HTTPError) -> bool:
    """Whether the same request may be answered otherwise later.

    By https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
    """
    if error.code != HTTPStatus.FORBIDDEN:
        return False
    is_told = "retry-after" in error.headers or error.headers.get("x-ratelimit-remaining") == "0"
    return is_told or b"rate limit" in error.read().lower()


def make_jwt(app_id: str, private_key: str, now: datetime) -> str:
    """The app's own word of who it is (RFC 7519, signed with RS256). Raises Unavailable where the key is none."""
    # Here, for it takes longer to load than everything else, and only promotions through an app need it.
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    issued, ends = now - CLOCK_SKEW, now + JWT_LIFE
    claims = {"iat": int(issued.timestamp()), "exp": int(ends.timestamp()), "iss": app_id}
    signed = f"{_encode({'alg': 'RS256', 'typ': 'JWT'})}.{_encode(claims)}"
    try:
        key = load_pem_private_key(private_key.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # Its own words could show a part of the key.
        key = None
    if not isinstance(key, RSAPrivateKey):
        logger.error("outpost/github-app has no RSA key in PEM as its privateKey")
        raise Unavailable("the GitHub App's key cannot be read")
    signature = key.sign(signed.encode(), PKCS1v15(), SHA256())
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _encode(value: object) -> str:
    text = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()
