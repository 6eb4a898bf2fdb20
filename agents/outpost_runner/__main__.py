"""The runner as a program: `python3 -m outpost_runner`."""

import sys

from outpost_runner.entry_point import run_flow
from outpost_runner.lifecycle import run_to_end

if __name__ == "__main__":
    sys.exit(run_flow(run_to_end))
