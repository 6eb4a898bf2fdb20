"""The kill switches as a round of the sweep knows them."""

from dataclasses import dataclass, field

import pytest
from builders import a_run, a_running_run, a_tenant, later
from fake_runs import InMemoryAccounts, InMemoryDeployments

from outpost.domain.kill_switch import KillSwitch
from outpost.domain.run import RunStatus
from outpost.use_cases.look_after_run import Switches

STOP_ALL = KillSwitch("too much", later(), "operator", stop_running=True)
STOP_NEW = KillSwitch("too much", later(), "operator", stop_running=False)


@dataclass
class CountedAccounts(InMemoryAccounts):
    """Accounts that remember who was asked for."""

    asked: list[str] = field(default_factory=list)

    def get(self, tenant_id):
        self.asked.append(tenant_id)
        return super().get(tenant_id)


@dataclass
class CountedDeployments(InMemoryDeployments):
    """A deployment that counts how often it was asked."""

    asked: int = 0

    def get(self):
        self.asked += 1
        return super().get()


@pytest.fixture
def accounts(world):
    world.runs.tenants["other"] = a_tenant(tenant_id="other")
    return CountedAccounts(world.runs)


@pytest.fixture
def deployments(world):
    return CountedDeployments(world.runs)


@pytest.fixture
def switches(deployments, accounts):
    return Switches(deployments, accounts)


@pytest.mark.parametrize("run", [a_run(), a_running_run()])
def test_without_a_switch_nothing_is_stopped(switches, run):
    assert not switches.stop(run)


@pytest.mark.parametrize(("switch", "stops"), [(STOP_ALL, True), (STOP_NEW, False)])
@pytest.mark.parametrize("change", ["change_tenant", "change_deployment"])
def test_a_switch_stops_what_runs_only_where_it_says_so(world, switches, change, switch, stops):
    getattr(world, change)(kill_switch=switch)
    assert switches.stop(a_running_run()) is stops


def test_a_tenants_switch_stops_its_own_runs_and_no_others(world, switches):
    world.change_tenant(kill_switch=STOP_ALL)
    assert switches.stop(a_run())
    assert not switches.stop(a_run(tenant_id="other"))


def test_the_deployments_switch_stops_the_runs_of_all(world, switches):
    world.change_deployment(kill_switch=STOP_ALL)
    assert switches.stop(a_run(tenant_id="other"))


def test_what_is_on_its_way_out_is_not_stopped_again(world, switches):
    world.change_tenant(kill_switch=STOP_ALL)
    assert not switches.stop(a_run(status=RunStatus.CANCELLING))


def test_a_run_of_nobody_is_stopped_by_no_tenants_switch(switches):
    assert not switches.stop(a_run(tenant_id="nobody"))


@pytest.mark.parametrize("switch", [None, STOP_ALL])
def test_each_switch_is_read_once_in_a_round(world, switches, accounts, deployments, switch):
    world.change_tenant(kill_switch=switch)
    answers = [switches.stop(a_run(tenant_id=name)) for name in ("acme", "other", "acme", "other")]
    assert answers == [switch is not None, False, switch is not None, False]
    assert (accounts.asked, deployments.asked) == (["acme", "other"], 1)


def test_the_sweep_reads_the_switches_once_for_all_runs_of_a_tenant(world, accounts, deployments):
    world.add(*(a_run(run_id=f"01Q3ENHRG0{number:016d}") for number in range(20)))
    world.change_tenant(kill_switch=STOP_ALL)
    world.clock.move(seconds=90)
    world.sweep(accounts=accounts, deployments=deployments)
    assert {run.status for run in world.runs.records.values()} == {RunStatus.CANCELLING}
    # The deployment is asked a second time for its breakers.
    assert (accounts.asked, deployments.asked) == (["acme"], 2)
