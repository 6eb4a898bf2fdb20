"""The extract of GitHub's description says what it is, and finds what is not as it says."""

import pytest

from .github_contract import DESCRIPTION, OPERATIONS, find_faults, make_example
from .promotion_platform import COMPLETE_BODY


def test_the_extract_names_its_source_and_licence():
    source = DESCRIPTION["source"]
    assert (source["package"], source["license"]) == ("@octokit/openapi", "MIT")
    assert source["version"][0].isdecimal()
    assert source["notice"].startswith("MIT License Copyright")


@pytest.mark.parametrize("change", [{"head": None}, {"draft": "no"}, {"title": 1}])
def test_a_request_that_is_otherwise_is_found(change):
    body = {"title": "a", "head": "b", "base": "main", "body": "", "draft": False}
    assert find_faults(OPERATIONS["pulls/create"]["body"], body) == []
    assert find_faults(OPERATIONS["pulls/create"]["body"], body | change) != []


@pytest.mark.parametrize("missing", ["number", "html_url", "state", "head"])
def test_an_answer_that_lacks_something_is_found(missing):
    schema = OPERATIONS["pulls/create"]["answers"]["201"]
    pull = make_example(schema)
    assert find_faults(schema, pull) == []
    del pull[missing]
    assert find_faults(schema, pull) != []


def test_a_report_of_the_end_that_is_otherwise_is_found():
    assert find_faults(COMPLETE_BODY, {"outcome": "promoted"}) != []
