"""The stack on an embedded AWS: for trying, developing and testing, never for real work."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outpost_local.stack import FunctionFailed, LocalStack

__all__ = ["FunctionFailed", "LocalStack"]


def __getattr__(name: str) -> Any:
    """The stack when it is asked for: moto takes seconds to import, and the package's other modules do without it."""
    if name not in __all__:
        raise AttributeError(name)
    from outpost_local import stack  # noqa: PLC0415 - that is the point

    return getattr(stack, name)
