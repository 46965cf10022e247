"""Rules for Lambda: the error that a function throws, and throttled calls."""

import time

from ministack.core import lambda_runtime
from ministack.services import lambda_svc, stepfunctions

from .replacing import replace, replace_once

# The runtime interface client of AWS sends {errorType, errorMessage, trace}; errorType is error.name, or the JavaScript
# type of what was thrown if that is no Error (aws/aws-lambda-nodejs-runtime-interface-client on GitHub, Errors.js), and
# the process lives on. MiniStack says Runtime.HandlerError, so Retry and Catch by name would never match, and ends the
# process. So the worker sends AWS's object as a marked result, and `execute` makes an error of it again.
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
    # A promise rejected with nothing is a success for MiniStack.
    script = replace_once(script, "err => settle(err))", "err => settle(err ?? new Error(String(err))))")
    return ERROR_FUNCTION + script


def execute(original, func, event, request_id):
    result = original(func, event, request_id)
    body = result.get("body")
    if isinstance(body, dict) and ERROR_MARK in body:
        return {**result, "body": body[ERROR_MARK], "error": True}
    if result.get("error") and body.get("errorMessage") == "Worker process died":
        # What AWS reports of a process that was killed.
        message = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
        result["body"] = {"errorType": "Runtime.ExitError", "errorMessage": message}
    return result


def throttled(original, *args, **kwargs):
    """A state whose function is throttled fails as Lambda.TooManyRequestsException (Developer Guide, "Handling transient Lambda service
    exceptions"); MiniStack says Lambda.Unknown, which no Retry names. Where waits are shortened so are those of every Retry, and twenty
    tries are over before another function has ended: there it waits for its place, for a minute at most."""
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
