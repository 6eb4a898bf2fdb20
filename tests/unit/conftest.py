"""A world in memory: one tenant, one key, and every port."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace

import pytest
from builders import (
    CLAIM,
    SECRET,
    TASK_ARN,
    a_caller,
    a_key,
    a_patch,
    a_run,
    a_tenant,
    a_worked_run,
    an_event,
    terms_of,
)
from fake_runs import (
    InMemoryAccounts,
    InMemoryDeployments,
    InMemoryKeyring,
    InMemoryQueue,
    InMemoryRuns,
    InMemorySlots,
)
from fake_secrets import InMemoryTenantSecrets, InMemoryVault
from fake_workspaces import (
    InMemoryBatches,
    InMemoryPromotions,
    InMemoryWorkspaces,
    NoGitHubApp,
    RecordingPromotionExecutions,
)
from fakes import (
    CountedIdentifiers,
    FixedSigningKey,
    InMemoryApiKeys,
    InMemoryFiles,
    RecordingExecutions,
    RecordingTasks,
    SteppedClock,
)

from outpost.domain.admission import Form
from outpost.domain.api_key import ApiKey, hash_secret
from outpost.domain.event import Event
from outpost.domain.report import Artifact
from outpost.domain.run import Run
from outpost.domain.tenant import Tenant
from outpost.ports import Admission, IdempotencyLock, NotAdmitted, RequestedPromotion, Terms
from outpost.use_cases.admit_run import Wish, admit_run
from outpost.use_cases.claim_run import Claimed, RunnerIdentity, claim_run
from outpost.use_cases.hand_out_slots import SlotGiver
from outpost.use_cases.look_after_run import Deed, Sweeper
from outpost.use_cases.sweep_runs import sweep_runs


@dataclass
class SharedRuns(InMemoryRuns):
    """Runs that others change as well: what they do after each refused record, and before each change.

    `tries` counts the attempts to record a run.
    """

    after_refusals: list[Callable[[], object]] = field(default_factory=list)
    before_changes: list[Callable[[], object]] = field(default_factory=list)
    tries: int = 0

    def create(self, run: Run, event: Event, admission: Admission) -> None:
        self.tries += 1
        try:
            super().create(run, event, admission)
        except NotAdmitted:
            _do_next(self.after_refusals)
            raise

    def save(
        self,
        before: Run,
        after: Run,
        event: Event | None,
        artifacts: Sequence[Artifact] | None = None,
        promotion: RequestedPromotion | None = None,
    ) -> Run:
        _do_next(self.before_changes)
        return super().save(before, after, event, artifacts, promotion)


@dataclass
class ForgettingApiKeys(InMemoryApiKeys):
    """Keys that say which of them were to be forgotten."""

    forgotten: list[str] = field(default_factory=list)

    def forget(self, key_hash: str) -> None:
        self.forgotten.append(key_hash)


def _do_next(deeds: list[Callable[[], object]]) -> None:
    if deeds:
        deeds.pop(0)()


@dataclass
class World:
    """The ports of a test."""

    runs: SharedRuns
    api_keys: ForgettingApiKeys
    clock: SteppedClock = field(default_factory=SteppedClock)
    identifiers: CountedIdentifiers = field(default_factory=CountedIdentifiers)
    executions: RecordingExecutions = field(default_factory=RecordingExecutions)
    tasks: RecordingTasks = field(default_factory=RecordingTasks)
    files: InMemoryFiles = field(default_factory=InMemoryFiles)
    full_tenants: dict[str, Form] = field(default_factory=dict)
    signing_key: FixedSigningKey = field(default_factory=FixedSigningKey)
    secrets: InMemoryTenantSecrets = field(default_factory=InMemoryTenantSecrets)
    vault: InMemoryVault = field(default_factory=InMemoryVault)
    promotion_executions: RecordingPromotionExecutions = field(default_factory=RecordingPromotionExecutions)
    batches: InMemoryBatches = field(default_factory=InMemoryBatches)
    github_app: NoGitHubApp = field(default_factory=NoGitHubApp)
    git_base_url: str = "https://git.example.com"

    @property
    def slots(self) -> InMemorySlots:
        """The counters of the runs."""
        return InMemorySlots(self.runs)

    @property
    def accounts(self) -> InMemoryAccounts:
        """The tenants of the runs."""
        return InMemoryAccounts(self.runs)

    @property
    def deployments(self) -> InMemoryDeployments:
        """What the tenants share."""
        return InMemoryDeployments(self.runs)

    @property
    def queue(self) -> InMemoryQueue:
        """The runs that wait."""
        return InMemoryQueue(self.runs)

    @property
    def workspaces(self) -> InMemoryWorkspaces:
        """The workspaces of the runs."""
        return InMemoryWorkspaces(self.runs)

    @property
    def promotions(self) -> InMemoryPromotions:
        """The promotions of the runs."""
        return InMemoryPromotions(self.runs)

    @property
    def keyring(self) -> InMemoryKeyring:
        """The keys of the tenants."""
        return InMemoryKeyring(self.runs)

    def ports(self, *names: str) -> dict[str, object]:
        """The named ports, as keyword arguments."""
        return {name: getattr(self, name) for name in names}

    def claim(self, runner: RunnerIdentity, claim_id: str = CLAIM) -> Claimed:
        """What the runner gets for its claim of a run."""
        names = ("runs", "workspaces", "files", "secrets", "vault", "git_base_url", "signing_key", "clock")
        ports = self.ports(*names, "identifiers")
        return claim_run(runner, claim_id=claim_id, task_arn=TASK_ARN, **ports)

    def add(self, *runs) -> None:
        """Put runs there as they are, with the slots that they hold."""
        for run in runs:
            self.runs.records[run.tenant_id, run.run_id] = run
            self.runs._count(run.tenant_id, int(run.holds_slot), int(run.is_queued))

    def add_work(self, run: Run | None = None) -> Run:
        """A run that has left its work, put there with its patch."""
        worked = run or a_worked_run()
        self.add(worked)
        self.runs.files[worked.tenant_id, worked.run_id, worked.attempt] = (a_patch(),)
        return worked

    def run(self, run=None):
        """The run as it is now; without an argument the only one."""
        records = self.runs.records
        return next(iter(records.values())) if run is None else records[run.tenant_id, run.run_id]

    def tenant(self, tenant_id: str = "acme") -> Tenant:
        """The tenant as it is now."""
        return self.runs.tenants[tenant_id]

    def change_tenant(self, tenant_id: str = "acme", **changes: object) -> None:
        """Make the tenant another, as an operator or another request would."""
        self.runs.tenants[tenant_id] = replace(self.tenant(tenant_id), **changes)

    def change_deployment(self, **changes: object) -> None:
        """Make what all tenants share another."""
        self.runs.deployment = replace(self.runs.deployment, **changes)

    def put_key(self, key: ApiKey) -> ApiKey:
        """The key, put there as it is."""
        self.runs.keys[key.key_hash] = key
        return key

    def admit(
        self,
        number: int = 1,
        *,
        terms: Terms | None = None,
        key: ApiKey | None = None,
        lock: IdempotencyLock | None = None,
        **changes: object,
    ) -> Run:
        """The run of that number as it is recorded, decided upon the plan as it is, or upon another copy of it."""
        run = a_run(**{"run_id": f"01Q3ENHRG0{number:016d}", "created_at": self.clock.now(), **changes})
        return admit_run(
            Wish(a_caller(key=key or a_key()), run, lock, "https://git.example.com"),
            terms or terms_of(self.tenant(run.tenant_id)),
            lambda admitted: an_event(run_id=admitted.run_id),
            **self.ports("runs", "accounts", "secrets", "api_keys", "full_tenants", "clock"),
        )

    @property
    def giver(self) -> SlotGiver:
        """What handing out slots needs."""
        return SlotGiver(**self.ports(*(port.name for port in fields(SlotGiver))))

    @property
    def sweeper(self) -> Sweeper:
        """What a sweep needs."""
        return Sweeper(**self.ports(*(port.name for port in fields(Sweeper))))

    def sweep(self, **ports: object) -> dict[Deed, int]:
        """One round of the sweep, with other ports where they are named, and how often it did what."""
        return {deed: count for deed, count in sweep_runs(replace(self.sweeper, **ports)).items() if count}

    def event_types(self) -> list[str]:
        """What happened, in order."""
        return [str(event.type) for event in self.runs.events]


def _make_world() -> World:
    runs = SharedRuns(tenants={"acme": a_tenant()}, keys={hash_secret(SECRET): a_key()})
    return World(runs, ForgettingApiKeys(runs))


@pytest.fixture
def world() -> World:
    return _make_world()


@pytest.fixture(scope="session")
def make_world() -> Callable[[], World]:
    """A maker of worlds, for tests that need a fresh one for each example."""
    return _make_world
