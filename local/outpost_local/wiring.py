"""Reads from a deployment what the local parts need to know."""

from outpost_local.api_event import ApiStage
from outpost_local.cloudformation import DeployedResource, Deployment
from outpost_local.embedded_aws import ACCOUNT_ID
from outpost_local.events import EventRule, Schedule, parse_rate
from outpost_local.lambda_host import LambdaFunction
from outpost_local.streams import StreamMapping
from outpost_local.template import Template


def find_functions(template: Template, deployment: Deployment) -> list[LambdaFunction]:
    folders = {source.logical_id: source.folder for source in template.functions}
    found = []
    for resource in deployment.of_type("AWS::Lambda::Function"):
        properties = resource.properties
        variables = properties.get("Environment", {}).get("Variables", {})
        found.append(
            LambdaFunction(
                logical_id=resource.logical_id,
                name=resource.physical_id,
                arn=resource.attributes["Arn"],
                folder=folders[resource.logical_id],
                handler=properties["Handler"],
                timeout_seconds=float(properties.get("Timeout", 3)),
                memory_mb=int(properties.get("MemorySize", 128)),
                log_group=properties.get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{resource.physical_id}"),
                environment={name: _write_variable(value) for name, value in variables.items()},
            )
        )
    return found


def _write_variable(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def find_stage(deployment: Deployment, domain_name: str) -> ApiStage:
    apis = deployment.of_type("AWS::ApiGateway::RestApi")
    stages = deployment.of_type("AWS::ApiGateway::Stage")
    api_id = apis[0].physical_id if apis else ""
    stage_name = next((stage.physical_id for stage in stages if stage.physical_id != "Stage"), "")
    return ApiStage(api_id, stage_name, ACCOUNT_ID, domain_name)


def find_rules(deployment: Deployment) -> list[EventRule]:
    return [
        EventRule(rule.logical_id, rule.properties["EventPattern"], target["Arn"])
        for rule in deployment.of_type("AWS::Events::Rule")
        if "EventPattern" in rule.properties
        for target in rule.properties["Targets"]
    ]


def find_schedules(deployment: Deployment) -> list[Schedule]:
    """By the logical id of the schedule's resource, which is the function's and the event's names together."""
    rules = [rule for rule in deployment.of_type("AWS::Events::Rule") if "ScheduleExpression" in rule.properties]
    return [
        *(_read_schedule(rule, rule.properties["Targets"][0], "aws.events") for rule in rules),
        *(
            _read_schedule(schedule, schedule.properties["Target"], "aws.scheduler")
            for schedule in deployment.of_type("AWS::Scheduler::Schedule")
        ),
    ]


def _read_schedule(resource: DeployedResource, target: dict[str, str], source: str) -> Schedule:
    seconds = parse_rate(resource.properties["ScheduleExpression"])
    return Schedule(resource.logical_id, seconds, target["Arn"], source, target.get("Input"))


def find_mappings(deployment: Deployment) -> list[StreamMapping]:
    """Raises ValueError for a source that is no DynamoDB stream."""
    return [_read_mapping(mapping) for mapping in deployment.of_type("AWS::Lambda::EventSourceMapping")]


def _read_mapping(mapping: DeployedResource) -> StreamMapping:
    source = str(mapping.properties["EventSourceArn"])
    if ":dynamodb:" not in source:
        raise ValueError(f"The local stack reads DynamoDB streams only, and {mapping.logical_id} is of {source}.")
    retries = mapping.properties.get("MaximumRetryAttempts", -1)
    size = int(mapping.properties.get("BatchSize", 100))
    return StreamMapping(source, mapping.properties["FunctionName"], size, None if int(retries) < 0 else int(retries))


def find_failure_queues(deployment: Deployment) -> dict[str, str]:
    """Queue ARNs by function, for asynchronous events that the function could not handle."""
    queues: dict[str, str] = {}
    for function in deployment.of_type("AWS::Lambda::Function"):
        target = function.properties.get("DeadLetterConfig", {}).get("TargetArn")
        if target:
            queues[function.physical_id] = target
    for config in deployment.of_type("AWS::Lambda::EventInvokeConfig"):
        target = config.properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        if target:
            queues[config.properties["FunctionName"]] = target
    return queues
