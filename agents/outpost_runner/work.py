"""The run's own time: prepare the workspace, then run the agent in it."""

from dataclasses import dataclass

from outpost_runner.agent_run import AgentSurroundings, run_agent
from outpost_runner.agent_user import AgentUser, AgentUserUnknown, find_agent_user
from outpost_runner.agents import AgentUnknown, find_adapter
from outpost_runner.agents.adapter import AgentAdapter, AgentTask
from outpost_runner.git import GitFailed, GitInterrupted
from outpost_runner.heartbeats import Phase
from outpost_runner.outcome import Outcome, cancel, judge_agent, judge_interruption, refuse_to_begin
from outpost_runner.process import ProgramNotStarted
from outpost_runner.session import Session
from outpost_runner.workspace import Base, BranchNotFound, CloneFailed, prepare_workspace


@dataclass(frozen=True)
class Work:
    """What is there to collect; without a base there was never an agent."""

    outcome: Outcome
    user: AgentUser | None = None
    base: Base | None = None
    summary: str | None = None


def do_work(session: Session) -> Work:
    try:
        user = find_agent_user(session.settings.agent_user)
        adapter = find_adapter(session.claim.run.agent)
    except (AgentUserUnknown, AgentUnknown) as error:
        return Work(refuse_to_begin("AGENT_START_FAILED", str(error)))
    try:
        base = _prepare(session, user)
    except BranchNotFound as error:
        return Work(refuse_to_begin("BRANCH_NOT_FOUND", str(error)))
    except CloneFailed as error:
        return Work(refuse_to_begin("CLONE_FAILED", str(error)))
    except (GitFailed, ProgramNotStarted, OSError) as error:
        message = session.redactor.redact(f"The workspace could not be prepared: {error}")
        return Work(refuse_to_begin("CLONE_FAILED", message[:500]))
    except GitInterrupted as interruption:
        return Work(judge_interruption(interruption.ending, None, session.claim.timeout_seconds))
    if session.clock.stop.is_requested():
        return Work(cancel(None), user, base)
    return _run(session, user, adapter, base)


def _prepare(session: Session, user: AgentUser | None) -> Base:
    session.heartbeats.enter(Phase.CLONING)
    session.folders.give_to(user)
    repository = session.claim.run.repository
    session.log.say("Preparing the workspace." if repository is None else f"Cloning {repository.url}.")
    return prepare_workspace(
        session.agent_git(user, session.run_watch()),
        session.folders,
        repository,
        session.claim.git,
        stall_seconds=session.settings.clone_stall_seconds,
        scrub=session.redactor.redact,
    )


def _run(session: Session, user: AgentUser | None, adapter: AgentAdapter, base: Base) -> Work:
    claim, run = session.claim, session.claim.run
    session.heartbeats.enter(Phase.RUNNING)
    session.log.say(f"Running the agent {run.agent} on {base.commit[:12]}.")
    task = AgentTask(run.model_id, run.task, claim.provider, session.folders.agent_files)
    try:
        end = run_agent(
            adapter.make_command(task),
            AgentSurroundings(run.run_id, run.agent, session.folders, user),
            session.run_watch(),
            grace_seconds=session.clock.terminate_grace,
            output_limit_bytes=claim.limits.output_bytes,
            log=session.log,
            redactor=session.redactor,
        )
    except (ProgramNotStarted, OSError) as error:
        return Work(refuse_to_begin("AGENT_START_FAILED", str(error)), user, base)
    outcome = judge_agent(end.ending, end.exit_code, claim.timeout_seconds)
    return Work(outcome, user, base, adapter.summarize(end.tail))
