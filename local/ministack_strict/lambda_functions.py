"""Rules for Lambda, for errors that functions throw, for throttled calls and for log lines."""

import queue
import time

from ministack.core import lambda_runtime
from ministack.services import lambda_svc, stepfunctions

from .replacing import anchor, replace, replace_once

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

# The worker writes this line to standard error before each reply, so that all log lines of the call are read. MiniStack
# takes the lines that arrive within some milliseconds, and adds later lines to the log of the next call.
LOG_END = "perennial-log-end"
# Seconds after which the end of the log is no longer expected. The line usually arrives at once.
LOG_END_LIMIT = 5


def worker_script(script):
    script = replace_once(
        script,
        "const _realStdoutWrite = process.stdout.write.bind(process.stdout);",
        "const _stdoutWrite = process.stdout.write.bind(process.stdout);\n"
        # The first line is the start of the worker and not a call.
        f'const _realStdoutWrite = (reply) => (lineNum > 1 && _stderrWrite("{LOG_END}\\n"), _stdoutWrite(reply));',
    )
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


def log_lines(worker, **_limits):
    """Returns the log lines of a call. They end with LOG_END, or with the process."""
    lines = []
    deadline = time.monotonic() + LOG_END_LIMIT
    while time.monotonic() < deadline:
        has_ended = not worker._stderr_thread.is_alive()
        try:
            line = worker._stderr_queue.get(timeout=0.05)
        except queue.Empty:
            if has_ended:
                break
            continue
        if line == LOG_END:
            break
        lines.append(line)
    return "\n".join(lines)


def apply():
    anchor(lambda_runtime.Worker, "_drain_stderr_bounded")
    lambda_runtime.Worker._drain_stderr_bounded = log_lines
    replace(lambda_svc, "_execute_function_warm", execute)
    replace(lambda_svc, "_execute_function_with_config_scope", throttled)
    lambda_runtime._NODEJS_WORKER_SCRIPT = worker_script(lambda_runtime._NODEJS_WORKER_SCRIPT)
