"""Completes moto's Step Functions interpreter: JSONata, Lambda tasks, and stops that last."""

import copy
import json
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from jsonata import Jsonata
from moto.stepfunctions.parser.api import EvaluationFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJSONata
from moto.stepfunctions.parser.asl.component.state.exec.state_task.lambda_eval_utils import LambdaFunctionErrorException
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_lambda import (
    StateTaskServiceLambda,
)
from moto.stepfunctions.parser.asl.eval import states, variable_store
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped, ProgramTimedOut
from moto.stepfunctions.parser.asl.jsonata import jsonata as moto_jsonata
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

from outpost_local.invocation import FunctionNotFound, Invocation
from outpost_local.patching import Patches
from outpost_local.stepfunctions_tokens import TaskTokens, bridge_task_tokens, waits_for_token

InvokeFunction = Callable[[str, Any], Invocation]


def bridge_interpreter(patches: Patches, invoke_function: InvokeFunction) -> None:
    """Until the patches are undone, state machines run as they do on AWS."""
    patches.set_attribute(moto_jsonata, "_eval_jsonata", evaluate_jsonata)
    for module in (moto_jsonata, states, variable_store):
        patches.set_attribute(module, "encode_jsonata_variable_declarations", declare_variables)
    _parse_once(patches)
    _keep_stopped_executions_stopped(patches)
    _name_query_errors(patches)
    tokens = TaskTokens()
    bridge_task_tokens(patches, tokens)

    def run_function(self: Any, env: Any, normalised_parameters: dict[str, Any], **_: Any) -> None:
        call = partial(_invoke, invoke_function, normalised_parameters)
        env.stack.append(tokens.await_answer(self, env, call) if waits_for_token(self) else call())

    patches.set_attribute(StateTaskServiceLambda, "_eval_service_task", run_function)


def evaluate_jsonata(expression: str) -> Any:
    """The expression's value as plain JSON types."""
    try:
        value = Jsonata(expression).evaluate(None)
    except Exception as error:
        # The evaluator raises what it happens to meet; to the interpreter all of it is one failed query.
        raise moto_jsonata.JSONataException("UNKNOWN", str(error)) from error
    return json.loads(json.dumps(value, default=_refuse_value), parse_float=_narrow_number)


def declare_variables(bindings: dict[str, Any]) -> str:
    """JSONata assignments of the variables: a JSON text is a JSONata expression too."""
    return "".join(f"{name}:={_encode(value)};" for name, value in bindings.items())


def _encode(value: Any) -> str:
    return json.dumps(json.loads(to_json_str(value)), ensure_ascii=False, separators=(",", ":"))


def _narrow_number(digits: str) -> int | float:
    """JSON has one kind of number: 630.0 is 630."""
    number = float(digits)
    return int(number) if number.is_integer() else number


def _refuse_value(value: Any) -> Any:
    raise moto_jsonata.JSONataException("UNKNOWN", f"The expression returned a {type(value).__name__}, not JSON.")


def _invoke(invoke_function: InvokeFunction, parameters: dict[str, Any]) -> dict[str, Any]:
    payload = json.loads(parameters.get("Payload") or b"{}")
    try:
        invocation = invoke_function(str(parameters["FunctionName"]), payload)
    except FunctionNotFound as error:
        document = json.dumps({"errorType": "Lambda.ResourceNotFoundException", "errorMessage": str(error)})
        raise LambdaFunctionErrorException("Unhandled", document) from error
    if invocation.failed:
        raise LambdaFunctionErrorException("Unhandled", invocation.payload)
    return {
        "ExecutedVersion": "$LATEST",
        "Payload": json.loads(invocation.payload),
        "SdkHttpMetadata": {"HttpStatusCode": 200},
        "StatusCode": 200,
    }


def _parse_once(patches: Patches) -> None:
    """moto parses the definition for every execution, which costs more than all else until its first wait."""

    @lru_cache(maxsize=16)
    def parse(definition: str) -> Any:
        return AmazonStateLanguageParser.parse(definition)[0]

    def copy_program(self: Any) -> Any:
        # A copy, because a program's parts name themselves when they are first evaluated, and without a lock.
        return copy.deepcopy(parse(self._evaluation_details.state_machine_details.definition))

    patches.set_attribute(ExecutionWorker, "_get_evaluation_entrypoint", copy_program)


def _name_query_errors(patches: Patches) -> None:
    """An expression that fails is States.QueryEvaluationError, which a state can catch; moto says States.Runtime."""
    evaluate = StringJSONata._eval_body

    def evaluate_or_name(self: Any, env: Any) -> None:
        try:
            evaluate(self, env)
        except moto_jsonata.JSONataException as error:
            cause = f"The JSONata expression '{self.expression}' failed: {error.details}"
            raise _fail_query(env, cause) from error

    patches.set_attribute(StringJSONata, "_eval_body", evaluate_or_name)


def _fail_query(env: Any, cause: str) -> FailureEventException:
    name = StatesErrorName(typ=StatesErrorNameType.StatesQueryEvaluationError)
    details = EvaluationFailedEventDetails(error=name.error_name, cause=cause)
    failure = FailureEvent(
        env=env,
        error_name=name,
        event_type=HistoryEventType.EvaluationFailed,
        event_details=EventDetails(evaluationFailedEventDetails=details),
    )
    return FailureEventException(failure)


def _keep_stopped_executions_stopped(patches: Patches) -> None:
    """What a state does after its execution was stopped or timed out must not recolour it."""
    set_error, set_timed_out = Environment.set_error, Environment.set_timed_out

    def set_error_of_live(self: Any, error: Any) -> None:
        if not isinstance(self.program_state(), ProgramStopped | ProgramTimedOut):
            set_error(self, error)

    def set_timed_out_of_live(self: Any) -> None:
        if self.is_running():
            set_timed_out(self)

    patches.set_attribute(Environment, "set_error", set_error_of_live)
    patches.set_attribute(Environment, "set_timed_out", set_timed_out_of_live)
