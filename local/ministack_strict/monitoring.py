"""Rules for alarms and saved queries in templates. MiniStack refuses a whole template with metric math, composite alarms or
saved queries of CloudWatch Logs. With these rules it stores them, so that the template of AWS is deployed.

Alarms on metric math are not evaluated. SetAlarmState changes their state and runs their actions.
"""

import json
import uuid

from ministack.core.responses import AccountRegionScopedDict, error_response_json, json_response
from ministack.services import cloudwatch, cloudwatch_logs
from ministack.services.cloudformation import provisioners

from .replacing import anchor, replace

# Limits of CloudWatch (API reference, PutMetricAlarm and WarmUpConfiguration) and of CloudWatch Logs (PutQueryDefinition).
MOST_METRICS = 10
MOST_DESCRIPTION = 1024
LONGEST_WARM_UP = 2880
WEEK = 7 * 24 * 3600
DAY = 24 * 3600
MOST_LOG_GROUPS = 50

query_definitions = AccountRegionScopedDict()


def refusal(props):
    """Returns why PutMetricAlarm rejects an alarm, or None."""
    metrics = props.get("Metrics") or []
    stats = [query["MetricStat"] for query in metrics if "MetricStat" in query]
    if len(stats) > MOST_METRICS:
        return f"An alarm on metric math takes at most {MOST_METRICS} metrics, but found {len(stats)}."
    if metrics and sum(query.get("ReturnData", True) not in (False, "false") for query in metrics) != 1:
        return "Exactly one element of the metrics list should return data."
    periods = {int(stat["Period"]) for stat in stats} or {int(props.get("Period", 60))}
    if len(periods) > 1:
        return f"Metrics list must have all metrics with the same period, but found {sorted(periods)}."
    if len(props.get("AlarmDescription") or "") > MOST_DESCRIPTION:
        return f"The description has more than {MOST_DESCRIPTION} characters."
    warm_up = (props.get("WarmUpConfiguration") or {}).get("WarmUpPeriodDurationInMinutes", 1)
    if not 1 <= int(warm_up) <= LONGEST_WARM_UP:
        return f"WarmUpPeriodDurationInMinutes must have a value from 1 to {LONGEST_WARM_UP}."
    (period,) = periods
    if period * int(props.get("EvaluationPeriods", 1)) > (WEEK if period >= 3600 else DAY):
        return "Metrics cannot be checked across more than a day, or seven days with periods of an hour or more."
    return None


def metric_alarm_record(original, name, props):
    """Stores an alarm on metric math. MiniStack requires one metric."""
    if problem := refusal(props):
        raise ValueError(f"AWS::CloudWatch::Alarm: {problem}")
    metrics = props.get("Metrics")
    if not metrics:
        return original(name, props)
    # A metric of this name does not exist, so MiniStack does not evaluate the alarm.
    alarm = original(name, {**props, "Metrics": None, "MetricName": "-", "Namespace": "-"})
    for key in ("MetricName", "Namespace", "Statistic", "Period"):
        del alarm[key]
    return {**alarm, "Metrics": metrics}


def composite_put(name, props):
    status, _, body = cloudwatch._put_composite_alarm({}, {**props, "AlarmName": name}, False, True)
    if status >= 400:
        raise ValueError(f"AWS::CloudWatch::CompositeAlarm: {body!r}")
    return name, {"Arn": cloudwatch._composite_alarms[name]["AlarmArn"]}


def composite_create(logical_id, props, stack_name):
    name = props.get("AlarmName") or provisioners._physical_name(stack_name, logical_id, max_len=255)
    return composite_put(name, props)


def composite_update(physical_id, _old_props, new_props, _stack_name):
    return composite_put(physical_id, new_props)


def composite_delete(physical_id, _props):
    cloudwatch._composite_alarms.pop(physical_id, None)


def query_put(identifier, props):
    groups = props.get("LogGroupNames") or []
    if len(groups) > MOST_LOG_GROUPS:
        raise ValueError(f"AWS::Logs::QueryDefinition: LogGroupNames has {len(groups)} names, at most {MOST_LOG_GROUPS}.")
    query_definitions[identifier] = {
        "queryDefinitionId": identifier,
        "name": props["Name"],
        "queryString": props["QueryString"],
        "logGroupNames": groups,
    }
    return identifier, {"QueryDefinitionId": identifier}


def query_create(_logical_id, props, _stack_name):
    return query_put(str(uuid.uuid4()), props)


def query_update(physical_id, _old_props, new_props, _stack_name):
    return query_put(physical_id, new_props)


def query_delete(physical_id, _props):
    query_definitions.pop(physical_id, None)


async def logs_request(original, method, path, headers, body, query_params):
    """Answers DescribeQueryDefinitions, which MiniStack does not have."""
    if not headers.get("x-amz-target", "").endswith(".DescribeQueryDefinitions"):
        return await original(method, path, headers, body, query_params)
    request = json.loads(body or "{}")
    if not isinstance(request, dict):
        return error_response_json("InvalidParameterException", "The request is not an object.", 400)
    prefix = request.get("queryDefinitionNamePrefix", "")
    found = [each for each in query_definitions.values() if each["name"].startswith(prefix)]
    return json_response({"queryDefinitions": sorted(found, key=lambda each: each["name"])})


def apply():
    replace(provisioners, "_cw_metric_alarm_record", metric_alarm_record)
    anchor(cloudwatch, "_put_composite_alarm")
    handlers = provisioners._RESOURCE_HANDLERS
    handlers["AWS::CloudWatch::CompositeAlarm"] = {
        "create": composite_create,
        "update": composite_update,
        "delete": composite_delete,
    }
    handlers["AWS::Logs::QueryDefinition"] = {"create": query_create, "update": query_update, "delete": query_delete}
    replace(cloudwatch_logs, "handle_request", logs_request)
