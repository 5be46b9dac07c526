"""The progress line of a command."""

from io import StringIO

import pytest

from twofold_command.progress import ProgressBar
from twofold_service.projects import show_dataset_progress


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def make_bar(clock: Clock, total: int, unit: str = "B") -> ProgressBar:
    bar = ProgressBar("Reading", total, StringIO(), unit, clock)
    bar.show()
    return bar


def test_the_line_shows_bar_share_rate_and_remaining_time(clock: Clock) -> None:
    reading = make_bar(clock, 400_000_000)
    for _ in range(4):
        clock.now += 0.5
        reading.advance(25_000_000)
    assert reading.render() == f"Reading  {'█' * 6}{'░' * 18}  25 %  50.0 MB/s  0:06 left"


def test_the_rate_is_that_of_the_last_ten_seconds(clock: Clock) -> None:
    reading = make_bar(clock, 10_000, "entries")
    reading.advance(5_000)
    for _ in range(120):
        clock.now += 0.1
        reading.advance(1)
    assert reading.render().endswith("51 %  10 entries/s  8:08 left")


def test_nothing_is_guessed_before_the_first_second_or_at_a_standstill(clock: Clock) -> None:
    reading = make_bar(clock, 100)
    clock.now += 0.5
    reading.advance(50)
    assert reading.render().endswith("  50 %")
    clock.now += 60
    reading.show()
    assert reading.render().endswith("  50 %")


def test_where_nobody_knows_the_total_the_words_of_the_worker_are_shown(clock: Clock) -> None:
    waiting = make_bar(clock, 0)
    waiting.set_message("The dataset is being created from the manifest file.")
    assert waiting.render() == "Reading … The dataset is being created from the manifest file."


def test_more_than_all_is_all(clock: Clock) -> None:
    reading = make_bar(clock, 10)
    reading.advance(15)
    assert reading.render() == f"Reading  {'█' * 24}  100 %"


def test_hours_are_hours(clock: Clock) -> None:
    reading = make_bar(clock, 7_200)
    clock.now += 1
    reading.advance(1)
    assert reading.render().endswith("0 %  1.0 B/s  1:59:59 left")


def test_another_total_is_another_task(clock: Clock) -> None:
    moving = make_bar(clock, 10, "tasks")
    clock.now += 5
    moving.update(9, 10)
    clock.now += 5
    moving.update(1, 4)
    assert moving.render() == f"Reading  {'█' * 6}{'░' * 18}  25 %"
    clock.now += 2
    moving.update(2, 4)
    assert moving.render().endswith("  50 %  0.5 tasks/s  0:04 left")


def test_tasks_are_counted_while_the_service_reports_them(clock: Clock) -> None:
    distributing = make_bar(clock, 0, "tasks")
    description = {"Status": "UPDATE_IN_PROGRESS", "StatusMessage": "The entries are being moved."}
    counted = description | {"Progress": {"Step": "MOVE", "Done": 12, "Total": 40}}
    lines = []
    for shown in (description, counted, description):
        clock.now += 1
        show_dataset_progress(distributing, shown)
        lines.append(distributing.render())
    assert lines == [
        "Reading … The entries are being moved.",
        f"Reading  {'█' * 7}{'░' * 17}  30 %",
        "Reading … The entries are being moved.",
    ]
