"""What an operator says of a plan's repositories: a half that is not named stays."""

import pytest
from builders import a_plan, later
from deployment import make_settings

from outpost.api.parsing import parse_json
from outpost.api.plan_body import PlanBody
from outpost.domain.errors import InputInvalid

RULED = a_plan(allowed_repositories=("acme/*",), denied_repositories=("acme/secret",))


def rules_after(body, plan=RULED):
    """What is allowed and what is denied once the plan is set."""
    changed = parse_json(PlanBody, body).apply(plan, make_settings(), later())
    return changed.allowed_repositories, changed.denied_repositories


@pytest.mark.parametrize(
    ("body", "allowed", "denied"),
    [
        ('{"concurrentRuns": 3}', ("acme/*",), ("acme/secret",)),
        ('{"repositories": {}}', ("acme/*",), ("acme/secret",)),
        ('{"repositories": {"allow": ["acme/site"]}}', ("acme/site",), ("acme/secret",)),
        ('{"repositories": {"allow": null}}', None, ("acme/secret",)),
        ('{"repositories": {"deny": ["acme/keys"]}}', ("acme/*",), ("acme/keys",)),
        ('{"repositories": {"deny": []}}', ("acme/*",), ()),
        ('{"repositories": {"deny": ["acme/keys"], "allow": ["other/*"]}}', ("other/*",), ("acme/keys",)),
        ('{"repositories": null}', None, ()),
        ('{"kind": "standard"}', None, ()),
        ('{"kind": "standard", "repositories": {"deny": ["acme/keys"]}}', None, ("acme/keys",)),
    ],
)
def test_what_is_named_replaces_and_what_is_not_named_stays(body, allowed, denied):
    assert rules_after(body) == (allowed, denied)


def test_a_plan_without_rules_gets_the_half_that_is_named():
    assert rules_after('{"repositories": {"deny": ["acme/keys"]}}', a_plan()) == (None, ("acme/keys",))


@pytest.mark.parametrize("half", ['"allow": []', '"deny": null', '"deny": ["a b"]', '"others": []'])
def test_a_half_that_says_nothing_possible_is_refused(half):
    with pytest.raises(InputInvalid):
        rules_after('{"repositories": {' + half + "}}")
