"""Packs a working tree with its base repository into one file, and unpacks them again, by tar and zstd.

    base.git/     the repository that the tree began with, as only the runner ever had it
    workspace/    the tree, with what its repository ignores and with its own .git

Both programs stream: no tree is ever in memory.
"""

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import IO

from outpost_runner.agent_user import AgentUser
from outpost_runner.folders import TaskFolders, remove_tree
from outpost_runner.process import Command, Ending, ProgramNotStarted, Watch
from outpost_runner.program import ProgramFailed, ProgramInterrupted, run_program

COMPRESSOR = "zstd"
TAR_GAVE_UP = 2
# Modification times to the nanosecond, as build tools compare them, and no other times.
PACKING = ("--create", "--format=pax", "--pax-option=delete=atime,delete=ctime", "--sparse", "--numeric-owner")
# What the runner adds to its base repository for one run's patch is not for the next.
LEFT_OUT = ("--anchored", "--exclude=base.git/info")
# Whatever an archive says, all is of the user that unpacks it, and no program in it lends anybody rights.
UNPACKING = ("--extract", "--no-same-owner", "--no-same-permissions", "--delay-directory-restore")


class NotPacked(Exception):
    """The tree is in no archive; the message says why."""


class NotUnpacked(Exception):
    """What the archive holds could not be taken over, and may be whole all the same; the message says why."""


class ArchiveWorthless(NotUnpacked):
    """The archive is proved to hold no workspace, wherever it is unpacked."""


def pack_workspace(folders: TaskFolders, *, limit_bytes: int, deadline: Callable[[], float]) -> None:
    """Write `folders.snapshot`, as the runner, who can also read what the agent closed. Raises NotPacked."""
    if shutil.which(COMPRESSOR) is None:
        raise NotPacked(f"The program {COMPRESSOR} is not installed.")
    if not _is_folder(folders.workspace):
        raise NotPacked("The workspace is gone.")
    try:
        with folders.snapshot.open("wb") as archive:
            _pack(folders, archive, Watch(deadline, lambda: _is_larger(folders.snapshot, limit_bytes)))
        if _is_larger(folders.snapshot, limit_bytes):
            raise NotPacked(_describe_limit(limit_bytes))
    except ProgramInterrupted as interruption:
        reason = _describe_limit(limit_bytes) if interruption.ending is Ending.STOPPED else "No time was left for it."
        raise NotPacked(reason) from interruption
    except (ProgramFailed, ProgramNotStarted, OSError) as error:
        raise NotPacked(f"It could not be packed: {_first_line(error)}") from error


def unpack_workspace(folders: TaskFolders, user: AgentUser | None, archive: Path, watch: Watch) -> None:
    """Make the workspace and the base repository of an archive, in the place of an empty workspace.

    It is unpacked as the agent's user, before there is an agent, in a folder of its own: so whatever is in it, nothing
    that is not the agent's can be written. The base is then taken out of the agent's reach. Raises NotUnpacked or
    ProgramInterrupted.
    """
    if shutil.which(COMPRESSOR) is None:
        raise NotUnpacked(f"the program {COMPRESSOR} is not installed")
    folder = folders.restoring
    try:
        folder.mkdir(mode=0o700)
        if user is not None:
            user.own(folder)
        _unpack(folders, user, archive, watch)
        _take_base(folder / "base.git", folders.base_repository)
        _take_tree(folder / "workspace", folders.workspace)
    except (ProgramFailed, ProgramNotStarted, OSError) as error:
        raise NotUnpacked(_first_line(error)) from error
    finally:
        remove_tree(folder)


def _pack(folders: TaskFolders, archive: IO[bytes], watch: Watch) -> None:
    base, tree = folders.base_repository, folders.workspace
    members = ["-C", str(base.parent), base.name, "-C", str(tree.parent), tree.name]
    command = _tar(*PACKING, *LEFT_OUT, "--file=-", *members, folder=folders.private, user=None)
    run_program(command, watch, scratch=folders.private, stdout=archive)


def _unpack(folders: TaskFolders, user: AgentUser | None, archive: Path, watch: Watch) -> None:
    """A disk may be full, or memory short: only an archive that cannot even be listed is to blame itself."""
    try:
        _read(folders, user, archive, watch, *UNPACKING)
    except ProgramFailed as failure:
        try:
            _read(folders, user, archive, watch, "--list")
        except ProgramFailed as unreadable:
            if unreadable.exit_code == TAR_GAVE_UP:
                raise ArchiveWorthless(_first_line(unreadable)) from failure
        raise


def _read(folders: TaskFolders, user: AgentUser | None, archive: Path, watch: Watch, *arguments: str) -> None:
    command = _tar(*arguments, "--file=-", folder=folders.restoring, user=user)
    with archive.open("rb") as file, Path(os.devnull).open("wb") as nowhere:
        run_program(command, watch, scratch=folders.private, stdin=file, stdout=nowhere)


def _tar(*arguments: str, folder: Path, user: AgentUser | None) -> Command:
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    return Command(["tar", f"--use-compress-program={COMPRESSOR} --quiet -T0", *arguments], folder, environment, user)


def _take_base(unpacked: Path, target: Path) -> None:
    """Nothing but folders and files that have no other name: neither leads out of the base nor into it."""
    if not _is_folder(unpacked):
        raise ArchiveWorthless("it holds no base repository")
    for folder, folders, files in os.walk(unpacked, onerror=_fail):
        _make_own(Path(folder))
        for name in (*folders, *files):
            path = Path(folder, name)
            if not (_is_folder(path) or _is_file_of_its_own(path)):
                raise ArchiveWorthless("its base repository holds what is no file of its own")
            _make_own(path)
    unpacked.rename(target)


def _take_tree(unpacked: Path, target: Path) -> None:
    if not _is_folder(unpacked):
        raise ArchiveWorthless("it holds no working tree")
    unpacked.chmod(0o700)
    target.rmdir()
    unpacked.rename(target)


def _make_own(path: Path) -> None:
    os.chown(path, os.geteuid(), os.getegid(), follow_symlinks=False)


def _fail(error: OSError) -> None:
    raise error


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _is_file_of_its_own(path: Path) -> bool:
    status = path.lstat()
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1


def _is_larger(path: Path, limit_bytes: int) -> bool:
    return path.stat().st_size > limit_bytes


def _describe_limit(limit_bytes: int) -> str:
    return f"It is larger than {limit_bytes} bytes when it is packed."


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
