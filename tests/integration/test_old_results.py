"""What a run still shows once the bucket's lifecycle has removed what it stored."""

from datetime import timedelta

import pytest
from builders import CLAIM, a_report, a_run, a_running_run, an_admission, an_event, later
from deployment import read_template
from fakes import SteppedClock

from outpost.adapters.s3_files import S3Files
from outpost.domain.errors import PatchNotFound
from outpost.domain.report import Artifact
from outpost.domain.run import RESULTS_KEPT
from outpost.use_cases.find_results import find_patch, read_task, stored_files

PATCH = Artifact(1, "changes.patch", "patch", 1, "0" * 64, "text/x-diff")


@pytest.fixture
def old_run(dynamo_runs):
    run = a_run(task_in_bucket=True, task="the beginning")
    dynamo_runs.create(run, an_event(), an_admission())
    reported = a_running_run(task_in_bucket=True, task="the beginning").reported(a_report(), claim_id=CLAIM)
    return dynamo_runs.save(run, reported, an_event(event_id="01Q3ENHRG0SECOND"), [PATCH])


def test_the_time_is_the_lifecycle_rules():
    rules = read_template()["Resources"]["ArtifactsBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert {timedelta(days=rule["ExpirationInDays"]) for rule in rules} == {RESULTS_KEPT}


def test_young_results_are_listed(old_run, dynamo_runs):
    clock = SteppedClock(later(days=89))
    assert stored_files(old_run, runs=dynamo_runs, clock=clock) == (PATCH,)


def test_old_results_are_not_offered(old_run, dynamo_runs):
    clock = SteppedClock(later(days=90))
    assert stored_files(old_run, runs=dynamo_runs, clock=clock) == ()
    with pytest.raises(PatchNotFound):
        find_patch("acme", old_run.run_id, runs=dynamo_runs, clock=clock)


def test_an_old_task_is_shown_by_its_beginning(old_run, deployment):
    files = S3Files(deployment.s3, deployment.settings)
    assert read_task(old_run, files=files, clock=SteppedClock(later(days=90))) is None
