"""The template, the code, the state machine and the documents say the same."""

import ast
import re
from itertools import chain

import pytest
import yaml
from deployment import ROOT, read_template
from policies import may_touch, statements

from outpost.api.account_bodies import CreateKeyBody, KillSwitchBody, RotateKeyBody, TokenBody
from outpost.api.bodies import LONGEST_TIMEOUT_SECONDS, BatchHeadBody, DispatchBody, PromoteBody
from outpost.api.errors import codes_by_status
from outpost.api.plan_body import MOST_CONCURRENT, MOST_QUEUED, PlanBody
from outpost.api.routes import ROUTES
from outpost.api.secret_bodies import PutSecretBody
from outpost.domain.agents import AGENTS
from outpost.domain.promotion import PromotionErrorCode
from outpost.domain.run import RunStatus
from outpost.domain.run_error import RunErrorCode
from outpost.settings import Settings

TEMPLATE = read_template()
RESOURCES = TEMPLATE["Resources"]
MACHINE_FILES = {"RunAgent": "run_agent.asl.yaml", "PromoteRun": "promote_run.asl.yaml"}
MACHINE_TEXTS = {name: (ROOT / "statemachines" / file).read_text() for name, file in MACHINE_FILES.items()}
MACHINES = {name: yaml.safe_load(text) for name, text in MACHINE_TEXTS.items()}
STATES = [(machine, name) for machine, loaded in MACHINES.items() for name in loaded["States"]]
ADAPTERS_TEXT = "\n".join(
    path.read_text() for path in sorted((ROOT / "layers" / "core" / "outpost" / "adapters").glob("*.py"))
)
API = (ROOT / "docs" / "api.md").read_text()
DATA_MODEL = (ROOT / "docs" / "data-model.md").read_text()
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


def parameter_of(setting):
    """The parameter that is named like the setting."""
    return "".join(word.title() for word in setting.split("_"))


@pytest.mark.parametrize(
    "setting", [name for name in Settings.__dataclass_fields__ if parameter_of(name) in TEMPLATE["Parameters"]]
)
def test_a_setting_that_is_named_like_a_parameter_is_that_parameter(setting):
    variables = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    assert variables[setting.upper()] == {"Ref": parameter_of(setting)}


def test_every_limit_of_the_settings_can_be_set_by_a_parameter():
    numbers = {name for name, field in Settings.__dataclass_fields__.items() if field.type in (int, float)}
    assert {parameter_of(name) for name in numbers} == {
        name
        for name, parameter in TEMPLATE["Parameters"].items()
        if parameter["Type"] == "Number" and name != "FloodLimit"
    }


@pytest.mark.parametrize(
    ("parameter", "most"),
    [
        ("ConcurrentRuns", MOST_CONCURRENT),
        ("QueuedRuns", MOST_QUEUED),
        ("LongestTimeoutSeconds", LONGEST_TIMEOUT_SECONDS),
    ],
)
def test_a_new_tenants_limit_is_one_that_an_operator_could_set(parameter, most):
    assert TEMPLATE["Parameters"][parameter]["MaxValue"] == most


def test_a_trial_is_two_weeks_fifty_dispatches_and_five_hundred_minutes():
    names = ("TrialDays", "TrialDispatches", "TrialAgentMinutes", "TrialWorkspaces")
    assert [TEMPLATE["Parameters"][name]["Default"] for name in names] == [14, 50, 500, 20]


def test_every_machine_of_the_template_is_a_file_and_every_file_a_machine():
    uris = {name: m["Properties"]["DefinitionUri"] for name, m in of_type("AWS::Serverless::StateMachine").items()}
    assert uris == {name: f"statemachines/{file}" for name, file in MACHINE_FILES.items()}
    assert {path.name for path in (ROOT / "statemachines").iterdir()} == set(MACHINE_FILES.values())


@pytest.mark.parametrize("machine", MACHINES)
def test_every_substitution_of_a_machine_is_given_and_used(machine):
    used = set(re.findall(r"\$\{(\w+)\}", MACHINE_TEXTS[machine]))
    assert used == RESOURCES[machine]["Properties"]["DefinitionSubstitutions"].keys()


def test_every_agent_has_a_task_definition_logs_and_a_repository():
    families = {r["Properties"]["Family"]["Fn::Sub"] for r in of_type("AWS::ECS::TaskDefinition").values()}
    groups = {r["Properties"]["LogGroupName"]["Fn::Sub"] for r in of_type("AWS::Logs::LogGroup").values()}
    repositories = {r["Properties"]["RepositoryName"] for r in of_type("AWS::ECR::Repository").values()}
    assert families == {f"outpost-{name}-${{Env}}" for name in (*AGENTS, "promote")}
    assert {f"/outpost/${{Env}}/agents/{agent}" for agent in AGENTS} <= groups
    assert repositories == {f"outpost-{agent}" for agent in (*AGENTS, "base")}


@pytest.mark.parametrize("agent", AGENTS.values(), ids=lambda agent: agent.name)
def test_an_agents_size_is_that_of_its_task(agent):
    tasks = [task["Properties"] for task in of_type("AWS::ECS::TaskDefinition").values()]
    sizes = {
        task["Family"]["Fn::Sub"]: (int(task["Cpu"]), int(task["Memory"]), task["RuntimePlatform"]["CpuArchitecture"])
        for task in tasks
    }
    size = agent.size(agent.default_model_id)
    assert sizes[f"outpost-{agent.name}-${{Env}}"] == (size.cpu_units, size.memory_mb, size.architecture)


def test_every_agent_of_the_catalogue_has_an_image_and_no_other():
    built = {path.parent.name for path in (ROOT / "agents").glob("*/Dockerfile")} - {"base"}
    assert set(AGENTS) == built


def test_a_task_has_no_role():
    assert all("TaskRoleArn" not in r["Properties"] for r in of_type("AWS::ECS::TaskDefinition").values())


def test_a_task_has_the_time_to_stop_that_the_run_grants_it():
    containers = [r["Properties"]["ContainerDefinitions"][0] for r in of_type("AWS::ECS::TaskDefinition").values()]
    assert {container["StopTimeout"] for container in containers} == {120}
    # Left to itself ECS drops lines when they come faster than they are taken.
    assert {container["LogConfiguration"]["Options"]["mode"] for container in containers} == {"blocking"}


@pytest.mark.parametrize("name", sorted(of_type("AWS::DynamoDB::Table")))
def test_a_table_outlives_the_stack_and_can_be_restored(name):
    table = RESOURCES[name]
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_the_tables_have_the_documented_names():
    names = {table["Properties"]["TableName"]["Fn::Sub"] for table in of_type("AWS::DynamoDB::Table").values()}
    assert names == {f"outpost-{name}-${{Env}}" for name in ("jobs", "api-keys", "tenants", "audit", "workspaces")}


def indexes_that_are_asked():
    """(index, partition key) of every query of the adapters that names one."""
    found = re.findall(r'IndexName="(\w+)",\s+KeyConditionExpression="(\w+) =', ADAPTERS_TEXT)
    assert len(found) == ADAPTERS_TEXT.count("IndexName=")
    return set(found)


def test_the_tables_have_exactly_the_indexes_that_are_asked():
    indexes = [
        i for t in of_type("AWS::DynamoDB::Table").values() for i in t["Properties"].get("GlobalSecondaryIndexes", [])
    ]
    assert {(i["IndexName"], i["KeySchema"][0]["AttributeName"]) for i in indexes} == indexes_that_are_asked()


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
    machine = [policy for name in MACHINES for policy in RESOURCES[name]["Properties"]["Policies"]]
    mine = chain.from_iterable(statements(function) for function in FUNCTIONS)
    return [*mine, *chain.from_iterable(document["Statement"] for document in (*documents, *machine))]


def test_no_role_has_a_wildcard_action():
    actions = [s["Action"] if isinstance(s["Action"], list) else [s["Action"]] for s in all_statements()]
    assert not [action for action in chain.from_iterable(actions) if "*" in action]


def test_a_wildcard_resource_has_a_condition_or_no_narrower_form():
    wide = [s["Action"] for s in all_statements() if s.get("Resource") == "*" and "Condition" not in s]
    assert set(wide) == {"ecr:GetAuthorizationToken", "states:SendTaskSuccess"}


def test_only_who_hands_out_slots_may_wake_executions():
    may = {name for name in FUNCTIONS if "states:SendTaskSuccess" in str(statements(name))}
    assert may == {"FinishFunction", "SweepFunction"}


def test_no_route_leads_to_the_operators_function():
    assert FUNCTIONS["OperateFunction"]["Properties"].get("Events", {}) == {}


def test_operators_find_their_function_by_its_name():
    assert FUNCTIONS["OperateFunction"]["Properties"]["FunctionName"] == {"Fn::Sub": "outpost-operate-${Env}"}


def test_no_function_may_change_or_delete_an_event():
    on_audit = [s for s in all_statements() if "AuditTable" in str(s["Resource"])]
    found = {str(s["Action"]) for s in on_audit if "JobsTable" not in str(s["Resource"])}
    assert found == {"dynamodb:PutItem", "dynamodb:Query"}


@pytest.mark.parametrize(
    ("machine", "functions"),
    [
        ("outpost-run-agent-", {"DispatchFunction", "SweepFunction"}),
        ("outpost-promote-run-", {"DispatchFunction", "FinishFunction", "SweepFunction"}),
    ],
)
def test_who_may_start_a_machines_executions(machine, functions):
    starts = [(name, s) for name in FUNCTIONS for s in statements(name) if "StartExecution" in str(s["Action"])]
    assert {name for name, statement in starts if machine in str(statement["Resource"])} == functions


def actions(statement):
    """The actions of a statement, without their service."""
    named = statement["Action"]
    return [action.split(":")[1] for action in ([named] if isinstance(named, str) else named)]


def writes_of(function):
    """(action, resource) of what a function may do beside reading."""
    return {
        (action, str(statement["Resource"]))
        for statement in statements(function)
        for action in actions(statement)
        if re.match("Get|BatchGet|Query", action) is None
    }


def test_the_read_function_may_only_read_and_count_who_calls():
    assert writes_of("ReadFunction") == {("UpdateItem", "{'Fn::GetAtt': ['ApiKeysTable', 'Arn']}")}


@pytest.mark.parametrize(
    "function", ["DispatchFunction", "ReadFunction", "BrokerFunction", "FinishFunction", "SweepFunction"]
)
def test_only_who_manages_accounts_may_make_keys(function):
    assert "PutItem" not in [action for action, resource in writes_of(function) if "ApiKeysTable" in resource]


@pytest.mark.parametrize("action", ["CreateSecret", "TagResource", "PutSecretValue", "DeleteSecret"])
def test_only_the_account_function_writes_tenants_secrets_and_no_others(action):
    assert {name for name in FUNCTIONS if f"secretsmanager:{action}" in str(statements(name))} == {"AccountFunction"}
    assert may_touch("AccountFunction", action, "outpost/dev/tenants/acme/DEPLOY_KEY-a1B2c3")
    others = ("prod/tenants/acme/X-a1B2c3", "agents/openai-a1B2c3", "github-a1B2c3", "signing-key-dev-a1B2c3")
    assert not [secret for secret in others if may_touch("AccountFunction", action, f"outpost/{secret}")]


# One that is not there is asked for without six characters at its end, and is to be answered as not there.
TENANTS_SECRETS = ("dev/tenants/acme/X-a1B2c3", "dev/tenants/acme/X")
PLATFORMS_SECRETS = ("agents/openai-a1B2c3", "agents/openai", "github-a1B2c3", "github")


@pytest.mark.parametrize("secret", [*TENANTS_SECRETS, *PLATFORMS_SECRETS])
def test_only_the_broker_reads_secrets(secret):
    readers = {name for name in FUNCTIONS if may_touch(name, "GetSecretValue", f"outpost/{secret}")}
    assert readers == {"BrokerFunction"}


@pytest.mark.parametrize("secret", ["prod/tenants/acme/X-a1B2c3", "github/other-a1B2c3", "signing-key-prod-a1B2c3"])
def test_nobody_reads_the_secrets_of_another_environment(secret):
    assert not [name for name in FUNCTIONS if may_touch(name, "GetSecretValue", f"outpost/{secret}")]


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


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES.keys())
def test_every_state_leads_somewhere_and_can_be_reached(machine):
    reached, open_ends = set(), [machine["StartAt"]]
    while open_ends:
        name = open_ends.pop()
        open_ends += [target for target in targets(machine["States"][name]) if target not in reached]
        reached.add(name)
    assert reached == machine["States"].keys()


@pytest.mark.parametrize(("machine", "name"), STATES)
def test_a_state_says_what_it_is_for_and_how_it_ends(machine, name):
    state = MACHINES[machine]["States"][name]
    assert state["Comment"]
    assert targets(state) or state["Type"] in {"Succeed", "Fail"}


@pytest.mark.parametrize(
    ("machine", "name"), [pair for pair in STATES if MACHINES[pair[0]]["States"][pair[1]]["Type"] == "Task"]
)
def test_a_task_state_has_a_timeout_a_catch_of_everything_and_bounded_retries(machine, name):
    state = MACHINES[machine]["States"][name]
    assert state["TimeoutSeconds"]
    assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"]
    assert all({"MaxAttempts", "MaxDelaySeconds"} <= retry.keys() for retry in state["Retry"])
    assert {retry["JitterStrategy"] for retry in state["Retry"]} == {"FULL"}
    assert not {"States.ALL", "States.TaskFailed"} & set(chain.from_iterable(r["ErrorEquals"] for r in state["Retry"]))


def test_the_machine_mirrors_every_way_to_end():
    choices = MACHINES["RunAgent"]["States"]["MirrorOutcome"]["Choices"]
    conditions = " ".join(choice["Condition"] for choice in choices)
    mirrored = {status for status in RunStatus if status.is_terminal} | {RunStatus.PENDING, RunStatus.QUEUED}
    assert set(re.findall(r"'([A-Z]+)'", conditions)) == mirrored


def documented(text):
    return [path.name for path in DOCUMENTS if text in path.read_text()]


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.function != "broker"], ids=lambda r: f"{r.method} {r.path}"
)
def test_every_route_is_in_the_documentation(route):
    assert re.search(rf"\| {route.method} \| `{re.escape(route.path)}` \|", API)


def test_the_documentation_has_no_route_that_does_not_exist():
    rows = set(re.findall(r"^\| (GET|POST|PUT|DELETE) \| `([^`]+)` \|", API, re.MULTILINE))
    assert rows == {(route.method, route.path) for route in ROUTES if route.function != "broker"}


def test_the_documentation_has_exactly_the_codes_there_are():
    rows = re.findall(r"^\| (\d{3}) \| `([A-Z_]+)` \|", API, re.MULTILINE)
    assert sorted(rows) == sorted((str(status), code) for status, codes in codes_by_status().items() for code in codes)


def fields_of(model):
    """The names by which callers send a model's fields."""
    return {field.alias for field in model.model_fields.values()}


def table_under(heading):
    """The names in the first column of the first table under a heading."""
    section = API.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


@pytest.mark.parametrize(
    ("heading", "model"),
    [
        ("POST /dispatch", DispatchBody),
        ("POST /auth/token", TokenBody),
        ("POST /keys", CreateKeyBody),
        ("POST /keys/{id}/rotate", RotateKeyBody),
        ("PUT /secrets/{name}", PutSecretBody),
        ("PUT /kill-switch", KillSwitchBody),
        ("POST /runs/{id}/promote", PromoteBody),
        ("POST /batches", BatchHeadBody),
        ("Plans", PlanBody),
    ],
)
def test_the_documentation_has_exactly_the_fields_there_are(heading, model):
    assert table_under(heading) == fields_of(model)


def conditions():
    """The named conditions of the adapters."""
    constants = re.findall(r'^([A-Z_]+) = "(.+)"$', ADAPTERS_TEXT, re.MULTILINE)
    return {name for name, text in constants if re.search(r"attribute_(not_)?exists\(| (=|<|<=|>|>=) ", text)}


def test_the_data_model_has_exactly_the_conditions_there_are():
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", DATA_MODEL, re.MULTILINE)) == conditions()


def test_the_data_model_has_every_kind_of_item():
    kinds = set(re.findall(r'"sk": f?"([A-Z]+)', ADAPTERS_TEXT))
    assert {kind for kind in kinds if f"`{kind}" not in DATA_MODEL} == set()


@pytest.mark.parametrize("code", RunErrorCode)
def test_every_way_for_a_run_to_end_badly_is_in_the_documentation(code):
    assert "api.md" in documented(f"`{code}`")


@pytest.mark.parametrize("code", PromotionErrorCode)
def test_every_way_for_a_promotion_to_fail_is_in_the_documentation(code):
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
