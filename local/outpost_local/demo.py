"""The demo: this very repository behind a git server, the whole stack, and a tour of three runs."""

import tempfile
import threading
from pathlib import Path

from rich.console import Console
from rich.text import Text

from outpost_cli import __version__
from outpost_cli.client import OutpostClient
from outpost_cli.settings import API_KEY_VARIABLE, URL_VARIABLE
from outpost_cli.stopping import undisturbed_end
from outpost_local import LocalStack
from outpost_local.demo_report import DemoReport
from outpost_local.demo_repository import REPOSITORY_NAME, DemoRepository, make_repository
from outpost_local.demo_tour import Tour
from outpost_local.git_server import GitServer


def give_tour(console: Console, *, template: Path, keep: bool) -> DemoReport:
    """Takes the tour, then ends everything that it started. With `keep` that waits for Ctrl-C."""
    report = DemoReport(console=console)
    with tempfile.TemporaryDirectory(prefix="outpost-demo-") as folder:
        repository = make_repository(Path(folder), checkout=template.resolve().parent)
        console.print(f"Serving {repository.origin} at {repository.commit[:12]}.")
        with (
            GitServer(repository.folder) as git,
            LocalStack.start(template=template, parameters=choose_parameters(repository, git.url)) as stack,
            undisturbed_end(),
        ):
            for note in stack.notes:
                console.print(Text(f"Note: {note}", style="yellow"), soft_wrap=True)
            with OutpostClient(stack.api_url, stack.api_key) as client:
                Tour(console=console, client=client, git_url=git.url, report=report).take()
            tell_outcome(console, report)
            if keep:
                wait_for_interrupt(console, stack)
    return report


def choose_parameters(repository: DemoRepository, git_url: str) -> dict[str, str]:
    """Of the template: where repositories are, and which release GET /version reports, as far as it is known."""
    release = {"GitSha": repository.commit, "Version": __version__} if repository.is_checkout else {}
    return {"GitBaseUrl": git_url, **release}


def tell_outcome(console: Console, report: DemoReport) -> None:
    if not report.complaints:
        console.print(Text("\nEvery run ended as it should.", style="bold green"))
        return
    console.print(Text("\nNot as it should be:", style="bold red"))
    for complaint in report.complaints:
        console.print(Text(f"  {complaint}"), soft_wrap=True)


def wait_for_interrupt(console: Console, stack: LocalStack) -> None:
    console.print("\nThe stack stays up until Ctrl-C:")
    console.print(f"export {URL_VARIABLE}={stack.api_url}", soft_wrap=True)
    console.print(f"export {API_KEY_VARIABLE}={stack.api_key}", soft_wrap=True)
    console.print(f"It knows one repository, {REPOSITORY_NAME}:")
    console.print(f"outpost dispatch 'git log -1' --agent shell --repo {REPOSITORY_NAME} --follow", soft_wrap=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        console.print("Stopping ...")
