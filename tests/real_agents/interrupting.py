"""Cancels a run while its model speaks, and looks at the run's processes and files before and after."""

import os
from dataclasses import dataclass
from pathlib import Path

from .playing import Played, Player
from .provider.steps import Step

HOLD_SECONDS = 30
LEAVE_SECONDS = 10


@dataclass(frozen=True)
class AgentProcess:
    """A process of a run's agent, and all that others could read of it."""

    user_id: int
    command: str
    environment: str


@dataclass(frozen=True)
class Interrupted:
    """`processes` and `files` (all in the task's folders, the runner's too) are those in the middle of the sentence."""

    played: Played
    processes: list[AgentProcess]
    files: list[bytes]
    was_left: bool
    left_processes: list[AgentProcess]
    left_folders: list[str]


def interrupt(player: Player, *steps: Step) -> Interrupted:
    """Play up to a step that is held, and cancel there."""
    run_id, script = player.start(*steps)
    assert script.is_holding.wait(HOLD_SECONDS), player.caller.run(run_id)
    folder = _find_folder(player, run_id)
    processes, files = find_processes(run_id), read_files(folder)
    assert player.caller.http.post(f"/runs/{run_id}/cancel").status_code == 202
    played = player.wait(run_id, script)
    return Interrupted(
        played,
        processes,
        files,
        script.was_left.wait(LEAVE_SECONDS),
        find_processes(run_id),
        [str(path) for path in folder.glob("*")],
    )


def find_processes(run_id: str) -> list[AgentProcess]:
    """The processes of the run's agent: the runner puts the run's id into the environment of nobody else."""
    found = (_read_process(folder) for folder in Path("/proc").glob("[0-9]*"))
    return [process for process in found if process and f"OUTPOST_RUN_ID={run_id}\0" in process.environment]


def read_files(folder: Path) -> list[bytes]:
    found = []
    for parent, _, names in os.walk(folder):
        found += [path.read_bytes() for path in (Path(parent, name) for name in names) if path.is_file()]
    return found


def _find_folder(player: Player, run_id: str) -> Path:
    stack = player.caller.stack
    task = next(task for task in stack.fargate.tasks() if task.run_id == run_id)
    return Path(stack.log_path).parent / "tasks" / task.task_arn.rpartition("/")[2]


def _read_process(folder: Path) -> AgentProcess | None:
    try:
        texts = [(folder / name).read_bytes().decode(errors="replace") for name in ("cmdline", "environ")]
        return AgentProcess(folder.stat().st_uid, *texts)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
