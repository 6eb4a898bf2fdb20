"""Results arrive whole, within the limits, or the run says that they did not."""

import hashlib
import os
import tempfile

import pytest
from werkzeug.wrappers import Response

from outpost_runner.uploads import NotThatFile, UploadKind, describe_file, open_file

from .scripted_platform import NO_CREDENTIALS, failure

# In memory where there is such a place: many files take long on a disk.
QUICK_FOLDER = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()
SECRET = "secret-of-the-caller-0123456789"
CREDENTIALS = NO_CREDENTIALS | {"environment": {"MINE": SECRET}}
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


def test_an_artifact_that_is_exchanged_for_a_link_is_not_uploaded(platform, start, task_root):
    platform.delay_seconds["/runner/uploads"] = 1
    runner = start('echo mine > "$OUTPOST_ARTIFACTS_DIR/a.txt"', timeoutSeconds=3, stopGraceSeconds=2)
    platform.wait_for_call("/runner/uploads")
    (task_root / "private" / "secret").write_text("root\n")
    (task_root / "artifacts" / "a.txt").unlink()
    (task_root / "artifacts" / "a.txt").symlink_to("../private/secret")
    assert runner.wait() == 13
    assert "a.txt" not in platform.stored
    assert platform.completion["error"]["code"] == "OUTPUT_FAILED"


@pytest.mark.parametrize("make", [lambda path: path.symlink_to("/etc/passwd"), os.mkfifo, lambda path: path.mkdir()])
def test_what_is_no_file_is_not_opened(tmp_path, make):
    make(tmp_path / "a.txt")
    with pytest.raises(OSError):  # noqa: PT011  # whichever of them the system says
        describe_file("a.txt", UploadKind.ARTIFACT, tmp_path / "a.txt")


def test_another_file_is_not_opened_in_its_place(tmp_path):
    (tmp_path / "a.txt").write_text("mine")
    (tmp_path / "b.txt").write_text("root")
    upload = describe_file("a.txt", UploadKind.ARTIFACT, tmp_path / "a.txt")
    (tmp_path / "b.txt").replace(tmp_path / "a.txt")
    with pytest.raises(NotThatFile):
        open_file(upload.path, upload.file_id)


def test_names_that_a_name_must_not_have_are_left_out(platform, run):
    run("""cd "$OUTPOST_ARTIFACTS_DIR"; echo x > $'new\\nline'; echo x > $'caf\\xe9'; echo x > good;
        long=$(head -c 200 /dev/zero | tr '\\0' n); mkdir $long; echo x > $long/$long""")
    assert artifact_names(platform) == ["good"]
    assert len(platform.completion["omitted"]) == 3


BAD_NAMES = {
    "backslash": "back\\slash",
    "control character": "bell\a",
    "delete": "delete\x7f",
    "a folder's backslash": "a\\b/c",
    "over 255 characters": "n" * 200 + "/" + "n" * 200,
    "over 700 bytes": "/".join(["€" * 60] * 4),
}


@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES.keys())
def test_a_name_that_the_broker_refuses_is_left_out_before_it_is_asked(platform, run, name):
    script = f"import pathlib; p = pathlib.Path({name!r}); p.parent.mkdir(parents=True, exist_ok=True); p.touch()"
    runner = run(f'cd "$OUTPOST_ARTIFACTS_DIR"; echo x > good; python3 - <<"END"\n{script}\nEND')
    assert runner.process.returncode == 0
    assert artifact_names(platform) == ["good"]
    assert len(platform.calls_to("/runner/uploads")) == 1
    (omitted,) = platform.completion["omitted"]
    assert "name" in omitted["reason"]


SECRET_NAMES = {
    "as it is": (f"{SECRET}.txt", "[redacted].txt"),
    "in hexadecimal": (f"key-{SECRET.encode().hex()}", "key-[redacted]"),
    "of a folder": (f"a/{SECRET}/b", "a/[redacted]"),
    "across the cut": (f"{'n' * 200}/{'n' * 40}{SECRET}", f"{'n' * 200}/{'n' * 40}[redacted]"),
}


@pytest.mark.parametrize(("name", "shown"), SECRET_NAMES.values(), ids=SECRET_NAMES.keys())
def test_a_name_that_holds_a_secret_is_left_out_and_told_without_it(platform, run, name, shown):
    script = f'cd "$OUTPOST_ARTIFACTS_DIR"; echo x > good; mkdir -p ./"$(dirname {name})"; echo x > {name}'
    run(script, credentials=CREDENTIALS, limits=LIMITS)
    assert artifact_names(platform) == ["good"]
    assert platform.completion["omitted"] == [{"name": shown, "reason": "Its name holds a secret."}]


def test_a_name_that_is_told_for_another_reason_is_told_without_secrets(platform, run):
    run(
        f'cd "$OUTPOST_ARTIFACTS_DIR"; seq -w 10003 | xargs touch; echo > "z{SECRET}"',
        credentials=CREDENTIALS,
        limits=LIMITS,
    )
    assert platform.completion["omitted"][0]["name"] == "z[redacted]"


def test_a_type_is_guessed_from_the_suffix_and_from_nothing_else(platform, run):
    run("""cd "$OUTPOST_ARTIFACTS_DIR"; mkdir data:té; echo x > data:té/x,y; echo x > r.json; echo x > odd.sü""")
    types = {upload["name"]: upload["contentType"] for upload in platform.completion["uploads"]}
    unknown = "application/octet-stream"
    assert types == {"data:té/x,y": unknown, "odd.sü": unknown, "r.json": "application/json"}


def test_a_tree_deeper_than_a_path_can_be_costs_only_itself(platform, run, cloned):
    deep = "import os\nfor _ in range(20): os.mkdir('d' * 200); os.chdir('d' * 200)\n"
    script = f'echo more >> README.md; cd "$OUTPOST_ARTIFACTS_DIR"; echo x > kept; python3 -c "{deep}"'
    runner = run(script, {"OUTPOST_TASK_ROOT": ""})
    assert runner.process.returncode == 0
    assert sorted(platform.objects) == ["changes.patch", "kept"]
    assert [omitted["name"][:200] for omitted in platform.completion["omitted"]] == ["d" * 200]


def test_two_hundred_thousand_artifacts_are_searched_in_little_memory(platform, run, cloned):
    create = "import os\nfor n in range(200_000): os.mknod(f'{n:06}')\n"
    script = f'echo more >> README.md; cd "$OUTPOST_ARTIFACTS_DIR"; python3 -c "{create}"'
    runner = run(script, {"OUTPOST_TASK_ROOT": "", "TMPDIR": QUICK_FOLDER})
    assert runner.process.returncode == 0
    assert artifact_names(platform) == [f"{number:06}" for number in range(10)]
    assert platform.completion["omitted"][0] == {
        "name": "010010",
        "reason": "There are too many artifacts to look at: it and what follows are left out.",
    }
    assert runner.peak_memory_mb < 100


def test_artifacts_are_searched_after_the_patch_and_the_log_are_uploaded(platform, start, task_root):
    platform.delay_seconds["/runner/uploads"] = 0.5
    runner = start("echo hi")
    platform.wait_for_call("/runner/uploads")
    (task_root / "artifacts" / "late").write_text("x")
    assert runner.wait() == 0
    assert artifact_names(platform) == ["late"]


def test_artifacts_are_left_out_when_no_time_is_left_for_them(platform, run):
    platform.delay_seconds["/runner/uploads"] = 3
    run('echo hi; echo x > "$OUTPOST_ARTIFACTS_DIR/x"', timeoutSeconds=1, stopGraceSeconds=1)
    reason = "No time was left to look at it and at what follows."
    assert {"name": "x", "reason": reason} in platform.completion["omitted"]


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
    platform.always["/store/output.log"] = Response("", 500)
    runner = run("echo hi", timeoutSeconds=1, stopGraceSeconds=3)
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
    platform.refused_uploads = {"artifact"}
    run('echo more >> README.md; echo x > "$OUTPOST_ARTIFACTS_DIR/x"')
    assert [upload["name"] for upload in platform.completion["uploads"]] == ["changes.patch"]


def test_a_file_that_the_broker_refuses_costs_only_itself(platform, run, cloned):
    platform.refused_uploads = {"bad"}
    runner = run('echo more >> README.md; cd "$OUTPOST_ARTIFACTS_DIR"; for n in a bad c; do echo x > $n; done')
    assert runner.process.returncode == 0
    assert sorted(platform.objects) == ["a", "c", "changes.patch"]
    assert artifact_names(platform) == ["a", "c"]
    assert platform.completion["omitted"] == [{"name": "bad", "reason": "The broker refused it."}]


def test_a_patch_that_the_broker_refuses_fails_the_run_and_leaves_the_log(platform, run, cloned):
    platform.refused_uploads = {"patch"}
    runner = run("echo more >> README.md; echo hi")
    assert runner.process.returncode == 13
    assert platform.completion["error"]["code"] == "OUTPUT_FAILED"
    assert list(platform.objects) == ["output.log"]


def test_a_long_message_is_cut_to_what_the_broker_takes(platform, run):
    platform.claim["run"]["agent"] = "x" * 5000
    assert run().process.returncode == 12
    (complete,) = platform.calls_to("/runner/complete")
    assert len(complete.body["error"]["message"]) == 4000


def test_a_report_that_the_broker_refuses_is_told_again_as_the_smallest(platform, run):
    platform.script["/runner/complete"].append(failure(400))
    runner = run('echo hi; mkdir "$OUTPOST_ARTIFACTS_DIR/a\\b"; exit 4')
    assert runner.process.returncode == 10
    first, second = (call.body for call in platform.calls_to("/runner/complete"))
    assert len(first["omitted"]) == 1
    error = {"code": "AGENT_FAILED", "message": "The report of the end was refused; this is its smallest form."}
    assert second == {**first, "omitted": [], "error": error}


def test_a_report_that_the_broker_refuses_twice_is_no_success(platform, run):
    platform.always["/runner/complete"] = failure(400)
    assert run("true").process.returncode == 13
    assert len(platform.calls_to("/runner/complete")) == 2


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
