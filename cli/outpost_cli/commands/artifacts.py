"""`outpost artifacts`: the files that a run left, listed or downloaded."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.text import Text

from outpost_cli.client import OutpostClient
from outpost_cli.commands.arguments import RunArgument
from outpost_cli.download import Download, choose_target
from outpost_cli.errors import DownloadFailed, OutpostError, UsageRefused
from outpost_cli.json_fields import JsonObject
from outpost_cli.models.result import Artifact, ArtifactList
from outpost_cli.output import Output, make_safe
from outpost_cli.session import Session, with_session
from outpost_cli.views import render_artifacts


@with_session
def fetch_artifacts(
    session: Session,
    *,
    run: RunArgument,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these files.")] = None,
    download: Annotated[
        Path | None, typer.Option("--download", "-d", metavar="DIR", help="Save them below DIR.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
) -> None:
    """List or download the files that a run left; what is downloaded is checked against its SHA-256.

    Examples:

    outpost artifacts last

    outpost artifacts last report.html --download out
    """
    with session.open_client() as client:
        found = client.list_artifacts(client.resolve_run_id(run))
        chosen = choose_artifacts(found, names or [])
        if download is None:
            session.output.show_result(describe_chosen(found, chosen), render_artifacts(chosen))
            return
        failures = download_all(client, session.output, chosen, folder=download, may_overwrite=overwrite)
    if failures:
        raise failures[0]


def choose_artifacts(found: ArtifactList, names: list[str]) -> list[Artifact]:
    """The named files, or all. Raises UsageRefused for a name that the run has not."""
    missing = sorted(set(names) - {artifact.name for artifact in found.artifacts})
    if missing:
        raise UsageRefused(f"The run has no file {missing[0]!r}.", remedy="`outpost artifacts RUN` lists its files.")
    return [artifact for artifact in found.artifacts if not names or artifact.name in names]


def describe_chosen(found: ArtifactList, chosen: list[Artifact]) -> JsonObject:
    return {**found.document, "artifacts": [artifact.document for artifact in chosen]}


def download_all(
    client: OutpostClient, output: Output, artifacts: Iterable[Artifact], *, folder: Path, may_overwrite: bool
) -> list[OutpostError]:
    """Downloads each file; one that fails does not keep the others from coming. Tells and returns the failures."""
    saved: list[JsonObject] = []
    failures: list[OutpostError] = []
    taken: set[Path] = set()
    with make_progress(output) as progress:
        for artifact in artifacts:
            try:
                target = claim_target(folder, artifact, taken)
                save_one(client, progress, artifact, target, may_overwrite=may_overwrite)
            except OutpostError as error:
                failures.append(error)
            else:
                saved.append({"name": artifact.name, "path": str(target), "sha256": artifact.sha256})
    for failure in failures[1:]:
        output.say(make_safe(failure.message))
    readable = [Text(make_safe(str(entry["path"]))) for entry in saved]
    output.show_result({"downloaded": [*saved]}, *readable)
    return failures


def claim_target(folder: Path, artifact: Artifact, taken: set[Path]) -> Path:
    """A path that no other file of this download has: an artifact may bear the name of the patch."""
    target = choose_target(folder, artifact.name)
    if target in taken:
        raise DownloadFailed(
            f"Two files of the run are called {artifact.name!r}.",
            remedy="Fetch the second by its URL: --json lists it.",
        )
    taken.add(target)
    return target


def save_one(
    client: OutpostClient, progress: Progress, artifact: Artifact, target: Path, *, may_overwrite: bool
) -> None:
    bar = progress.add_task(make_safe(artifact.name), total=artifact.size_bytes)
    Download(client=client, file=artifact, target=target, may_overwrite=may_overwrite).run(
        lambda size_bytes: progress.update(bar, completed=size_bytes)
    )


def make_progress(output: Output) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=output.stderr,
        disable=not output.stderr.is_terminal,
    )
