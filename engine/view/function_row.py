"""A function as a row of plain values: what it is, what was counted, what it costs."""

from typing import Any

from ..core.arn import resource_name
from ..core.cost import Bill
from ..core.function import EventInvokeConfig, Function
from ..metrics import FunctionMetrics

_AWS_RETRIES_MAX = 2


def configured(function: Function) -> dict[str, Any]:
    """What the template says of it."""
    config, logging = function.event_invoke_config, function.logging
    return {
        "handler": function.handler,
        "runtime": function.runtime,
        "architecture": function.architecture,
        "timeout": function.timeout,
        "memory": function.memory,
        "reserved": function.reserved_concurrency,
        "layers": list(function.layers),
        "log_format": logging.format,
        "log_level": logging.application_level,
        "system_log_level": logging.system_level,
        "log_group": function.log_group,
        "versions": sorted(function.versions, key=int),
        "aliases": sorted(map(list, function.aliases.items())),
        "recursive_loop": function.recursive_loop,
        "scaling": function.scaling,
        "retries": config.maximum_retry_attempts,
        "maximum_age": config.maximum_event_age,
        "dead_letter_queue": _name(function.dead_letter_queue),
        "on_failure": _name(config.on_failure),
        "on_success": _name(config.on_success),
        "lab": lab_settings(config),
    }


def lab_settings(config: EventInvokeConfig) -> list[str]:
    """What AWS does not offer, in words."""
    words = []
    if config.retry_delays != EventInvokeConfig().retry_delays:
        words.append(f"retries after {', '.join(f'{delay:g} s' for delay in config.retry_delays)}")
    if config.maximum_retry_attempts > _AWS_RETRIES_MAX:
        words.append(f"{config.maximum_retry_attempts} retries, AWS allows {_AWS_RETRIES_MAX}")
    return words


def counted(counts: FunctionMetrics) -> dict[str, Any]:
    """What has been counted since the engine started; `metrics` has CloudWatch's names."""
    return {
        "invocations": counts.invocations,
        "errors": counts.errors,
        "throttles": counts.throttles,
        "metrics": {
            "Invocations": counts.invocations,
            "Errors": counts.errors,
            "Throttles": counts.throttles,
            "AsyncEventsReceived": counts.async_events_received,
            "AsyncEventsDropped": counts.async_events_dropped,
            "DeadLetterErrors": counts.dead_letter_errors,
            "DestinationDeliveryFailures": counts.delivery_failures,
            "RecursiveInvocationsDropped": counts.recursive_drops,
        },
        "p50": counts.percentile(0.50),
        "p99": counts.percentile(0.99),
        "cost": counts.bill.cost,
        "cost_per_million": counts.bill.cost_per_million,
        "waited_share": counts.bill.waited_share,
        "bill": bill_row(counts.bill),
    }


def bill_row(bill: Bill) -> dict[str, Any]:
    """A bill, in dollars, milliseconds and GB-seconds."""
    return {
        "requests": bill.requests,
        "billed_ms": bill.billed_ms,
        "gb_seconds": bill.gb_seconds,
        "waited_gb_seconds": bill.waited_gb_seconds,
        "request_cost": bill.request_cost,
        "duration_cost": bill.duration_cost,
        "waited_cost": bill.waited_cost,
        "cost": bill.cost,
        "prices": f"AWS Lambda pricing, {bill.prices.region}, {bill.prices.as_of}",
    }


def _name(arn: str | None) -> str | None:
    return resource_name(arn) if arn else None
