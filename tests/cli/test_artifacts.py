"""`outpost artifacts`: files come whole, checked, and only where they may."""

import hashlib
import json
from pathlib import Path

import pytest

REPORT = b"<h1>Report</h1>" * 1000


@pytest.fixture
def leave_files(service):
    """Makes the service list these files, each with its true size and SHA-256, and serve them."""

    def leave(**files: bytes):
        names = {name: name.replace("__", "/") for name in files}
        entries = [
            {
                "name": names[name],
                "type": "artifact",
                "sizeBytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "contentType": "text/html",
                "url": service.file_url(name),
                "expiresAt": "2026-01-01T13:00:00.000Z",
            }
            for name, content in files.items()
        ]
        list_files(service, entries)
        for name, content in files.items():
            service.on("GET", f"/files/{name}", service.raw(200, content))
        return entries

    return leave


def list_files(service, entries) -> None:
    service.on("GET", f"/runs/{service.run_id}/artifacts", service.data({"artifacts": entries}))


def find_files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def test_the_list_shows_name_type_size_and_checksum(outpost, service, leave_files):
    (entry,) = leave_files(report=REPORT)
    assert outpost("artifacts", service.run_id).stdout.splitlines()[1].split() == [
        *("report", "artifact", "14.6", "KiB", entry["sha256"])
    ]


def test_json_is_the_list_as_the_service_told_it(outpost, service, leave_files):
    entries = leave_files(report=REPORT)
    assert json.loads(outpost("artifacts", service.run_id, "--json").stdout) == {"artifacts": entries}


def test_a_download_keeps_folders_and_bytes(outpost, service, leave_files, tmp_path):
    leave_files(site__index=REPORT, empty=b"")
    result = outpost("artifacts", service.run_id, "--download", str(tmp_path / "out"))
    assert result.exit_code == 0
    assert (tmp_path / "out" / "site" / "index").read_bytes() == REPORT
    assert find_files(tmp_path / "out") == ["empty", "site/index"]


def test_a_download_does_not_show_the_key_to_the_store(outpost, service, leave_files, tmp_path):
    leave_files(report=REPORT)
    outpost("artifacts", service.run_id, "--download", str(tmp_path))
    assert "authorization" not in service.seen_on("GET", "/files/report")[0].headers


def test_names_choose_what_is_downloaded(outpost, service, leave_files, tmp_path):
    leave_files(one=b"1", two=b"2")
    result = outpost("artifacts", service.run_id, "two", "--download", str(tmp_path / "out"), "--json")
    (saved,) = json.loads(result.stdout)["downloaded"]
    assert saved["path"] == str(tmp_path / "out" / "two")
    assert find_files(tmp_path / "out") == ["two"]


def test_a_name_that_the_run_has_not_is_wrong_usage(outpost, service, leave_files):
    leave_files(one=b"1")
    assert outpost("artifacts", service.run_id, "three").exit_code == 2


@pytest.mark.parametrize("arrived", [REPORT[:-1] + b"!", REPORT[:-1], REPORT + b"!"])
def test_wrong_bytes_are_refused_and_leave_nothing_behind(outpost, service, leave_files, tmp_path, arrived):
    leave_files(report=REPORT)
    service.on("GET", "/files/report", service.raw(200, arrived))
    result = outpost("artifacts", service.run_id, "--download", str(tmp_path / "out"))
    assert result.exit_code == 1
    assert "DOWNLOAD_FAILED" in result.stderr
    assert find_files(tmp_path / "out") == []


def test_a_connection_that_breaks_in_the_middle_leaves_nothing_behind(outpost, service, leave_files, tmp_path):
    leave_files(report=REPORT)
    service.on("GET", "/files/report", service.raw(200, REPORT[:100], {"Content-Length": str(len(REPORT))}))
    result = outpost("artifacts", service.run_id, "--download", str(tmp_path / "out"))
    assert result.exit_code == 7
    assert find_files(tmp_path / "out") == []


def test_a_connection_that_breaks_once_is_tried_again(outpost, service, leave_files, tmp_path):
    leave_files(report=REPORT)
    broken = service.raw(200, REPORT[:100], {"Content-Length": str(len(REPORT))})
    service.on("GET", "/files/report", broken, service.raw(200, REPORT))
    assert outpost("artifacts", service.run_id, "--download", str(tmp_path)).exit_code == 0
    assert (tmp_path / "report").read_bytes() == REPORT


def test_one_file_that_fails_does_not_keep_the_others_from_coming(outpost, service, leave_files, tmp_path):
    leave_files(bad=b"bad", good=b"good")
    service.on("GET", "/files/bad", service.raw(200, b"dab"))
    result = outpost("artifacts", service.run_id, "--download", str(tmp_path / "out"))
    assert result.exit_code == 1
    assert find_files(tmp_path / "out") == ["good"]


@pytest.mark.parametrize(
    "name",
    [
        *("../evil", "a/../../evil", "/etc/evil", "a//b", "./evil", "..", "a\\..\\evil", "C:evil", "evil\x00", "a\nb"),
        *(".git/hooks/pre-commit", "sub/.GIT/config", ""),
    ],
)
def test_a_name_that_would_escape_is_not_written(outpost, service, leave_files, tmp_path, name):
    (entry,) = leave_files(evil=b"evil")
    list_files(service, [{**entry, "name": name}])
    result = outpost("artifacts", service.run_id, "--download", str(tmp_path / "deep" / "out"))
    assert result.exit_code == 1
    assert "is not safe to write" in result.stderr
    assert find_files(tmp_path) == []


def test_a_link_in_the_folder_does_not_lead_out_of_it(outpost, service, leave_files, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "link").symlink_to(tmp_path / "elsewhere")
    leave_files(link__evil=b"evil")
    assert outpost("artifacts", service.run_id, "--download", str(tmp_path / "out")).exit_code == 1
    assert find_files(tmp_path / "elsewhere") == []


def test_a_file_that_exists_is_kept(outpost, service, leave_files, tmp_path):
    (tmp_path / "report").write_text("mine")
    leave_files(report=REPORT)
    assert outpost("artifacts", service.run_id, "--download", str(tmp_path)).exit_code == 2
    assert (tmp_path / "report").read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_wrong_usage(outpost, service, leave_files, tmp_path):
    (tmp_path / "out").write_text("a file")
    leave_files(report=REPORT)
    result = outpost("artifacts", service.run_id, "--download", str(tmp_path / "out"))
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


def test_failures_with_json_are_one_document_and_one_error_at_the_end(outpost, service, leave_files, tmp_path):
    (tmp_path / "one").write_text("mine")
    (tmp_path / "two").write_text("mine")
    leave_files(one=b"1", two=b"2", three=b"3")
    result = outpost("artifacts", service.run_id, "--download", str(tmp_path), "--json")
    assert [saved["name"] for saved in json.loads(result.stdout)["downloaded"]] == ["three"]
    message, error = result.stderr.splitlines()
    assert message == f"{tmp_path / 'two'} exists."
    assert json.loads(error)["message"] == f"{tmp_path / 'one'} exists."


def test_overwrite_replaces_a_file_that_exists(outpost, service, leave_files, tmp_path):
    (tmp_path / "report").write_text("mine")
    leave_files(report=REPORT)
    assert outpost("artifacts", service.run_id, "--download", str(tmp_path), "--overwrite").exit_code == 0
    assert (tmp_path / "report").read_bytes() == REPORT


def test_two_files_of_one_name_do_not_replace_each_other(outpost, service, leave_files, tmp_path):
    first, second = leave_files(one=b"1", two=b"2")
    list_files(service, [first, {**second, "name": "one"}])
    result = outpost("artifacts", service.run_id, "--download", str(tmp_path / "out"), "--overwrite")
    assert "Two files of the run are called 'one'" in result.stderr
    assert (tmp_path / "out" / "one").read_bytes() == b"1"


@pytest.mark.parametrize("url", ["http://[", "nonsense", "file:///etc/passwd", "https://a:b:c/"])
def test_a_link_that_is_none_is_told_without_a_traceback(outpost, service, leave_files, tmp_path, url):
    (entry,) = leave_files(report=REPORT)
    list_files(service, [{**entry, "url": url}])
    result = outpost("artifacts", service.run_id, "--download", str(tmp_path / "out"))
    assert isinstance(result.exception, SystemExit)
    assert result.exit_code in {1, 7}
