"""Tasks that wait for an answer to their token, and the API with which anybody gives it."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError, wait
from typing import Any

from moto.core.exceptions import AWSError
from moto.core.responses import EmptyResult
from moto.stepfunctions.exceptions import InvalidToken
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import EvalTimeoutError
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_lambda import (
    StateTaskServiceLambda,
)
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackOutcomeFailure, CallbackOutcomeFailureError
from moto.stepfunctions.responses import StepFunctionResponse

from outpost_local.patching import Patches


class TaskTokens:
    """Every token that was given out, and how its task ended; the first end is the only one."""

    def __init__(self) -> None:
        self._ends: dict[str, Future[Any]] = {}

    def await_answer(self, state: Any, env: Any, call: Callable[[], Any]) -> Any:
        """Make the call that carries the token, and wait for the answer as long as the state may take.

        Raises what the call or the answer failed with, and EvalTimeoutError.
        """
        end = self._ends[env.states.context_object.context_object_data["Task"]["Token"]] = Future()
        state.timeout.eval(env=env)
        seconds = env.stack.pop()
        env.program_state_event = _EndOfState(end)
        if not env.is_running():  # it was stopped before it could be told so
            raise EvalTimeoutError
        # The answer may come before the call returns, and the state's time may run out before that.
        threading.Thread(target=_call, args=(call, end), daemon=True).start()
        wait([end], timeout=seconds)
        _abandon(end)
        return end.result()

    def find(self, token: str) -> Future[Any]:
        """Raises InvalidToken."""
        try:
            return self._ends[token]
        except KeyError:
            raise InvalidToken from None


class _EndOfState:
    """Takes the place of the event with which an environment says that it has ended, and which it clears at once."""

    def __init__(self, end: Future[Any]) -> None:
        self._end = end

    def set(self) -> None:
        _abandon(self._end)

    def clear(self) -> None:
        """An end lasts."""


def bridge_task_tokens(patches: Patches, tokens: TaskTokens) -> None:
    """Until the patches are undone, a state can wait for its token, and SendTaskSuccess and SendTaskFailure end it."""
    evaluate, finish = StateTaskServiceLambda._evaluate_with_timeout, StateTaskServiceLambda._after_eval_execution

    def evaluate_state(self: Any, env: Any) -> None:
        (_evaluate_waiting if waits_for_token(self) else evaluate)(self, env)

    def finish_state(self: Any, **details: Any) -> None:
        # What moto does in between is to wait for a token of its own.
        (StateTaskService._after_eval_execution if waits_for_token(self) else finish)(self, **details)

    def answer_success(self: Any) -> EmptyResult:
        end = tokens.find(self._get_param("taskToken"))
        try:
            output = json.loads(self._get_param("output"))
        except ValueError as error:
            raise AWSError(f"Invalid Output: '{error}'", "InvalidOutput") from error
        with _only_once():
            end.set_result(output)
        return EmptyResult()

    def answer_failure(self: Any) -> EmptyResult:
        token = self._get_param("taskToken")
        outcome = CallbackOutcomeFailure(token, self._get_param("error", ""), self._get_param("cause", ""))
        with _only_once():
            tokens.find(token).set_exception(CallbackOutcomeFailureError(outcome))
        return EmptyResult()

    patches.set_attribute(StateTaskServiceLambda, "_evaluate_with_timeout", evaluate_state)
    patches.set_attribute(StateTaskServiceLambda, "_after_eval_execution", finish_state)
    patches.set_attribute(StepFunctionResponse, "send_task_success", answer_success)
    patches.set_attribute(StepFunctionResponse, "send_task_failure", answer_failure)


def waits_for_token(state: Any) -> bool:
    """Whether the resource of the task state ends in .waitForTaskToken."""
    return bool(state.resource.condition == ResourceCondition.WaitForTaskToken)


def _evaluate_waiting(state: Any, env: Any) -> None:
    """One try of the state, with a token of its own.

    moto would spend a thread more on each, whose timeout could strike after an answer was accepted.
    """
    frame = env.open_frame()
    frame.states.reset(input_value=env.states.get_input())
    frame.states.context_object.update_task_token()
    try:
        state._eval_execution(frame)
    finally:
        frame.set_ended()
        env.close_frame(frame)
    output = frame.stack.pop()
    env.stack.append(output)
    env.states.set_result(output)
    if state.assign_decl:
        state.assign_decl.eval(env=env)


def _call(call: Callable[[], Any], end: Future[Any]) -> None:
    try:
        call()
    except Exception as error:  # noqa: BLE001 - it is raised again, where the state waits
        with contextlib.suppress(InvalidStateError):
            end.set_exception(error)


def _abandon(end: Future[Any]) -> None:
    with contextlib.suppress(InvalidStateError):
        end.set_exception(EvalTimeoutError())


@contextlib.contextmanager
def _only_once() -> Iterator[None]:
    try:
        yield
    except InvalidStateError as error:
        raise AWSError("Task Timed Out: 'Provided task does not exist anymore'", "TaskTimedOut") from error
