"""Keeps the working tree for a later run: packs it, uploads it, and says what became of it."""

import time
from dataclasses import dataclass

from outpost_runner.json_fields import Json
from outpost_runner.patience import Patience
from outpost_runner.session import Session
from outpost_runner.uploads import Upload, UploadKind, describe_file, upload_files
from outpost_runner.workspace_archive import NotPacked, pack_workspace

SNAPSHOT_NAME = "workspace.tar.zst"
MAX_REASON_CHARACTERS = 200
NEVER_THERE = "There was no working tree to keep."
NOT_UPLOADED = "It could not be uploaded."
OUT_OF_REACH = "The earlier tree could not be restored, and stays as it was."


@dataclass(frozen=True)
class KeptState:
    """What became of the workspace: `restored` is None where there was nothing to restore."""

    restored: bool | None
    saved: bool
    reason: str | None

    def to_json(self) -> Json:
        reason = None if self.reason is None else self.reason[:MAX_REASON_CHARACTERS]
        return {"restored": self.restored, "saved": self.saved, "reason": reason}


@dataclass
class Keeping:
    """The snapshot on its way; a run whose snapshot is lost has lost none of its results.

    An earlier one that `is_out_of_reach` is not to be replaced: what it holds would be lost.
    """

    session: Session
    restored: bool | None
    is_out_of_reach: bool = False
    reason: str | None = NEVER_THERE
    _snapshot: Upload | None = None

    def pack(self) -> None:
        """Within the time that leaves some for the uploads."""
        if self.is_out_of_reach:
            self.give_up(OUT_OF_REACH)
            return
        since = time.monotonic()
        session = self.session
        session.log.say("Packing the workspace.")
        try:
            pack_workspace(
                session.folders,
                limit_bytes=session.claim.limits.workspace_bytes,
                deadline=lambda: session.clock.collect_by(since),
            )
            self._snapshot = describe_file(SNAPSHOT_NAME, UploadKind.WORKSPACE, session.folders.snapshot)
        except NotPacked as error:
            self.give_up(str(error))
        except OSError as error:
            self.give_up(f"It could not be read: {error.strerror}")

    def upload(self) -> list[Upload]:
        """What was delivered: the snapshot, or nothing. What follows is left some of the time."""
        if self._snapshot is None:
            return []
        since = time.monotonic()
        session = self.session
        patience = Patience(lambda: session.clock.collect_by(since))
        delivered = upload_files(session.broker, [self._snapshot], patience, session.log.say).delivered
        if delivered:
            self.reason = None
        else:
            self.give_up(NOT_UPLOADED)
        return delivered

    def state(self) -> KeptState:
        return KeptState(self.restored, self.reason is None, self.reason)

    def give_up(self, reason: str) -> None:
        self.reason = self.session.redactor.redact(reason)
        self.session.log.say(f"The workspace is not kept: {reason}")
