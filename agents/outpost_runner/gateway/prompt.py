"""How large the prompt of a request is, as far as its body tells."""

from collections.abc import Iterable
from dataclasses import dataclass

from outpost_runner.gateway.usage import Usage

# A rule of thumb for English text and code, and what no text stays under: a prompt is at least that dear.
BYTES_PER_TOKEN = 4
MOST_BYTES_PER_TOKEN = 16
# No model of the catalogue makes more of an image, however large its file is.
IMAGE_TOKENS = 2_000
# Documents and recordings count by their pages and seconds, of which a small file can hold a great many, for they are
# compressed. This is a hundred pages with a picture of each, or more than an hour and a half of sound.
DOCUMENT_TOKENS = 200_000


@dataclass(frozen=True)
class Attachment:
    """A file in a prompt; its size is that of its Base64 in the body."""

    media_type: str
    size_bytes: int

    @property
    def most_tokens(self) -> int:
        if self.media_type.startswith("image/"):
            return IMAGE_TOKENS
        return max(DOCUMENT_TOKENS, self.size_bytes // BYTES_PER_TOKEN)


@dataclass(frozen=True)
class Prompt:
    """The text of a request with the JSON around it, and what its attachments come to at most."""

    text_bytes: int
    attached_tokens: int = 0

    @classmethod
    def of(cls, body_bytes: int, attachments: Iterable[Attachment]) -> "Prompt":
        attached = list(attachments)
        return cls(
            body_bytes - sum(attachment.size_bytes for attachment in attached),
            sum(attachment.most_tokens for attachment in attached),
        )

    @property
    def tokens(self) -> int:
        """An estimate."""
        return -(-self.text_bytes // BYTES_PER_TOKEN) + self.attached_tokens

    @property
    def least(self) -> Usage:
        """The least that it can count for: few tokens, all of them out of a cache, and nothing for attachments."""
        return Usage(cached_input_tokens=self.text_bytes // MOST_BYTES_PER_TOKEN)
