"""How long a large workspace takes to keep and to restore, and what memory that takes of the runner.

python tests/agents/workspace_size.py [--files 50000] [--megabytes 1024]
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("tests", "agents", "layers/core", "local")]

from agents.runner_process import RunnerProcess, start_runner  # noqa: E402  # found by the path above
from agents.scripted_platform import PlatformServer, ScriptedPlatform  # noqa: E402
from agents.snapshot_archive import ARCHIVE  # noqa: E402

FILES_A_FOLDER = 500
SECONDS = 3_000
# Half of each file is random, as what compilers and package managers leave is about as well packed as not.
MAKE = """import os
size = {size} // 2
os.mkdir("made")
for number in range({files}):
    folder = f"made/{{number // {files_a_folder}}}"
    number % {files_a_folder} or os.mkdir(folder)
    with open(f"{{folder}}/{{number}}", "wb") as file:
        file.write(os.urandom(size) + bytes(size))
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--megabytes", type=int, default=1_024)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, PlatformServer(ScriptedPlatform()) as server:
        measure(server.platform, Path(folder), wanted.files, wanted.megabytes * 1024**2)


def measure(platform: ScriptedPlatform, folder: Path, files: int, total_bytes: int) -> None:
    script = MAKE.format(size=total_bytes // files, files=files, files_a_folder=FILES_A_FOLDER)
    platform.claim["limits"]["workspaceBytes"] = 5 * 1024**3
    platform.claim["timeoutSeconds"] = SECONDS
    platform.claim["run"]["workspace"] = {"snapshot": None}
    saved = run(platform, folder / "first", f"echo made > .gitignore; python3 -c '{script}'")
    packed = platform.objects.pop(ARCHIVE)
    said = {"files": files, "megabytes": total_bytes // 1024**2, "packedMegabytes": len(packed) // 1024**2}
    say(said)
    say("saved:", describe(saved, "Packing the workspace.", "The run succeeded."))
    platform.claim["run"]["workspace"] = {"snapshot": platform.offer(packed)}
    restored = run(platform, folder / "second", "find made -type f | wc -l")
    say("restored:", describe(restored, "Restoring the workspace.", "Running the agent"))
    say("found again:", restored.lines("stdout"), "and kept:", platform.completion["workspace"])


def run(platform: ScriptedPlatform, root: Path, task: str) -> RunnerProcess:
    platform.claim["run"]["task"] = task
    runner = start_runner(platform, root)
    runner.wait(SECONDS)
    return runner


def describe(runner: RunnerProcess, first: str, last: str) -> dict[str, float]:
    """Seconds between the first lines that hold these texts, and the peak of the runner's own memory."""
    return {"seconds": round(runner.seconds_between(first, last), 1), "peakMegabytes": round(runner.peak_memory_mb, 1)}


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    started = time.monotonic()
    main()
    say("in all:", round(time.monotonic() - started, 1), "seconds")
