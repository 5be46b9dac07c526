"""`python -m bench.standing`: what a stage costs a month by being there, and what options and metrics add, in dollars.

Counted from what is deployed: the alarms of infra/alarms.py, the metrics of twofold/metrics.py, the rules of the web ACL.
"""

from collections.abc import Mapping

from aws_cdk import aws_cloudwatch as cloudwatch

from bench import prices
from bench.usage import SWEEPS, idle_month
from infra.alarms import alarms
from infra.firewall import MANAGED
from infra.metrics import Metrics
from twofold.metrics import Metric, Outcome
from twofold.settings import Function, Operation, Workflow

SHARDED = (Function.INDEX, Function.GROUP, Function.MOVE)
STATUSES = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")

SERIES: Mapping[Metric, int] = {
    Metric.CALLS: len(Operation),
    Metric.LATENCY: len(Operation),
    Metric.SHARDS: len(SHARDED),
    Metric.ENTRIES: len(SHARDED),
    Metric.BYTES: len(SHARDED),
    Metric.OPERATIONS: len(Outcome) + len(Workflow),
    Metric.TIME_IN_PROGRESS: len(STATUSES),
    Metric.ACTIVE_OPERATIONS: 1,
    Metric.OLDEST_OPERATION: 1,
    Metric.COLLECTED: 1,
}
"""Of how many values of its dimension each metric is published, if everything is used; errors come by name on top of it."""

IDLE_HOURS: Mapping[Metric, float] = {
    Metric.ACTIVE_OPERATIONS: 730,
    Metric.OLDEST_OPERATION: 730,
    Metric.COLLECTED: 730 / 24,
}
"""Hours of a month in which a stage that nobody uses publishes each; a metric is paid by such hours."""

GATEWAY_METRICS = ("Count", "4XXError", "5XXError", "Latency", "IntegrationLatency")
"""Of each method, where they are asked for."""


def alarmed_metrics() -> int:
    """AWS charges an alarm for each metric in it."""
    watched = [alarm.metric for alarm in alarms(Metrics("prod"), "undelivered")]
    return sum(
        len(one.using_metrics or {}) if isinstance(one, cloudwatch.MathExpression) else 1
        for one in watched
    )


def idle() -> dict[str, float]:
    """Dollars a month while nobody uses the stage, by what they are for."""
    return {
        "sweeps": idle_month(),
        "traces of the sweeps": SWEEPS * prices.TRACE,
        "metrics": sum(IDLE_HOURS.values()) / 730 * prices.METRIC_MONTH,
        "alarms": alarmed_metrics() * prices.ALARM_MONTH,
        "dashboard": prices.DASHBOARD_MONTH,
    }


def options() -> dict[str, float]:
    """Dollars a month that an option or full use adds."""
    methods = len(Operation) + 1
    return {
        "metrics, every operation and workflow used": (
            sum(SERIES.values()) - sum(IDLE_HOURS.values()) / 730
        )
        * prices.METRIC_MONTH,
        "`waf_rate`": prices.WAF_ACL_MONTH + (1 + len(MANAGED)) * prices.WAF_RULE_MONTH,
        "`api_metrics=true`, every method called": methods
        * len(GATEWAY_METRICS)
        * prices.METRIC_MONTH,
    }


def table() -> str:
    """Markdown."""
    rows = [f"| {what} | ${dollars:.2f} |" for what, dollars in idle().items()]
    rows.append(f"| **all** | **${sum(idle().values()):.2f}** |")
    added = [f"| {what} | ${dollars:.2f} |" for what, dollars in options().items()]
    head = "| {} | dollars a month |\n| --- | ---: |\n"
    return (
        head.format("while nobody uses it")
        + "\n".join(rows)
        + "\n\n"
        + head.format("on top of it")
        + "\n".join(added)
    )


if __name__ == "__main__":
    print(table())
