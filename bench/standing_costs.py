"""`python -m bench standing-costs`: monthly cost of an idle stage, and of options and metrics, in dollars.

Counted from the deployed resources: the alarms of infra/alarms.py, the metrics of twofold/metrics.py, the rules of the web ACL.
"""

from collections.abc import Mapping

from aws_cdk import aws_cloudwatch as cloudwatch

from bench import prices
from bench.usage import SWEEPS, compute_idle_month
from infra.alarms import build_alarms
from infra.firewall import MANAGED_RULE_GROUPS
from infra.metrics import Metrics
from twofold.metrics import Metric, Outcome
from twofold.settings import ApiOperation, Function, Workflow

SHARDED = (Function.INDEX, Function.GROUP, Function.MOVE)
STATUSES = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")

SERIES: Mapping[Metric, int] = {
    Metric.CALLS: len(ApiOperation),
    Metric.LATENCY: len(ApiOperation),
    Metric.SHARDS: len(SHARDED),
    Metric.ENTRIES: len(SHARDED),
    Metric.BYTES: len(SHARDED),
    Metric.OPERATIONS: len(Outcome) + len(Workflow),
    Metric.TIME_IN_PROGRESS: len(STATUSES),
    Metric.ACTIVE_OPERATIONS: 1,
    Metric.OLDEST_OPERATION: 1,
    Metric.COLLECTED: 1,
}
"""The number of dimension values of each metric if everything is used; error metrics by name are not included."""

IDLE_HOURS: Mapping[Metric, float] = {
    Metric.ACTIVE_OPERATIONS: 730,
    Metric.OLDEST_OPERATION: 730,
    Metric.COLLECTED: 730 / 24,
}
"""Hours of a month in which an idle stage publishes each metric; metrics are charged by these hours."""

GATEWAY_METRICS = ("Count", "4XXError", "5XXError", "Latency", "IntegrationLatency")
"""Metrics of each method, if enabled."""


def count_alarmed_metrics() -> int:
    """The number of charged alarms: AWS charges an alarm for each of its metrics."""
    alarm_metrics = [alarm.metric for alarm in build_alarms(Metrics("prod"), "undelivered")]
    return sum(
        len(metric.using_metrics or {}) if isinstance(metric, cloudwatch.MathExpression) else 1
        for metric in alarm_metrics
    )


def read_idle_cost() -> dict[str, float]:
    """Dollars a month of an idle stage, by purpose."""
    return {
        "sweeps": compute_idle_month(),
        "traces of the sweeps": SWEEPS * prices.TRACE,
        "metrics": sum(IDLE_HOURS.values()) / 730 * prices.METRIC_MONTH,
        "alarms": count_alarmed_metrics() * prices.ALARM_MONTH,
        "dashboard": prices.DASHBOARD_MONTH,
    }


def make_options() -> dict[str, float]:
    """Dollars a month added by an option or by full use."""
    methods = len(ApiOperation) + 1
    return {
        "metrics, every operation and workflow used": (
            sum(SERIES.values()) - sum(IDLE_HOURS.values()) / 730
        )
        * prices.METRIC_MONTH,
        "`waf_rate`": prices.WAF_ACL_MONTH + (1 + len(MANAGED_RULE_GROUPS)) * prices.WAF_RULE_MONTH,
        "`api_metrics=true`, every method called": methods
        * len(GATEWAY_METRICS)
        * prices.METRIC_MONTH,
    }


def render_table() -> str:
    """The costs as Markdown tables."""
    rows = [f"| {item} | ${dollars:.2f} |" for item, dollars in read_idle_cost().items()]
    rows.append(f"| **all** | **${sum(read_idle_cost().values()):.2f}** |")
    added = [f"| {item} | ${dollars:.2f} |" for item, dollars in make_options().items()]
    head = "| {} | dollars a month |\n| --- | ---: |\n"
    return (
        head.format("while nobody uses it")
        + "\n".join(rows)
        + "\n\n"
        + head.format("on top of it")
        + "\n".join(added)
    )


if __name__ == "__main__":
    print(render_table())
