"""Rules for Step Functions, for starts by name, histories, variables of branches, outputs in JSONata, and the clock."""

import contextvars
import copy
import functools
import json
import re
import threading
import time
from datetime import datetime, timedelta, timezone

from ministack.core.responses import error_response_json, json_response
from ministack.services import stepfunctions
from ministack.services.cloudformation import provisioners, stacks

from .replacing import anchor, replace


def start_execution(original, data):
    """A start with the name and input of a running execution returns that execution (API reference, StartExecution)."""
    machine = data.get("stateMachineArn", "")
    name = data.get("name")
    running = stepfunctions._executions.get(machine.replace(":stateMachine:", ":execution:") + f":{name}")
    if name and running and running["status"] == "RUNNING" and running["input"] == data.get("input", "{}"):
        return json_response({"executionArn": running["executionArn"], "startDate": running["startDate"]})
    return original(data)


def nested_start(original, resource, input_data):
    """states:startExecution with a name that exists fails with StepFunctions.ExecutionAlreadyExistsException."""
    try:
        return original(resource, input_data)
    except stepfunctions._ExecutionError as error:
        if error.error == "ExecutionAlreadyExists":
            error.error = "StepFunctions.ExecutionAlreadyExistsException"
        raise


def by_execution_arn(original, data):
    """A text that is no ARN of an execution is rejected (API reference, DescribeExecution). MiniStack says that the execution
    does not exist."""
    arn = data.get("executionArn", "")
    if not re.fullmatch(r"arn:aws[\w-]*:states:[\w-]+:\d{12}:(execution:[^:]+:[^:]+|express:[^:]+:[^:]+:[^:]+)", arn):
        return error_response_json("InvalidArn", f"Invalid Arn: '{arn}' is not the ARN of an execution", 400)
    return original(data)


HANDLERS = {
    "Pass": "_execute_pass",
    "Task": "_execute_task",
    "Choice": "_execute_choice",
    "Wait": "_execute_wait",
    "Parallel": "_execute_parallel",
    "Map": "_execute_map",
}


def run_sub_machine(_original, states, start_at, input_data, execution, ctx):
    """The history includes the states of Parallel branches and Map items. Variables that they assign exist only in the branch
    or item (Developer Guide, "Passing data between states with variables"). MiniStack leaves these states out of the
    history and lets branches change the variables of the outer state."""
    scope = {**ctx, "variables": dict(ctx.get("variables", {}))}
    name, data = start_at, copy.deepcopy(input_data)
    while name:
        state = states[name]
        kind = state["Type"]
        scope["State"] = {"Name": name, "EnteredTime": stepfunctions.now_iso(), "RetryCount": 0}
        details = {"name": name, "input": json.dumps(data)}
        stepfunctions._add_event(execution, f"{kind}StateEntered", {"stateEnteredEventDetails": details})
        if kind == "Fail":
            raise stepfunctions._ExecutionError(*stepfunctions._fail_state_error(state, data, scope))
        left = name
        if kind == "Succeed":
            data, name = stepfunctions._apply_output_path(state, data, scope), None
        elif kind in ("Task", "Parallel", "Map"):
            data, name = getattr(stepfunctions, HANDLERS[kind])(state, data, execution, scope)
        else:
            data, name = getattr(stepfunctions, HANDLERS[kind])(state, data, scope)
        details = {"name": left, "output": json.dumps(data)}
        stepfunctions._add_event(execution, f"{kind}StateExited", {"stateExitedEventDetails": details})
    return data


history_lock = threading.Lock()
held_states = set()


def add_event(original, execution, event_type, details=None):
    """Branches and items write into one history, so a lock keeps two of them from using the same event id. An execution that
    enters a held state stays there until the state is released. A stopped execution enters no state. MiniStack runs branches
    and items of a stopped execution to their end."""
    entered = (details or {}).get("stateEnteredEventDetails", {}).get("name")
    if entered is None or execution["status"] == "RUNNING":
        with history_lock:
            original(execution, event_type, details)
    while entered in held_states and execution["status"] == "RUNNING":
        time.sleep(0.02)
    if entered is not None and execution["status"] != "RUNNING":
        raise stepfunctions._ExecutionError("States.Runtime", "The execution was stopped.")


def fail_execution(original, execution, error, cause):
    """A stopped execution stays ABORTED. In MiniStack a state that fails afterwards makes it FAILED."""
    if execution["status"] == "RUNNING":
        original(execution, error, cause)


def succeed_output(original, state, data, ctx=None):
    """Succeed has Output in JSONata. MiniStack supports only OutputPath."""
    if state.get("Type") == "Succeed" and stepfunctions._state_query_language(state, ctx) == "JSONata":
        return stepfunctions._apply_jsonata_output(state, data, ctx, default=data)
    return original(state, data, ctx)


def parallel_output(original, state, data, execution, ctx):
    """Parallel has Output and Assign in JSONata. MiniStack supports only ResultPath."""
    results, following = original(state, data, execution, ctx)
    if stepfunctions._state_query_language(state, ctx) != "JSONata":
        return results, following
    output = stepfunctions._apply_jsonata_output(state, data, ctx, result=results, default=results)
    stepfunctions._apply_state_assign(state, data, ctx, result=results)
    return output, following


current = threading.local()
skipped = {}


def evaluate_jsonata(original, expression, raw_input, ctx=None, *rest, **named):
    """With shortened waits the clock of an execution, `$now()`, advances by the full length of each wait. Otherwise a wait that
    is bounded in time would end after its real bound."""
    current.execution = (ctx or {}).get("Execution", {}).get("Id")
    return original(expression, raw_input, ctx, *rest, **named)


def scaled_sleep(original, seconds):
    execution = getattr(current, "execution", None)
    skipped[execution] = skipped.get(execution, 0) + seconds * (1 - stepfunctions._SFN_WAIT_SCALE)
    return original(seconds)


def register_functions(original, expr):
    original(expr)
    expr.register_lambda("now", execution_now)


def execution_now():
    passed = timedelta(seconds=skipped.get(getattr(current, "execution", None), 0))
    return (datetime.now(timezone.utc) + passed).isoformat(timespec="milliseconds").replace("+00:00", "Z")


deleting = set()


def start_unless_deleting(original, data):
    if data.get("stateMachineArn") in deleting:
        return error_response_json("StateMachineDeleting", f"State Machine is being deleted: '{data['stateMachineArn']}'", 400)
    return original(data)


def wait_for_executions(arn):
    """A state machine is deleted when its executions have ended (API reference, DeleteStateMachine). Until then no execution
    can be started."""
    deleting.add(arn)
    while any(each["stateMachineArn"] == arn and each["status"] == "RUNNING" for each in list(stepfunctions._executions.values())):
        time.sleep(0.05)
    deleting.discard(arn)


def delete_state_machine(original, data):
    def delete():
        wait_for_executions(data["stateMachineArn"])
        original(data)

    if data.get("stateMachineArn") not in stepfunctions._state_machines:
        return original(data)
    threading.Thread(target=contextvars.copy_context().run, args=(delete,), daemon=True).start()
    return json_response({})


def delete_resource(original, physical_id, props):
    wait_for_executions(physical_id)
    return original(physical_id, props)


def runs_on_worker_thread(original, resource_type):
    return resource_type == "AWS::StepFunctions::StateMachine" or original(resource_type)


def apply():
    for name in HANDLERS.values():
        anchor(stepfunctions, name)
    replace(stepfunctions, "_start_execution", start_execution)
    for name in ("_describe_execution", "_stop_execution", "_get_execution_history"):
        replace(stepfunctions, name, by_execution_arn)
    replace(stepfunctions, "_invoke_nested_start_execution", nested_start)
    replace(stepfunctions, "_run_sub_machine", run_sub_machine)
    replace(stepfunctions, "_add_event", add_event)
    replace(stepfunctions, "_fail_execution", fail_execution)
    replace(stepfunctions, "_apply_output_path", succeed_output)
    replace(stepfunctions, "_run_parallel_branches", parallel_output)
    replace(stepfunctions, "_start_execution", start_unless_deleting)
    replace(stepfunctions, "_delete_state_machine", delete_state_machine)
    handlers = provisioners._RESOURCE_HANDLERS["AWS::StepFunctions::StateMachine"]
    handlers["delete"] = functools.partial(delete_resource, handlers["delete"])
    replace(stacks, "_runs_on_worker_thread", runs_on_worker_thread)
    replace(stepfunctions, "_evaluate_jsonata", evaluate_jsonata)
    replace(stepfunctions, "_scaled_sleep", scaled_sleep)
    replace(stepfunctions, "_register_sfn_jsonata_functions", register_functions)
