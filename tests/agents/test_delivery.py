"""Results arrive whole, within the limits, or the run says that they did not."""

import hashlib

import pytest
from werkzeug.wrappers import Response

from .scripted_platform import failure

LIMITS = {
    "outputBytes": 1_000_000,
    "patchBytes": 5_000_000,
    "artifactBytes": 1000,
    "artifactCount": 3,
    "artifactsTotalBytes": 1500,
}


def artifact_names(platform):
    return [upload["name"] for upload in platform.completion["uploads"] if upload["type"] == "artifact"]


def test_everything_arrives_with_its_size_hash_and_type(platform, run, cloned):
    run('echo more >> README.md; echo hi; cd "$OUTPOST_ARTIFACTS_DIR"; mkdir "a b"; echo "{}" > "a b/r.json"')
    uploads = {upload["name"]: upload for upload in platform.completion["uploads"]}
    assert list(uploads) == ["changes.patch", "output.log", "a b/r.json"]
    assert uploads["a b/r.json"] == {
        "name": "a b/r.json",
        "type": "artifact",
        "sizeBytes": 3,
        "sha256": hashlib.sha256(b"{}\n").hexdigest(),
        "contentType": "application/json",
    }
    assert platform.objects["a b/r.json"] == b"{}\n"
    assert uploads["changes.patch"]["contentType"] == "text/x-diff; charset=utf-8"


def test_artifacts_over_a_limit_are_left_out_with_the_reason(platform, run):
    run(
        'cd "$OUTPOST_ARTIFACTS_DIR"; for n in a b c; do head -c 600 /dev/zero > $n; done; '
        "head -c 1001 /dev/zero > big; echo > d; echo > e",
        limits=LIMITS,
    )
    assert artifact_names(platform) == ["a", "b", "d"]
    assert platform.completion["omitted"] == [
        {"name": "big", "reason": "It is larger than 1000 bytes."},
        {"name": "c", "reason": "All artifacts together are larger than 1500 bytes."},
        {"name": "e", "reason": "There are more than 3 artifacts."},
    ]


def test_at_most_twenty_omissions_are_told(platform, run):
    run('cd "$OUTPOST_ARTIFACTS_DIR"; for n in $(seq 40); do echo x > $n; done', limits=LIMITS)
    assert len(platform.completion["omitted"]) == 20


def test_only_regular_files_are_artifacts(platform, run):
    run('cd "$OUTPOST_ARTIFACTS_DIR"; ln -s /etc/passwd link; ln -s /etc folder; mkfifo pipe; echo x > real')
    assert artifact_names(platform) == ["real"]


def test_an_artifacts_folder_that_became_a_link_is_not_followed(platform, run):
    run('rmdir "$OUTPOST_ARTIFACTS_DIR"; ln -s /etc "$OUTPOST_ARTIFACTS_DIR"; exit 0')
    assert platform.completion["outcome"] == "succeeded"
    assert artifact_names(platform) == []


def test_names_that_a_name_must_not_have_are_left_out(platform, run):
    run("""cd "$OUTPOST_ARTIFACTS_DIR"; echo x > $'new\\nline'; echo x > $'caf\\xe9'; echo x > good;
        long=$(head -c 200 /dev/zero | tr '\\0' n); mkdir $long; echo x > $long/$long""")
    assert artifact_names(platform) == ["good"]
    assert len(platform.completion["omitted"]) == 3


def test_artifacts_are_kept_after_a_failure(platform, run):
    run('echo x > "$OUTPOST_ARTIFACTS_DIR/kept"; exit 1')
    assert artifact_names(platform) == ["kept"]
    assert platform.completion["outcome"] == "failed"


def test_a_store_that_fails_in_passing_is_tried_again(platform, run):
    platform.script["/store/output.log"].append(Response("SlowDown", 503))
    runner = run("echo hi")
    assert runner.process.returncode == 0
    assert platform.objects["output.log"] == b"hi\n"


def test_an_address_that_ran_out_is_asked_for_anew(platform, run):
    platform.script["/store/output.log"].append(Response("AccessDenied", 403))
    run("echo hi")
    assert len(platform.calls_to("/runner/uploads")) == 2
    assert platform.objects["output.log"] == b"hi\n"


def test_results_that_cannot_be_stored_fail_the_run(platform, run):
    platform.script["/store/output.log"].extend(Response("", 500) for _ in range(9))
    runner = run("echo hi", stopGraceSeconds=3)
    assert runner.process.returncode == 13
    assert platform.completion["outcome"] == "failed"
    assert platform.completion["error"]["code"] == "OUTPUT_FAILED"
    assert platform.completion["uploads"] == []
    assert platform.completion["omitted"] == [{"name": "output.log", "reason": "It could not be uploaded."}]


def test_lost_results_do_not_hide_the_agents_failure(platform, run):
    platform.always["/runner/uploads"] = failure(400)
    runner = run("echo hi; exit 4")
    assert runner.process.returncode == 10
    assert platform.completion["error"]["code"] == "AGENT_FAILED"


def test_artifacts_that_the_broker_refuses_do_not_take_the_patch_with_them(platform, run, cloned):
    platform.refused_upload_type = "artifact"
    run('echo more >> README.md; echo x > "$OUTPOST_ARTIFACTS_DIR/x"')
    assert [upload["name"] for upload in platform.completion["uploads"]] == ["changes.patch"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_end_that_was_not_taken_is_told_again(platform, run, status):
    platform.script["/runner/complete"].append(failure(status))
    assert run("true").process.returncode == 0
    first, second = platform.calls_to("/runner/complete")
    assert first.body == second.body


def test_an_end_that_the_broker_does_not_want_is_no_success(platform, run):
    platform.always["/runner/complete"] = failure(409)
    assert run("true").process.returncode == 143


def test_an_end_that_cannot_be_told_is_no_success(platform, run):
    platform.always["/runner/complete"] = failure(503)
    assert run("true", timeoutSeconds=1, stopGraceSeconds=2).process.returncode == 13
