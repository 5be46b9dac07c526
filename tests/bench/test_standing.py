"""What a stage costs by being there is counted from what is deployed, and the page says it."""

import json
from pathlib import Path

from bench import prices, standing
from tests.infra.conftest import synthesize, template
from tests.infra.synthesized import Synthesized, spelt
from twofold.metrics import NAMESPACE, Metric

__all__ = ["synthesize", "template"]

PAGE = (Path(__file__).parents[2] / "docs" / "cost.md").read_text(encoding="utf-8")


def test_the_page_has_what_a_month_costs() -> None:
    """`python -m bench.standing` prints both tables."""
    assert standing.table() in PAGE


def test_alarms_are_counted_by_the_metrics_in_them(template: Synthesized) -> None:
    alarms = template.properties("AWS::CloudWatch::Alarm").values()
    watched = [
        sum("MetricStat" in one for one in alarm.get("Metrics", [])) or 1 for alarm in alarms
    ]
    assert standing.alarmed_metrics() == sum(watched)


def test_metrics_are_counted_as_the_dashboard_shows_them(template: Synthesized) -> None:
    """It shows all but those of errors, and what Collect tells once a day."""
    (board,) = template.properties("AWS::CloudWatch::Dashboard").values()
    body = json.loads(spelt(board["DashboardBody"]))
    shown = {
        (row[1], *row[2:-1])
        for widget in body["widgets"]
        for row in widget["properties"]["metrics"]
        if row[0] == NAMESPACE
    }
    counted = {name: n for name, n in standing.SERIES.items() if name is not Metric.COLLECTED}
    assert {name: sum(row[0] == name for row in shown) for name in counted} == counted
    assert set(standing.SERIES) == set(Metric) - {Metric.REFUSALS, Metric.FAILURES}


def test_what_is_published_while_nobody_calls_is_what_sweeps_and_collect_publish() -> None:
    metrics = standing.idle()["metrics"]
    assert 2 * prices.METRIC_MONTH < metrics < 2.1 * prices.METRIC_MONTH


def test_the_dashboard_costs_more_than_all_else_while_nobody_uses_the_stage() -> None:
    """So there is an option to do without."""
    idle = standing.idle()
    assert idle["dashboard"] > sum(idle.values()) - idle["dashboard"]
