"""What the runner stands: a broker, a network and a disk that are away, and clocks that jump."""

import ast
import time
from pathlib import Path

import pytest
from werkzeug.wrappers import Response

from outpost_runner.retries import Backoff

from .runner_process import AGENTS
from .scripted_platform import failure

STUBBORN = "trap '' TERM; "
GONE = failure(409, status="CANCELLED")


def test_a_broker_that_is_away_while_the_agent_runs_finds_the_run_at_work(platform, server, start):
    runner = start("echo ready; sleep 4; echo end")
    runner.wait_until_it_shows('"ready"')
    server.go_away()
    time.sleep(1.5)
    beats = len(platform.calls_to("/runner/heartbeat"))
    server.come_back()
    assert runner.wait() == 0
    assert platform.phases[beats] == "running"
    assert platform.objects["output.log"] == b"ready\nend\n"


def test_a_network_that_is_away_at_the_end_costs_nothing_but_time(platform, server, start, cloned):
    runner = start("echo done > done.txt; echo ready; sleep 0.5")
    runner.wait_until_it_shows('"ready"')
    server.go_away()
    time.sleep(2)
    assert runner.process.poll() is None
    server.come_back()
    assert runner.wait() == 0
    assert b"done.txt" in platform.objects["changes.patch"]
    assert platform.completion["outcome"] == "succeeded"


def test_a_broker_that_is_away_while_the_end_is_told_hears_it_once(platform, server, start):
    platform.script["/runner/complete"].append(failure(503))
    runner = start()
    platform.wait_for_call("/runner/complete")
    server.go_away()
    time.sleep(2)
    server.come_back()
    assert runner.wait() == 0
    refused, taken = platform.calls_to("/runner/complete")
    assert refused.body == taken.body


def test_a_store_that_fails_for_a_while_gets_the_results_in_the_end(platform, run):
    platform.script["/store/output.log"].extend(Response("SlowDown", 503) for _ in range(4))
    assert run("echo hi").process.returncode == 0
    assert platform.objects["output.log"] == b"hi\n"


def test_waits_between_attempts_are_spread_from_nothing_to_their_bound():
    waits = [Backoff().delay(20) for _ in range(200)]
    assert 0 <= min(waits) < 1
    assert 4 < max(waits) <= 5


def test_a_heartbeat_that_missed_comes_back_sooner_than_the_next(platform, run):
    platform.script["/runner/heartbeat"].extend(failure(503) for _ in range(3))
    run("sleep 2", heartbeatSeconds=60)
    assert len(platform.calls_to("/runner/heartbeat")) >= 4


def test_a_run_that_is_gone_for_every_route_ends_the_agent_and_the_runner(platform, start, at_work):
    runner = start("echo ready; sleep 60")
    runner.wait_until_it_shows('"ready"')
    platform.always.update({f"/runner/{route}": GONE for route in ("heartbeat", "uploads", "complete")})
    assert runner.wait() == 143
    assert runner.seconds < 6
    assert len(platform.calls_to("/runner/complete")) == 1
    assert at_work() == []


def test_a_run_that_is_gone_is_cloned_no_further(platform, run, silent_url, at_work):
    platform.claim["run"]["repo"] = {"url": f"{silent_url}/project.git", "branch": None}
    platform.always["/runner/heartbeat"] = GONE
    runner = run()
    assert runner.process.returncode == 143
    assert runner.seconds < 6
    assert at_work() == []


@pytest.mark.parametrize("manners", ["", STUBBORN], ids=["polite", "stubborn"])
def test_the_agent_is_gone_within_a_second_of_its_deadline(platform, start, manners, at_work):
    runner = start(f"{manners} echo ready; while :; do sleep 0.1; done", timeoutSeconds=2)
    runner.wait_until_it_shows('"ready"')
    (claim,) = platform.calls_to("/runner/claim")
    time.sleep(max(0, claim.at + 1.9 - time.monotonic()))
    assert at_work() != []
    platform.wait_for_phase("collecting")
    time.sleep(max(0, claim.at + 3 - time.monotonic()))
    assert at_work() == []
    assert runner.wait() == 11
    (collecting,) = [call for call in platform.calls_to("/runner/heartbeat") if call.body["phase"] == "collecting"]
    assert 2 <= collecting.at - claim.at < 3


JUMPING = """
import itertools, pathlib, time
true_time, jumps = time.time, itertools.cycle([0, 86400, -86400, 3600])
time.time = lambda: true_time() + next(jumps)
time.time_ns = lambda: int(time.time() * 1e9)
pathlib.Path(__file__).with_name("jumped").touch()
"""


def test_a_wall_clock_that_jumps_by_a_day_moves_no_deadline(platform, run, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(JUMPING)
    runner = run("sleep 60", {"PYTHONPATH": f"{tmp_path}:{AGENTS}"}, timeoutSeconds=2)
    assert (tmp_path / "jumped").exists()
    assert runner.process.returncode == 11
    (claim,), (complete,) = platform.calls_to("/runner/claim"), platform.calls_to("/runner/complete")
    assert 2 <= complete.at - claim.at < 4


WALL_CLOCKS = {"time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.clock_gettime", "datetime"}


def find_wall_clocks(source):
    nodes = list(ast.walk(ast.parse(source)))
    used = {ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)}
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    taken = {name for node in froms for alias in node.names for name in (node.module, f"{node.module}.{alias.name}")}
    return WALL_CLOCKS & (used | imported | taken)


@pytest.mark.parametrize(
    "source", ["import time\ntime.time()", "from time import time", "import datetime", "from datetime import datetime"]
)
def test_a_use_of_the_wall_clock_is_found(source):
    assert len(find_wall_clocks(source)) == 1


# It tells when a provider wants to be asked again, which providers say by the clock; nothing waits for that.
TELLS_THE_TIME = AGENTS / "outpost_runner" / "gateway" / "trouble.py"
MODULES = sorted({*(AGENTS / "outpost_runner").rglob("*.py")} - {TELLS_THE_TIME})


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_no_module_of_the_runner_asks_the_wall_clock(module):
    assert find_wall_clocks(Path(module).read_text()) == set()
