"""Rules for Lambda, for errors that functions throw and for throttled calls."""

import time

from ministack.core import lambda_runtime
from ministack.services import lambda_svc, stepfunctions

from .replacing import replace, replace_once

# The runtime interface client of AWS reports {errorType, errorMessage, trace} and keeps the process running. errorType is
# error.name, or the JavaScript type of a thrown value that is no Error (aws/aws-lambda-nodejs-runtime-interface-client on
# GitHub, Errors.js). MiniStack reports Runtime.HandlerError, which no Retry and Catch by name would match, and ends the
# process. With this rule the worker sends the object of AWS as a marked result, and `execute` converts it into an error.
ERROR_MARK = "perennial-error"
ERROR_FUNCTION = """
function _awsError(err) {
  const isError = err && [err.name, err.message, err.stack].every((part) => typeof part === "string");
  const described = isError
    ? { errorType: err.name, errorMessage: err.message, trace: err.stack.split("\\n") }
    : { errorType: typeof err, errorMessage: String(err), trace: [] };
  console.error("Invoke Error\\t" + JSON.stringify(described));
  return { "%s": described };
}
""" % ERROR_MARK


def worker_script(script):
    script = replace_once(
        script,
        'status: "error", error: String(err.message || err), trace: err.stack || ""',
        'status: "ok", result: _awsError(err)',
    )
    script = replace_once(
        script, 'status: "error", error: e.message, trace: e.stack\n', 'status: "ok", result: _awsError(e)\n'
    )
    # MiniStack takes a promise that is rejected without a value for a success.
    script = replace_once(script, "err => settle(err))", "err => settle(err ?? new Error(String(err))))")
    return ERROR_FUNCTION + script


def execute(original, func, event, request_id):
    result = original(func, event, request_id)
    body = result.get("body")
    if isinstance(body, dict) and ERROR_MARK in body:
        return {**result, "body": body[ERROR_MARK], "error": True}
    if result.get("error") and body.get("errorMessage") == "Worker process died":
        # AWS reports this error for a process that was killed.
        message = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
        result["body"] = {"errorType": "Runtime.ExitError", "errorMessage": message}
    return result


def throttled(original, *args, **kwargs):
    """A state whose function is throttled fails with Lambda.TooManyRequestsException (Developer Guide, "Handling transient
    Lambda service exceptions"). MiniStack reports Lambda.Unknown, which no Retry names.

    With shortened waits the intervals of Retry are shortened too, so twenty attempts would end before another function
    does. In that case the call waits up to a minute for a free place.
    """
    result = original(*args, **kwargs)
    deadline = time.monotonic() + 60
    while result.get("throttle") and stepfunctions._SFN_WAIT_SCALE < 1 and time.monotonic() < deadline:
        time.sleep(0.05)
        result = original(*args, **kwargs)
    if not result.get("throttle"):
        return result
    return {**result, "body": {"errorType": "Lambda.TooManyRequestsException", "errorMessage": str(result.get("body"))}}


def apply():
    replace(lambda_svc, "_execute_function_warm", execute)
    replace(lambda_svc, "_execute_function_with_config_scope", throttled)
    lambda_runtime._NODEJS_WORKER_SCRIPT = worker_script(lambda_runtime._NODEJS_WORKER_SCRIPT)
