"""The programs of a container: without an argument a run of an agent, with `promotion` the promotion of one."""

import sys

from outpost_runner.entry_point import run_flow

PROMOTION = "promotion"


def main() -> int:
    """The exit code of the program that the argument names."""
    if sys.argv[1:] == [PROMOTION]:
        from outpost_runner.promotion.lifecycle import promote_to_end  # noqa: PLC0415 the other program needs none of it

        return run_flow(promote_to_end)
    from outpost_runner.lifecycle import run_to_end  # noqa: PLC0415 the other program needs none of it

    return run_flow(run_to_end)


if __name__ == "__main__":
    sys.exit(main())
