"""A GitHub on the loopback that knows apps: it checks each caller's word of who it is, and answers as it is told."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

APP_ID = "123456"
INSTALLATION = 42
TOKEN = "ghs_a-token-of-the-app"
LONGEST_LIFE_SECONDS = 600


def make_key() -> RSAPrivateKey:
    """A key of an app, as GitHub makes them."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def pem_of(key: Any, form: PrivateFormat = PrivateFormat.TraditionalOpenSSL) -> str:
    """The key as its file has it."""
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


@dataclass
class GitHub:
    """What it knows, what it was asked for, and how it answers `METHOD path` otherwise than it would."""

    public_key: RSAPublicKey
    seconds: int
    installed: set[str] = field(default_factory=lambda: {"acme/app"})
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    # What every answer carries beside its length.
    answered_headers: dict[str, str] = field(default_factory=dict)
    # Whose installation it is, where that is not the repository's owner.
    installed_by: str | None = None
    url: str = ""

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """The status and the body of an answer."""
        self.asked.append((method, path, json.loads(body) if body else None))
        self.headers.append(headers)
        if not self._knows(headers.get("authorization", "")):
            return 401, b'{"message": "A JSON web token could not be decoded"}'
        if f"{method} {path}" in self.answers:
            return self.answers[f"{method} {path}"]
        name = path.removeprefix("/repos/").removesuffix("/installation")
        if method == "GET" and name in self.installed:
            account = {"login": self.installed_by or name.partition("/")[0]}
            return 200, json.dumps({"id": INSTALLATION, "app_id": int(APP_ID), "account": account}).encode()
        if (method, path) == ("POST", f"/app/installations/{INSTALLATION}/access_tokens"):
            return 201, json.dumps({"token": TOKEN, "expires_at": "2030-01-01T13:00:00Z"}).encode()
        return 404, b'{"message": "Not Found"}'

    def _knows(self, authorization: str) -> bool:
        """Whether the caller is the app: by its signature, its claims, and GitHub's own clock."""
        try:
            signed, _, signature = authorization.removeprefix("Bearer ").rpartition(".")
            self.public_key.verify(_decode(signature), signed.encode(), PKCS1v15(), SHA256())
            head, claims = (json.loads(_decode(part)) for part in signed.split("."))
        except (InvalidSignature, ValueError):
            return False
        is_now = claims["iat"] <= self.seconds < claims["exp"] <= self.seconds + LONGEST_LIFE_SECONDS
        return head == {"alg": "RS256", "typ": "JWT"} and claims["iss"] == APP_ID and is_now


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@contextmanager
def serve_github(github: GitHub) -> Iterator[GitHub]:
    """It answers at `url` meanwhile."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, content = github.answer(self.command, self.path, headers, body)
            self.send_response(status)
            # One byte more than there is, where the answer is to be cut off.
            self.send_header("Content-Length", str(len(content) + content.endswith(b"...")))
            for name, value in github.answered_headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def log_message(self, *arguments: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    github.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield github
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
