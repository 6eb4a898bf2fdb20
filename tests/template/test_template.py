"""The template, the code, the state machine and the documents say the same."""

import ast
import re
from itertools import chain

import pytest
import yaml
from deployment import ROOT, read_template
from policies import statements

from outpost.api.errors import _TABLE, DEFECT
from outpost.api.routes import ROUTES
from outpost.domain.agents import AGENTS
from outpost.domain.run import RunStatus
from outpost.domain.run_error import RunErrorCode
from outpost.settings import Settings

TEMPLATE = read_template()
RESOURCES = TEMPLATE["Resources"]
MACHINE_FILE = ROOT / "statemachines" / "run_agent.asl.yaml"
MACHINE = yaml.safe_load(MACHINE_FILE.read_text())
STATES = MACHINE["States"]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def of_type(kind):
    return {name: resource for name, resource in RESOURCES.items() if resource["Type"] == kind}


FUNCTIONS = of_type("AWS::Serverless::Function")


def api_events(function):
    events = FUNCTIONS[function]["Properties"].get("Events", {})
    return {(e["Properties"]["Method"], e["Properties"]["Path"]) for e in events.values() if e["Type"] == "Api"}


def test_every_function_has_its_folder_and_every_folder_its_function():
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
    assert {f["Properties"]["CodeUri"].removeprefix("functions/") for f in FUNCTIONS.values()} == folders
    assert {name.removesuffix("Function").lower() for name in FUNCTIONS} == folders


@pytest.mark.parametrize("function", sorted({route.function for route in ROUTES}))
def test_a_function_has_the_routes_that_the_table_gives_it(function):
    expected = {(route.method, route.path) for route in ROUTES if route.function == function}
    given = {event for event in api_events(f"{function.title()}Function") if event[0] != "ANY"}
    assert given == expected


def test_every_path_answers_a_wrong_method_itself():
    any_paths = {path for method, path in api_events("HealthFunction") if method == "ANY"}
    assert any_paths == {route.path for route in ROUTES} | {"/{proxy+}"}


@pytest.mark.parametrize("name", sorted({route.function for route in ROUTES}))
def test_a_function_registers_exactly_its_routes(name):
    tree = ast.parse((ROOT / "functions" / name / "app.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "app.route"]
    registered = {tuple(argument.value for argument in call.args) for call in calls}
    assert registered == {(route.method, route.path) for route in ROUTES if route.function == name}


def test_every_setting_is_a_variable_of_the_template_and_every_variable_is_used():
    variables = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"].keys()
    expected = {name.upper() for name in Settings.__dataclass_fields__}
    assert {name for name in variables if not name.startswith("POWERTOOLS_")} == expected


def test_every_substitution_of_the_machine_is_given_and_used():
    used = set(re.findall(r"\$\{(\w+)\}", MACHINE_FILE.read_text()))
    assert used == RESOURCES["RunAgent"]["Properties"]["DefinitionSubstitutions"].keys()


def test_every_agent_has_a_task_definition_logs_and_a_repository():
    families = {r["Properties"]["Family"]["Fn::Sub"] for r in of_type("AWS::ECS::TaskDefinition").values()}
    groups = {r["Properties"]["LogGroupName"]["Fn::Sub"] for r in of_type("AWS::Logs::LogGroup").values()}
    repositories = {r["Properties"]["RepositoryName"] for r in of_type("AWS::ECR::Repository").values()}
    assert families == {f"outpost-{agent}-${{Env}}" for agent in AGENTS}
    assert {f"/outpost/${{Env}}/agents/{agent}" for agent in AGENTS} <= groups
    assert repositories == {f"outpost-{agent}" for agent in (*AGENTS, "base")}


def test_only_agents_with_an_image_are_available():
    built = {path.parent.name for path in (ROOT / "agents").glob("*/Dockerfile")} - {"base"}
    assert {agent.name for agent in AGENTS.values() if agent.available} == built


def test_a_task_has_no_role():
    assert all("TaskRoleArn" not in r["Properties"] for r in of_type("AWS::ECS::TaskDefinition").values())


def test_a_task_has_the_time_to_stop_that_the_run_grants_it():
    containers = [r["Properties"]["ContainerDefinitions"][0] for r in of_type("AWS::ECS::TaskDefinition").values()]
    assert {container["StopTimeout"] for container in containers} == {120}


@pytest.mark.parametrize("name", sorted(of_type("AWS::DynamoDB::Table")))
def test_a_table_outlives_the_stack_and_can_be_restored(name):
    table = RESOURCES[name]
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_the_tables_have_the_documented_names():
    names = {table["Properties"]["TableName"]["Fn::Sub"] for table in of_type("AWS::DynamoDB::Table").values()}
    assert names == {f"outpost-{name}-${{Env}}" for name in ("jobs", "api-keys", "tenants", "audit", "workspaces")}


@pytest.mark.parametrize("name", sorted(of_type("AWS::S3::Bucket")))
def test_a_bucket_is_closed_encrypted_and_cleaned(name):
    properties = RESOURCES[name]["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert "BucketEncryption" in properties
    assert properties["LifecycleConfiguration"]["Rules"]


@pytest.mark.parametrize("name", sorted(of_type("AWS::Logs::LogGroup")))
def test_a_log_group_forgets(name):
    assert RESOURCES[name]["Properties"]["RetentionInDays"] in {30, 90}


def all_statements():
    roles = of_type("AWS::IAM::Role").values()
    documents = [policy["PolicyDocument"] for role in roles for policy in role["Properties"].get("Policies", [])]
    machine = RESOURCES["RunAgent"]["Properties"]["Policies"]
    mine = chain.from_iterable(statements(function) for function in FUNCTIONS)
    return [*mine, *chain.from_iterable(document["Statement"] for document in (*documents, *machine))]


def test_no_role_has_a_wildcard_action():
    actions = [s["Action"] if isinstance(s["Action"], list) else [s["Action"]] for s in all_statements()]
    assert not [action for action in chain.from_iterable(actions) if "*" in action]


def test_a_wildcard_resource_has_a_condition_or_no_narrower_form():
    wide = [s["Action"] for s in all_statements() if s.get("Resource") == "*" and "Condition" not in s]
    assert wide == ["ecr:GetAuthorizationToken"]


def test_no_function_may_change_or_delete_an_event():
    on_audit = [s for s in all_statements() if "AuditTable" in str(s["Resource"])]
    assert {str(s["Action"]) for s in on_audit if "JobsTable" not in str(s["Resource"])} == {"dynamodb:PutItem"}


def test_only_the_dispatch_and_sweep_functions_may_start_executions():
    may = {name for name in FUNCTIONS if "states:StartExecution" in str(statements(name))}
    assert may == {"DispatchFunction", "SweepFunction"}


def test_the_read_function_may_only_read():
    verbs = {
        action.split(":")[1]
        for s in statements("ReadFunction")
        for action in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])
    }
    assert {re.match("[A-Z][a-z]+", verb)[0] for verb in verbs} == {"Get", "Query"}


def test_every_event_target_has_a_dead_letter_queue():
    rules = [
        e
        for f in FUNCTIONS.values()
        for e in f["Properties"].get("Events", {}).values()
        if e["Type"] == "EventBridgeRule"
    ]
    assert len(rules) == 2
    assert all("DeadLetterConfig" in rule["Properties"] for rule in rules)


def test_parameters_and_outputs_are_described():
    described = {**TEMPLATE["Parameters"], **TEMPLATE["Outputs"]}
    assert [name for name, value in described.items() if not value.get("Description")] == []


def targets(state):
    direct = [state[key] for key in ("Next", "Default") if key in state]
    return [*direct, *(rule["Next"] for key in ("Choices", "Catch") for rule in state.get(key, []))]


def test_every_state_leads_somewhere_and_can_be_reached():
    reached, open_ends = set(), [MACHINE["StartAt"]]
    while open_ends:
        name = open_ends.pop()
        open_ends += [target for target in targets(STATES[name]) if target not in reached]
        reached.add(name)
    assert reached == STATES.keys()


@pytest.mark.parametrize("name", STATES)
def test_a_state_says_what_it_is_for_and_how_it_ends(name):
    state = STATES[name]
    assert state["Comment"]
    assert targets(state) or state["Type"] in {"Succeed", "Fail"}


@pytest.mark.parametrize("name", [name for name, state in STATES.items() if state["Type"] == "Task"])
def test_a_task_state_has_a_timeout_a_catch_of_everything_and_bounded_retries(name):
    state = STATES[name]
    assert state["TimeoutSeconds"]
    assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"]
    assert all({"MaxAttempts", "MaxDelaySeconds"} <= retry.keys() for retry in state["Retry"])
    assert {retry["JitterStrategy"] for retry in state["Retry"]} == {"FULL"}
    assert not {"States.ALL", "States.TaskFailed"} & set(chain.from_iterable(r["ErrorEquals"] for r in state["Retry"]))


def test_the_machine_mirrors_every_way_to_end():
    conditions = " ".join(choice["Condition"] for choice in STATES["MirrorOutcome"]["Choices"])
    mirrored = {status for status in RunStatus if status.is_terminal} | {RunStatus.PENDING}
    assert set(re.findall(r"'([A-Z]+)'", conditions)) == mirrored


def documented(text):
    return [path.name for path in DOCUMENTS if text in path.read_text()]


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.function != "broker"], ids=lambda r: f"{r.method} {r.path}"
)
def test_every_route_is_in_the_documentation(route):
    assert re.search(rf"\| {route.method} \| `{re.escape(route.path)}` \|", (ROOT / "docs" / "api.md").read_text())


def test_the_documentation_has_no_route_that_does_not_exist():
    rows = set(
        re.findall(r"^\| (GET|POST|PUT|DELETE) \| `([^`]+)` \|", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE)
    )
    assert rows == {(route.method, route.path) for route in ROUTES if route.function != "broker"}


@pytest.mark.parametrize("code", sorted({answer.code for _, answer in _TABLE} | {DEFECT.code}))
def test_every_error_code_is_in_the_documentation(code):
    assert "api.md" in documented(f"`{code}`")


@pytest.mark.parametrize("code", RunErrorCode)
def test_every_way_for_a_run_to_end_badly_is_in_the_documentation(code):
    assert "api.md" in documented(f"`{code}`")


@pytest.mark.parametrize("status", RunStatus)
def test_every_status_is_in_the_documentation(status):
    assert "api.md" in documented(f"`{status}`")


@pytest.mark.parametrize("parameter", TEMPLATE["Parameters"])
def test_every_parameter_is_in_the_documentation(parameter):
    assert "operations.md" in documented(f"`{parameter}`")


@pytest.mark.parametrize("name", sorted(of_type("AWS::CloudWatch::Alarm")))
def test_every_alarm_has_its_heading(name):
    assert re.search(
        rf"^#+ .*{RESOURCES[name]['Properties']['AlarmName']['Fn::Sub'].removesuffix('-${Env}')}",
        (ROOT / "docs" / "operations.md").read_text(),
        re.MULTILINE,
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_and_target_in_the_documents_exists(document):
    text = document.read_text()
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if not link.startswith(("http", "#"))]
    makefile = (ROOT / "Makefile").read_text()
    assert [link for link in links if not (document.parent / link).exists()] == []
    assert [
        t
        for t in re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)
        if not re.search(rf"^{t}:", makefile, re.MULTILINE)
    ] == []
