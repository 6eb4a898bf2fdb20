"""What one answer says of its usage, as it comes by."""

from dataclasses import dataclass, replace

from outpost_runner.gateway.prompt import BYTES_PER_TOKEN, Prompt
from outpost_runner.gateway.usage import Usage

# What a large model writes. Of an answer that is not awaited to its end nobody says how much was thought unseen.
TOKENS_PER_SECOND = 50


@dataclass
class Tally:
    """Filled by a protocol: `stated` is the provider's latest word, `output_bytes` the text that came by."""

    stated: Usage | None = None
    output_bytes: int = 0
    is_complete: bool = False
    failure: str | None = None

    @property
    def output_tokens(self) -> int:
        """What the provider stated, or what its text comes to by the rule of thumb when that is more."""
        estimated = -(-self.output_bytes // BYTES_PER_TOKEN)
        return max(estimated, 0 if self.stated is None else self.stated.output_tokens)

    def least(self, prompt: Prompt) -> Usage:
        """What the call has used by now, nearly: a prompt of unstated size counts as little as it can."""
        return replace(self.stated or prompt.least, output_tokens=self.output_tokens)

    def settle(self, prompt: Prompt, left_after_seconds: float) -> tuple[Usage, bool]:
        """What the call counts for at its end, and whether that is an estimate.

        A complete answer counts as stated. Of one that was cut, the prompt counts as stated; the figure for its output
        is only where the provider began to count (Anthropic states 1), so that the text seen counts when it is more. So
        does what can be written in the time for which its client waited before it left.
        """
        output_tokens = max(self.output_tokens, int(left_after_seconds) * TOKENS_PER_SECOND)
        if self.stated is not None and (self.is_complete or output_tokens == self.stated.output_tokens):
            return self.stated, False
        known = self.stated or Usage(input_tokens=prompt.tokens)
        return replace(known, output_tokens=output_tokens), True
