"""The promotion as a program: `python3 -m outpost_runner.promotion`."""

import sys

from outpost_runner.entry_point import run_flow
from outpost_runner.promotion.lifecycle import promote_to_end

if __name__ == "__main__":
    sys.exit(run_flow(promote_to_end))
