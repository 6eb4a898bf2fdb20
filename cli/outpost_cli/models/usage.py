"""What a run has used of models, and what it has cost with its compute."""

from dataclasses import dataclass

from outpost_cli.json_fields import JsonObject, read_flag, read_integer, read_number, read_optional_text


@dataclass(frozen=True, slots=True)
class RunUsage:
    """Each token counts once: `input_tokens` leave out what a cache was used for. An estimate until the run ends."""

    input_tokens: int
    cached_input_tokens: int
    cache_write_tokens: int
    output_tokens: int
    model_calls: int
    model_retries: int
    estimated_calls: int
    model_cost_usd: float
    compute_cost_usd: float
    total_cost_usd: float
    price_version: str | None
    is_estimate: bool

    @classmethod
    def from_document(cls, document: JsonObject) -> "RunUsage":
        return cls(
            input_tokens=read_integer(document, "inputTokens"),
            cached_input_tokens=read_integer(document, "cachedInputTokens"),
            cache_write_tokens=read_integer(document, "cacheWriteTokens"),
            output_tokens=read_integer(document, "outputTokens"),
            model_calls=read_integer(document, "modelCalls"),
            model_retries=read_integer(document, "modelRetries"),
            estimated_calls=read_integer(document, "estimatedCalls"),
            model_cost_usd=read_number(document, "modelCostUsd"),
            compute_cost_usd=read_number(document, "computeCostUsd"),
            total_cost_usd=read_number(document, "totalCostUsd"),
            price_version=read_optional_text(document, "priceVersion"),
            is_estimate=read_flag(document, "isEstimate"),
        )
