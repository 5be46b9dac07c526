"""The line that says how far a command is."""

from io import StringIO

import pytest

from twofold_command.progress import Progress
from twofold_service.projects import Dataset, tell


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def step(clock: Clock, total: int, unit: str = "B") -> Progress:
    begun = Progress("Reading", total, StringIO(), unit, clock)
    begun.show()
    return begun


def test_a_bar_a_share_a_rate_and_what_is_left(clock: Clock) -> None:
    reading = step(clock, 400_000_000)
    for _ in range(4):
        clock.now += 0.5
        reading.advance(25_000_000)
    assert reading.line() == f"Reading  {'█' * 6}{'░' * 18}  25 %  50.0 MB/s  0:06 left"


def test_the_rate_is_that_of_the_last_ten_seconds(clock: Clock) -> None:
    reading = step(clock, 10_000, "entries")
    reading.advance(5_000)
    for _ in range(120):
        clock.now += 0.1
        reading.advance(1)
    assert reading.line().endswith("51 %  10 entries/s  8:08 left")


def test_nothing_is_guessed_before_the_first_second_or_at_a_standstill(clock: Clock) -> None:
    reading = step(clock, 100)
    clock.now += 0.5
    reading.advance(50)
    assert reading.line().endswith("  50 %")
    clock.now += 60
    reading.show()
    assert reading.line().endswith("  50 %")


def test_where_nobody_knows_the_total_the_words_of_the_worker_are_shown(clock: Clock) -> None:
    waiting = step(clock, 0)
    waiting.tell("The dataset is being created from the manifest file.")
    assert waiting.line() == "Reading … The dataset is being created from the manifest file."


def test_more_than_all_is_all(clock: Clock) -> None:
    reading = step(clock, 10)
    reading.advance(15)
    assert reading.line() == f"Reading  {'█' * 24}  100 %"


def test_hours_are_hours(clock: Clock) -> None:
    reading = step(clock, 7_200)
    clock.now += 1
    reading.advance(1)
    assert reading.line().endswith("0 %  1.0 B/s  1:59:59 left")


def test_another_total_is_another_task(clock: Clock) -> None:
    moving = step(clock, 10, "pieces")
    clock.now += 5
    moving.reach(9, 10)
    clock.now += 5
    moving.reach(1, 4)
    assert moving.line() == f"Reading  {'█' * 6}{'░' * 18}  25 %"
    clock.now += 2
    moving.reach(2, 4)
    assert moving.line().endswith("  50 %  0.5 pieces/s  0:04 left")


def test_pieces_of_work_are_counted_while_the_service_counts_them(clock: Clock) -> None:
    distributing = step(clock, 0, "pieces")
    described = {"Status": "UPDATE_IN_PROGRESS", "StatusMessage": "The entries are being moved."}
    counted = described | {"Progress": {"Step": "MOVE", "Done": 12, "Total": 40}}
    lines = []
    for description in (described, counted, described):
        clock.now += 1
        tell(distributing, Dataset("train", "arn", description))
        lines.append(distributing.line())
    assert lines == [
        "Reading … The entries are being moved.",
        f"Reading  {'█' * 7}{'░' * 17}  30 %",
        "Reading … The entries are being moved.",
    ]
