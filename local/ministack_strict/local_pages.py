"""Serves pages under /_local. They show API calls, log events, bus events and hosted zones, or hold executions in a state.
A request for a page is not counted as an API call."""

import datetime
import json
from urllib.parse import unquote

import ministack.app as app
from ministack.core import iam_actions
from ministack.core.iam_evaluator import request_caller_arn
from ministack.services import cloudwatch_logs, eventbridge, route53

from . import step_functions
from .replacing import replace

api_calls = []
bus_events = []


async def record_call(original, method, path, headers, body, query_params, request_id):
    response = await original(method, path, headers, body, query_params, request_id)
    params = app._routing_params(method, path, headers, body, query_params)
    service = app.detect_service(method, path, headers, params)
    action = iam_actions.extract_iam_action(service, method, path, headers, body, params) or f"{service}:?"
    api_calls.append(
        {
            "service": action.split(":")[0],
            "operation": action.split(":")[1],
            "caller": request_caller_arn(headers, query_params),
            "status": response[0],
            "at": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        }
    )
    return response


def record_event(original, event, view=None):
    bus_events.append(
        {
            "bus": event.get("EventBusName", "default"),
            "source": event["Source"],
            "detailType": event["DetailType"],
            # events:putEvents of a workflow may pass an object.
            "detail": json.loads(event["Detail"]) if isinstance(event["Detail"], str) else event["Detail"],
        }
    )
    return original(event, view)


def log_events():
    return [
        {"logGroup": group, "logStream": name, "timestamp": event["timestamp"], "message": event["message"]}
        for (_, _, group), stored in list(cloudwatch_logs._log_groups._data.items())
        for name, stream in list(stored["streams"].items())
        for event in list(stream["events"])
    ]


def hosted_zones():
    def record(rs):
        return {
            "name": rs["Name"],
            "type": rs["Type"],
            "ttl": int(rs.get("TTL") or 60),
            "values": rs.get("ResourceRecords", []),
        }

    with route53._lock:
        return [
            {"id": zone["id"], "name": zone["name"], "records": [record(rs) for rs in route53._records._data[key]]}
            for key, zone in route53._zones._data.items()
            if not zone["private"]
        ]


# Functions of the pages. They get the query of the request.
LOCAL_PAGES = {
    "/_local/api-calls": lambda _query: api_calls,
    "/_local/bus-events": lambda _query: bus_events,
    "/_local/log-events": lambda _query: log_events(),
    "/_local/hosted-zones": lambda _query: hosted_zones(),
    "/_local/hold-state": step_functions.held_states.add,
    "/_local/release-state": step_functions.held_states.discard,
}


def with_local_pages(original):
    async def serve(scope, receive, send):
        page = LOCAL_PAGES.get(scope.get("path"))
        if page is None:
            return await original(scope, receive, send)
        body = json.dumps(page(unquote(scope["query_string"].decode()))).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})

    return serve


def apply():
    replace(app, "_dispatch_service_request", record_call)
    replace(eventbridge, "_dispatch_event", record_event)
    app.app = with_local_pages(app.app)
