"""Workspaces, promotions and batches in memory, beside the runs that make and leave them."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from fake_runs import InMemoryRuns

from outpost.domain.batch import Batch
from outpost.domain.errors import Unavailable
from outpost.domain.event import Event
from outpost.domain.promotion import Promotion
from outpost.domain.workspace import Workspace
from outpost.ports import ExecutionStatus, PromotionChangedMeanwhile, WorkspacePage


@dataclass
class InMemoryWorkspaces:
    """The workspaces of the runs."""

    runs: InMemoryRuns

    def get(self, tenant_id: str, workspace_id: str) -> Workspace | None:
        return self.runs.workspaces.get((tenant_id, workspace_id))

    def page(self, tenant_id: str, *, before_id: str | None, limit: int) -> WorkspacePage:
        found = [each for (owner, _), each in sorted(self.runs.workspaces.items(), reverse=True) if owner == tenant_id]
        found = [each for each in found if before_id is None or each.workspace_id < before_id]
        return WorkspacePage(tuple(found[:limit]), found[limit - 1].workspace_id if len(found) > limit else None)

    def remove(self, before: Workspace, event: Event) -> bool:
        if not self._is_unchanged(before):
            return False
        del self.runs.workspaces[before.tenant_id, before.workspace_id]
        self.runs.events.append(event)
        return True

    def note_end(self, before: Workspace, at: datetime, event: Event) -> bool:
        if not self._is_unchanged(before):
            return False
        noted = replace(before, noticed_at=at, revision=before.revision + 1)
        self.runs.workspaces[before.tenant_id, before.workspace_id] = noted
        self.runs.events.append(event)
        return True

    def ending(self, at: datetime, limit: int, *, is_noticed: bool) -> tuple[tuple[str, str], ...]:
        free = [each for each in self.runs.workspaces.values() if each.leased_by is None]
        due = [each for each in free if each.expires_at <= at and (each.noticed_at is not None) is is_noticed]
        ordered = sorted(due, key=lambda each: each.expires_at)
        return tuple((each.tenant_id, each.workspace_id) for each in ordered[:limit])

    def _is_unchanged(self, before: Workspace) -> bool:
        found = self.get(before.tenant_id, before.workspace_id)
        return found is not None and found.revision == before.revision and found.leased_by is None


@dataclass
class InMemoryPromotions:
    """The promotions of the runs."""

    runs: InMemoryRuns

    def get(self, tenant_id: str, run_id: str) -> Promotion | None:
        return self.runs.promotions.get((tenant_id, run_id))

    def create(self, promotion: Promotion, event: Event) -> None:
        if self.get(promotion.tenant_id, promotion.run_id) is not None:
            raise PromotionChangedMeanwhile
        self.runs.promotions[promotion.tenant_id, promotion.run_id] = promotion
        self.runs.events.append(event)

    def save(self, before: Promotion, after: Promotion, event: Event | None) -> Promotion:
        found = self.get(before.tenant_id, before.run_id)
        if found is None or found.revision != before.revision:
            raise PromotionChangedMeanwhile
        written = replace(after, revision=before.revision + 1)
        self.runs.promotions[before.tenant_id, before.run_id] = written
        self.runs.events.extend([event] if event else [])
        return written

    def due(self, at: datetime, limit: int) -> tuple[tuple[str, str], ...]:
        due = [place for place, each in self.runs.promotions.items() if each.shard and each.check_at <= at]
        return tuple(due[:limit])


@dataclass
class RecordingPromotionExecutions:
    """Executions of promotions that are only remembered, by run id and attempt; where it `is_down` every call fails."""

    started: dict[tuple[str, int], str] = field(default_factory=dict)
    statuses: dict[tuple[str, int], ExecutionStatus] = field(default_factory=dict)
    stopped: dict[tuple[str, int], str] = field(default_factory=dict)
    is_down: bool = False

    def start(self, promotion: Promotion, bootstrap_token: str) -> None:
        self._fail_if_down()
        place = (promotion.run_id, promotion.attempt)
        self.started.setdefault(place, bootstrap_token)
        self.statuses.setdefault(place, ExecutionStatus.RUNNING)

    def stop(self, promotion: Promotion, *, error: str, cause: str) -> None:
        self._fail_if_down()
        self.stopped[promotion.run_id, promotion.attempt] = error

    def status(self, promotion: Promotion) -> ExecutionStatus | None:
        self._fail_if_down()
        return self.statuses.get((promotion.run_id, promotion.attempt))

    def _fail_if_down(self) -> None:
        if self.is_down:
            raise Unavailable("Step Functions")


@dataclass
class InMemoryBatches:
    """Batches in a dictionary."""

    records: dict[tuple[str, str], Batch] = field(default_factory=dict)

    def get(self, tenant_id: str, batch_id: str) -> Batch | None:
        return self.records.get((tenant_id, batch_id))

    def put(self, batch: Batch) -> None:
        known = self.get(batch.tenant_id, batch.batch_id)
        promoted = known.promoted_run_id if known else None
        self.records[batch.tenant_id, batch.batch_id] = replace(batch, promoted_run_id=promoted)

    def note_promotion(self, tenant_id: str, batch_id: str, run_id: str) -> bool:
        batch = self.get(tenant_id, batch_id)
        if batch is None or batch.promoted_run_id not in (None, run_id):
            return False
        self.records[tenant_id, batch_id] = replace(batch, promoted_run_id=run_id)
        return True


@dataclass
class NoGitHubApp:
    """The operator has none, or one that is installed in a few places; `asked` is where it was asked for."""

    tokens: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def token_for(self, repo: str) -> str | None:
        self.asked.append(repo)
        return self.tokens.get(repo)
