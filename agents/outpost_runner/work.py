"""The run's own time: prepare the workspace, then run the agent in it."""

from dataclasses import dataclass, replace

from outpost_runner.agent_run import AgentEnd, run_agent
from outpost_runner.agent_user import AgentUser, AgentUserUnknown, find_agent_user, limit_processes
from outpost_runner.agents import AgentUnknown, find_adapter
from outpost_runner.agents.adapter import Account, AgentAdapter, AgentTask
from outpost_runner.background import lay_out_background
from outpost_runner.context import EMPTY_CONTEXT, Context, gather_context
from outpost_runner.context_level import ContextLevel
from outpost_runner.gateway.known_providers import ProviderUnknown
from outpost_runner.gateway.provider import ProviderMisdescribed
from outpost_runner.git import GitFailed
from outpost_runner.heartbeats import Phase
from outpost_runner.outcome import Outcome, cancel, judge_agent, judge_interruption, refuse_to_begin
from outpost_runner.preparation import Prepared, prepare_tree
from outpost_runner.process import Ending, ProgramNotStarted
from outpost_runner.program import ProgramInterrupted
from outpost_runner.prompt import make_prompt
from outpost_runner.run_models import ModelsEnd, RunModels, open_models
from outpost_runner.session import Session
from outpost_runner.workspace import Base, BranchNotFound, CloneFailed, leave_out


@dataclass(frozen=True)
class Work:
    """What is there to collect; without a base there was never an agent.

    `restored` is None where there was no snapshot to restore, and one that `is_out_of_reach` may be whole all the same;
    `is_to_be_checked` says that the agent ended by itself. One that `has_survivors` has left nothing that is
    to be trusted.
    """

    outcome: Outcome
    user: AgentUser | None = None
    base: Base | None = None
    summary: str | None = None
    context: Context = EMPTY_CONTEXT
    models: ModelsEnd | None = None
    restored: bool | None = None
    is_out_of_reach: bool = False
    is_to_be_checked: bool = False
    has_survivors: bool = False


def do_work(session: Session) -> Work:
    if session.claim.missing_secrets:
        names = ", ".join(session.claim.missing_secrets)
        return Work(refuse_to_begin("SECRET_NOT_FOUND", f"There is no secret: {names}."))
    try:
        user = find_agent_user(session.settings.agent_user)
        adapter = find_adapter(session.claim.run.agent)
    except (AgentUserUnknown, AgentUnknown) as error:
        return Work(refuse_to_begin("AGENT_START_FAILED", str(error)))
    if user is not None:
        limit_processes()
    try:
        prepared = prepare_tree(session, user)
    except BranchNotFound as error:
        return Work(refuse_to_begin("BRANCH_NOT_FOUND", str(error)))
    except CloneFailed as error:
        return Work(refuse_to_begin("CLONE_FAILED", str(error)))
    except (GitFailed, ProgramNotStarted, OSError) as error:
        message = session.redactor.redact(f"The workspace could not be prepared: {error}")
        return Work(refuse_to_begin("CLONE_FAILED", message[:500]))
    except ProgramInterrupted as interruption:
        return Work(judge_interruption(interruption.ending, None, session.claim.timeout_seconds))
    work = _do_prepared_work(session, user, adapter, prepared)
    return replace(
        work,
        user=user,
        base=prepared.base,
        restored=prepared.restored,
        is_out_of_reach=prepared.is_out_of_reach,
    )


def _do_prepared_work(session: Session, user: AgentUser | None, adapter: AgentAdapter, prepared: Prepared) -> Work:
    if session.clock.stop.is_requested():
        return Work(cancel(None))
    context = _gather_context(session, prepared.base)
    try:
        return replace(_run(session, user, adapter, prepared, context), context=context)
    except (ProgramNotStarted, ProviderUnknown, ProviderMisdescribed, OSError) as error:
        return Work(refuse_to_begin("AGENT_START_FAILED", str(error)), context=context)


def _gather_context(session: Session, base: Base) -> Context:
    run = session.claim.run
    if run.repository is None or run.context is ContextLevel.OFF:
        return EMPTY_CONTEXT
    session.heartbeats.enter(Phase.CONTEXT)
    git = session.base_git(base.repository, session.run_watch())
    return gather_context(git, base, run.context, session.redactor, session.log.say)


def _run(session: Session, user: AgentUser | None, adapter: AgentAdapter, prepared: Prepared, context: Context) -> Work:
    run, base = session.claim.run, prepared.base
    leave_out(base, adapter.litter)
    session.heartbeats.enter(Phase.RUNNING)
    session.log.say(f"Running the agent {run.agent} on {base.commit[:12]}.")
    with open_models(session) as models:
        end = _run_command(session, user, adapter, _make_task(session, prepared, context, models), models)
        models_end = None if models is None else models.end()
    redact = session.redactor.redact
    account = Account(redact(end.account.summary or "") or None, redact(end.account.complaint or "") or None)
    outcome = judge_agent(replace(end, account=account), models_end, session.claim.timeout_seconds)
    is_to_be_checked = end.ending is Ending.EXITED and not (models_end is not None and models_end.is_budget_exceeded)
    return Work(
        outcome,
        summary=account.summary,
        models=models_end,
        is_to_be_checked=is_to_be_checked,
        has_survivors=end.has_survivors,
    )


def _make_task(session: Session, prepared: Prepared, context: Context, models: RunModels | None) -> AgentTask:
    run, folders = session.claim.run, session.folders
    prompt = make_prompt(
        run.task,
        context,
        lay_out_background(run.background, session.redactor),
        has_repository=run.repository is not None,
        has_earlier_work=prepared.has_earlier_work,
    )
    endpoint = None if models is None else models.endpoint
    return AgentTask(run.model_id, run.task, prompt, folders.agent_files, folders.home, endpoint)


def _run_command(
    session: Session, user: AgentUser | None, adapter: AgentAdapter, task: AgentTask, models: RunModels | None
) -> AgentEnd:
    watch = session.run_watch()
    if models is not None:
        watch = replace(watch, should_stop=lambda: session.clock.stop.is_requested() or models.is_budget_exceeded())
    return run_agent(
        adapter.make_command(task),
        adapter.make_reader(session.redactor),
        session.agent_surroundings(user),
        watch,
        grace_seconds=session.clock.terminate_grace,
        output_limit_bytes=session.claim.limits.output_bytes,
        log=session.log,
        redactor=session.redactor,
    )
