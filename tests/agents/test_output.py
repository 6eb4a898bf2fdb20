"""The agent's output arrives line by line, bounded, readable and without secrets."""

import json
import random
import string

import pytest

from .scripted_platform import NO_CREDENTIALS, SESSION_TOKEN

SECRET = "sk-provider-0123456789-abcdefghij"
CREDENTIALS = NO_CREDENTIALS | {"environment": {"DEPLOY_KEY": SECRET}}
UNLIMITED = {
    "outputBytes": 50_000_000,
    "patchBytes": 5_000_000,
    "artifactBytes": 1,
    "artifactCount": 1,
    "artifactsTotalBytes": 1,
}


def limited(output_bytes):
    return {**UNLIMITED, "outputBytes": output_bytes}


def test_each_line_is_one_json_object_with_its_stream(run):
    runner = run("echo out; echo err >&2; printf 'no end'")
    assert runner.lines("stdout") == ["out", "no end"]
    assert runner.lines("stderr") == ["err"]


def test_a_line_on_the_wire_is_compact(run):
    runner = run("echo 'a \"b\" ü'")
    assert '{"stream":"stdout","message":"a \\"b\\" ü"}' in runner.raw.decode().splitlines()


def test_the_output_is_uploaded_as_a_log(platform, run):
    run("echo first; echo second")
    assert platform.objects["output.log"] == b"first\nsecond\n"


def test_a_run_without_output_has_no_log(platform, run):
    run("true")
    assert platform.completion["uploads"] == []


def test_lines_arrive_while_the_agent_still_runs(start):
    runner = start("echo early; sleep 20")
    runner.wait_until_it_shows('"early"')
    assert runner.process.poll() is None


def test_bytes_that_are_no_text_become_replacement_characters(run):
    runner = run("printf 'a\\xff\\x00b\\n\\xc3'")
    assert runner.lines("stdout") == ["a\ufffd\x00b", "\ufffd"]


def test_a_character_that_two_writes_split_stays_whole(run):
    assert run("printf '\\xc3'; sleep 0.2; printf '\\xa9\\n'").lines("stdout") == ["é"]


def test_a_long_line_comes_in_pieces(run):
    runner = run("head -c 20000 /dev/zero | tr '\\0' x; echo; echo next")
    assert [len(line) for line in runner.lines("stdout")] == [8192, 8192, 3616, 4]


@pytest.mark.parametrize("character", ["\U0001f600", "\u20ac", "é", '"', "\x01", "\ufffd"])
def test_a_line_on_the_wire_stays_below_sixteen_kibibytes(run, character):
    script = f"import sys; sys.stdout.buffer.write(('x' + {character!r} * 20_000).encode())"
    runner = run(f"python3 - <<'END'\n{script}\nEND")
    assert max(map(len, runner.raw.splitlines())) < 16 * 1024
    assert "".join(runner.lines("stdout")) == "x" + character * 20_000


def test_secrets_are_redacted_wherever_they_show(platform, run):
    encoded = "c2stcHJvdmlkZXItMDEyMzQ1Njc4OS1hYmNkZWZnaGlq"
    run(f"echo key={SECRET}; echo {SESSION_TOKEN} >&2; echo {encoded}", credentials=CREDENTIALS)
    assert sorted(platform.objects["output.log"].splitlines()) == [b"[redacted]", b"[redacted]", b"key=[redacted]"]
    assert platform.completion["result"]["summary"].count("[redacted]") == 3


def test_a_secret_across_the_cut_of_a_long_line_is_redacted(platform, run):
    script = f"head -c 8185 /dev/zero | tr '\\0' x; printf '{SECRET[:10]}'; sleep 0.3; printf '{SECRET[10:]}'; "
    runner = run(script + "head -c 9000 /dev/zero | tr '\\0' y", credentials=CREDENTIALS)
    text = "".join(runner.lines("stdout"))
    assert text == "x" * 8185 + "[redacted]" + "y" * 9000


def test_past_the_limit_output_is_dropped_with_one_notice(platform, run):
    runner = run("seq 1 100000", limits=limited(1000))
    text = "".join(f"{line}\n" for line in runner.lines("stdout"))
    notices = [line for line in runner.lines("runner") if "limit" in line]
    assert len(text.encode()) <= 1000
    assert text.startswith("1\n2\n3\n")
    assert notices == ["The output limit of 1000 bytes is reached; what follows is dropped."]
    assert len(platform.objects["output.log"]) <= 1000 + len(notices[0]) + 1


def test_lines_without_text_use_up_the_limit_too(platform, run):
    runner = run("yes '' | head -n 100000", limits=limited(64_000))
    assert len(runner.lines("stdout")) == 1000
    assert platform.objects["output.log"].count(b"\n") == 1001


def test_the_summary_is_the_true_end_of_an_output_past_the_limit(platform, run):
    run("seq 1 100000; echo the end", limits=limited(1000))
    assert platform.completion["result"]["summary"].endswith("100000\nthe end")


def test_the_first_whole_line_of_a_long_tail_is_whole(platform, run):
    run("head -c 300000 /dev/zero | tr '\\0' x; echo; echo this is the result", limits=limited(1000))
    assert platform.completion["result"]["summary"].endswith("x\nthis is the result")


def test_a_line_that_begins_within_the_limit_and_ends_past_it_is_whole(platform, run):
    run("seq 1 1000; printf 'this is '; sleep 0.5; echo the result", limits=limited(1000))
    assert platform.completion["result"]["summary"].endswith("1000\nthis is the result")


def test_of_a_line_whose_beginning_is_lost_nothing_is_told(platform, run):
    secret = "".join(random.Random(1).choices(string.ascii_letters, k=50_000))  # noqa: S311 not for secrecy
    script = 'seq 1 1000; sleep 0.5; for n in $(seq 20); do printf %s "$LONG_KEY"; done'
    run(script, credentials=NO_CREDENTIALS | {"environment": {"LONG_KEY": secret}}, limits=limited(1000))
    assert platform.completion["result"]["summary"] == "996\n997\n998\n999\n1000"


def test_two_hundred_megabytes_pass_quickly_and_in_little_memory(platform, run):
    runner = run("head -c 200M /dev/zero | tr '\\0' '\\n' | sed s/^/line/ | head -c 200M", limits=limited(10_000_000))
    assert platform.completion["outcome"] == "succeeded"
    assert runner.seconds < 25
    assert runner.peak_memory_mb < 100


def test_one_line_of_two_hundred_megabytes_passes_in_little_memory(platform, run):
    runner = run("head -c 200M /dev/zero | tr '\\0' x", limits=UNLIMITED)
    assert platform.completion["outcome"] == "succeeded"
    assert {len(line) for line in runner.lines("stdout")[:-1]} == {8192}
    assert runner.peak_memory_mb < 100


def test_an_agent_that_closes_its_output_goes_on(platform, run):
    run("exec >&- 2>&-; sleep 0.5; touch later; exit 0")
    assert platform.completion["result"]["filesChanged"] == 1


def test_a_log_that_nobody_reads_any_more_does_not_end_the_run(start, platform):
    runner = start("sleep 1; seq 1 100000; echo end", limits=UNLIMITED)
    platform.wait_for_phase("running")
    runner.stop_reading()
    assert runner.wait() == 0
    assert platform.objects["output.log"].endswith(b"100000\nend\n")


def test_a_log_that_stands_still_does_not_hold_up_the_end(start, platform):
    runner = start("sleep 1; seq 1 2000000", timeoutSeconds=3, limits=UNLIMITED)
    platform.wait_for_phase("running")
    runner.stand_still()
    assert runner.wait() == 11
    assert runner.seconds < 12
    assert platform.completion["outcome"] == "timeout"


def test_a_log_that_stands_still_hides_no_end_of_the_output(start, platform):
    runner = start("sleep 1; for n in $(seq 1550); do printf '%0900d\n' $n; done; echo end", limits=UNLIMITED)
    platform.wait_for_phase("running")
    runner.stand_still()
    assert runner.wait() == 0
    assert platform.objects["output.log"].splitlines()[-2:] == [b"%0900d" % 1550, b"end"]
    assert platform.completion["result"]["summary"].endswith("\nend")


def test_every_line_of_the_runners_output_is_json(run):
    runner = run("printf '\\033[31mred\\033[0m\\r\\n'; echo '{\"not\": \"ours\"}'")
    records = [json.loads(line) for line in runner.raw.decode().splitlines()]
    assert {record["stream"] for record in records} == {"stdout", "runner"}
    assert runner.lines("stdout") == ["\x1b[31mred\x1b[0m", '{"not": "ours"}']
