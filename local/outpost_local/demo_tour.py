"""The demo's tour: it dispatches three runs, watches them to their ends and checks what they left."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from outpost_cli.client import Dispatch, OutpostClient
from outpost_cli.diffstat import read_changes
from outpost_cli.download import Download, choose_target
from outpost_cli.errors import NotFound
from outpost_cli.fleet_views import render_fleet
from outpost_cli.models.run import Run, RunStatus
from outpost_cli.output import make_safe, print_part
from outpost_cli.polling import read_whole_log, wait_for_end
from outpost_cli.views import (
    format_activity,
    format_log_line,
    format_outcome,
    now_utc,
    render_diffstat,
    render_health,
)
from outpost_local.demo_report import DemoReport
from outpost_local.demo_repository import BRANCH, REPOSITORY_NAME, check_patch_applies
from outpost_local.demo_scripts import CHANGE_FILES, NEVER_END, WAIT_FOR_CANCEL

AGENT = "shell"
SHORTEST_TIMEOUT_SECONDS = 30
ORDINARY_TIMEOUT_SECONDS = 120
POLL_SECONDS = 0.3
START_ALLOWANCE_SECONDS = 60.0
SHOWN_DIFF_LINES = 14
REPORT_NAME = "report.html"
DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}


@dataclass(frozen=True, slots=True)
class Tour:
    """One tour against one service, on the repository that the git server at `git_url` serves."""

    console: Console
    client: OutpostClient
    git_url: str
    report: DemoReport

    def take(self) -> None:
        """The whole tour. The run that times out is dispatched first, so that its wait is spent on the others."""
        self.show_service()
        sleeper = self.dispatch(NEVER_END, timeout_seconds=SHORTEST_TIMEOUT_SECONDS)
        self.say(f"\nIn the background: {sleeper}, which sleeps for an hour but has {SHORTEST_TIMEOUT_SECONDS} s.")
        self.show_change()
        self.show_cancel()
        self.show_timeout(sleeper)
        self.head("The runs")
        print_part(self.console, self.report.render())

    def show_service(self) -> None:
        self.head("1. The service")
        health = self.client.get_health()
        print_part(self.console, render_health(health))
        self.report.check(promise="the service is well", is_kept=health.is_well)
        fleet = self.client.get_fleet()
        print_part(self.console, render_fleet(fleet))
        is_available = any(agent.name == AGENT and agent.is_available for agent in fleet.agents)
        self.report.check(promise=f"the agent {AGENT} is available", is_kept=is_available)

    def show_change(self) -> None:
        self.head("2. A run that changes files")
        run_id = self.dispatch(CHANGE_FILES, timeout_seconds=ORDINARY_TIMEOUT_SECONDS)
        run = self.watch(run_id)
        self.report.add_run("changes files", RunStatus.COMPLETED, run)
        self.show_log(run_id)
        self.show_patch(run_id, expected_files={"README.md", "demo/hello.py", "demo/noise.bin"})
        self.check_report(run_id)

    def show_cancel(self) -> None:
        self.head("3. A run that is cancelled")
        run_id = self.dispatch(WAIT_FOR_CANCEL, timeout_seconds=ORDINARY_TIMEOUT_SECONDS)
        early = self.wait_for_work(run_id)
        if early.is_terminal:
            self.report.add_run("is cancelled", RunStatus.CANCELLED, early)
            return
        answer = self.client.cancel_run(run_id, reason="The tour shows a cancel.")
        self.say(f"  cancel asked for: {answer.get('status')}")
        run = self.watch(run_id)
        self.report.add_run("is cancelled", RunStatus.CANCELLED, run)
        self.report.check(
            promise="between cancel and end it was CANCELLING", is_kept=answer.get("status") == RunStatus.CANCELLING
        )
        self.report.check(promise="its compute has provably stopped", is_kept=run.compute_stopped_at is not None)

    def show_timeout(self, run_id: str) -> None:
        self.head("4. The run that times out")
        run = self.watch(run_id)
        self.report.add_run("times out", RunStatus.TIMEOUT, run)
        code = run.error.code if run.error else None
        self.report.check(promise="its error is RUN_TIMEOUT", is_kept=code == "RUN_TIMEOUT")
        self.show_patch(run_id, expected_files={"unfinished.txt"})

    def dispatch(self, script: str, *, timeout_seconds: int) -> str:
        request = Dispatch(
            agent=AGENT,
            task=script,
            repo=REPOSITORY_NAME,
            branch=BRANCH,
            timeout_seconds=timeout_seconds,
            tags=(("from", "demo"),),
            user_id="demo",
        )
        receipt = self.client.dispatch(request)
        self.say(f"  dispatched {receipt.run_id}")
        return receipt.run_id

    def watch(self, run_id: str) -> Run:
        """Waits for the end and prints each change of status or phase with its time since the dispatch."""
        return wait_for_end(self.client, run_id, on_look=self.make_change_printer(), longest_pause_seconds=POLL_SECONDS)

    def make_change_printer(self) -> Callable[[Run], None]:
        seen: list[Text] = []

        def print_change(run: Run) -> None:
            line = format_activity(run)
            if line not in seen[-1:]:
                seen.append(line)
                seconds = (now_utc() - run.created_at).total_seconds()
                shown = format_outcome(run) if run.is_terminal else line
                self.console.print(Text.assemble(f"  {seconds:5.1f} s  ", shown), soft_wrap=True)

        return print_change

    def wait_for_work(self, run_id: str) -> Run:
        """The run once its agent is at work, or once it has ended without, or as it is when that takes too long."""
        print_change = self.make_change_printer()
        deadline = time.monotonic() + START_ALLOWANCE_SECONDS
        while True:
            run = self.client.get_run(run_id)
            print_change(run)
            is_at_work = run.status == RunStatus.RUNNING and run.phase == "running"
            if is_at_work or run.is_terminal or time.monotonic() > deadline:
                return run
            time.sleep(POLL_SECONDS)

    def show_log(self, run_id: str) -> None:
        self.say("  its log:")
        lines = list(read_whole_log(self.client, run_id))
        for line in lines:
            self.console.print(Text.assemble("    ", format_log_line(line, with_time=False)), soft_wrap=True)
        printed = any("artifacts folder" in line.message for line in lines)
        self.report.check(promise="the log has the agent's last line", is_kept=printed)

    def show_patch(self, run_id: str, *, expected_files: set[str]) -> None:
        """Prints the statistics and the beginning of the patch, and applies it to a fresh clone."""
        try:
            patch = self.client.get_patch(run_id)
        except NotFound:
            self.report.check(promise=f"{run_id} has a patch", is_kept=False)
            return
        changes = read_changes(patch)
        print_part(self.console, render_diffstat(changes))
        for line in patch.decode(errors="replace").splitlines()[:SHOWN_DIFF_LINES]:
            shown = Text(f"    {make_safe(line)}", style=DIFF_STYLES.get(line[:1], "dim"))
            self.console.print(shown, no_wrap=True, overflow="ellipsis")
        names = ", ".join(sorted(expected_files))
        is_complete = expected_files == {change.name for change in changes}
        self.report.check(promise=f"the patch changes {names}", is_kept=is_complete)
        with tempfile.TemporaryDirectory(prefix="outpost-demo-") as folder:
            clone_url = f"{self.git_url.rstrip('/')}/{REPOSITORY_NAME}.git"
            refusal = check_patch_applies(patch, clone_url=clone_url, folder=Path(folder) / "fresh")
        self.report.check(
            promise=f"it applies to a fresh clone{f': {refusal}' if refusal else ''}", is_kept=not refusal
        )

    def check_report(self, run_id: str) -> None:
        """Downloads the artifact; the download itself compares size and SHA-256."""
        found = [each for each in self.client.list_artifacts(run_id).artifacts if each.name == REPORT_NAME]
        self.report.check(promise=f"the artifact {REPORT_NAME} is there", is_kept=bool(found))
        with tempfile.TemporaryDirectory(prefix="outpost-demo-") as folder:
            for artifact in found:
                target = choose_target(Path(folder), artifact.name)
                Download(client=self.client, file=artifact, target=target, may_overwrite=False).run(lambda _size: None)
                self.report.check(promise=f"its SHA-256 is {artifact.sha256}", is_kept=target.is_file())

    def head(self, title: str) -> None:
        self.console.print(Text(f"\n{title}", style="bold"))

    def say(self, message: str) -> None:
        self.console.print(Text(make_safe(message)), soft_wrap=True)
