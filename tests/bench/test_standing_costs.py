"""The costs of an idle stage are counted from the deployed resources, and the page shows them."""

import json
from pathlib import Path

from bench import prices, standing_costs
from tests.infra.conftest import synthesize, template
from tests.infra.synthesized_template import SynthesizedTemplate, render_value
from twofold.metrics import NAMESPACE, Metric

__all__ = ["synthesize", "template"]

PAGE = (Path(__file__).parents[2] / "docs" / "cost.md").read_text(encoding="utf-8")


def test_the_page_has_the_costs_of_a_month() -> None:
    """`python -m bench standing-costs` prints both tables."""
    assert standing_costs.render_table() in PAGE


def test_alarms_are_counted_by_the_metrics_in_them(template: SynthesizedTemplate) -> None:
    alarms = template.select_properties("AWS::CloudWatch::Alarm").values()
    metric_counts = [
        sum("MetricStat" in metric for metric in alarm.get("Metrics", [])) or 1 for alarm in alarms
    ]
    assert standing_costs.count_alarmed_metrics() == sum(metric_counts)


def test_metrics_are_counted_as_the_dashboard_shows_them(template: SynthesizedTemplate) -> None:
    """The dashboard shows all metrics except errors and the daily metric of Collect."""
    (board,) = template.select_properties("AWS::CloudWatch::Dashboard").values()
    body = json.loads(render_value(board["DashboardBody"]))
    shown = {
        (row[1], *row[2:-1])
        for widget in body["widgets"]
        for row in widget["properties"]["metrics"]
        if row[0] == NAMESPACE
    }
    counted = {name: n for name, n in standing_costs.SERIES.items() if name is not Metric.COLLECTED}
    assert {name: sum(row[0] == name for row in shown) for name in counted} == counted
    assert set(standing_costs.SERIES) == set(Metric) - {Metric.REFUSALS, Metric.FAILURES}


def test_an_idle_stage_publishes_the_metrics_of_sweeps_and_collect() -> None:
    metrics = standing_costs.read_idle_cost()["metrics"]
    assert 2 * prices.METRIC_MONTH < metrics < 2.1 * prices.METRIC_MONTH


def test_the_dashboard_costs_more_than_the_rest_of_an_idle_stage() -> None:
    """An option turns the dashboard off."""
    idle = standing_costs.read_idle_cost()
    assert idle["dashboard"] > sum(idle.values()) - idle["dashboard"]
