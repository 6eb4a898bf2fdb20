"""Runs a program to its end under supervision, and hears of it: a bounded answer, or what it complained of last."""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import IO

from outpost_runner.process import Command, Ending, SupervisedProcess, Watch

ANSWER_BYTES = 64 * 1024
TERMINATE_SECONDS = 1.0
COMPLAINT_BYTES = 4096
NOTHING = b"\0"


class ProgramFailed(Exception):
    """The program ended with an error; the message is what it said last."""

    def __init__(self, message: str, exit_code: int | None) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class ProgramInterrupted(Exception):
    """The program was ended by its watch."""

    def __init__(self, program: str, ending: Ending) -> None:
        super().__init__(f"{program} was ended: {ending.name}")
        self.ending = ending


def run_program(
    command: Command, watch: Watch, *, scratch: Path, stdin: IO[bytes] | None = None, stdout: IO[bytes] | None = None
) -> str:
    """What it answers (its first 64 KiB; empty when `stdout` is given).

    Raises ProgramFailed, ProgramInterrupted or ProgramNotStarted; afterwards nothing that it started lives.
    """
    with tempfile.TemporaryFile(dir=scratch) as answer, tempfile.TemporaryFile(dir=scratch) as complaint:
        _reserve(complaint)
        process = SupervisedProcess(
            command, stdin=stdin or subprocess.DEVNULL, stdout=stdout or answer, stderr=complaint
        )
        try:
            ending = process.wait(watch)
        finally:
            process.end(TERMINATE_SECONDS)
        if ending is not Ending.EXITED:
            raise ProgramInterrupted(command.argv[0], ending)
        code = process.exit_code()
        if code != 0:
            raise ProgramFailed(_read_complaint(complaint), code)
        answer.seek(0)
        return answer.read(ANSWER_BYTES).decode(errors="replace").strip()


def _reserve(complaint: IO[bytes]) -> None:
    """Take room for what the program says, so that it can still say that the disk is full."""
    complaint.write(NOTHING * COMPLAINT_BYTES)
    complaint.seek(0)


def _read_complaint(complaint: IO[bytes]) -> str:
    """The last part of standard error: programs put the reason at the end, their hints come before."""
    complaint.seek(0, os.SEEK_END)
    complaint.seek(max(0, complaint.tell() - ANSWER_BYTES))
    return complaint.read().rstrip(NOTHING).decode(errors="replace").strip()
