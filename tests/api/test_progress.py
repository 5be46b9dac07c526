"""DescribeDataset reports the progress of a running operation."""

import re
from threading import Event

from tests.support.job import Job, make_two_label_lines
from tests.support.request_interceptor import RequestInterceptor, hold_until, match_s3, wait_until


def test_the_status_message_has_the_number_of_moved_shards(
    job: Job, request_interceptor: RequestInterceptor
) -> None:
    train, test = job.create_pair(make_two_label_lines(50))
    go_on = Event()
    seen: list[str] = []

    def is_counting_shards() -> bool:
        seen.append(job.describe(test)["StatusMessage"])
        return "shards" in seen[-1]

    with request_interceptor.add_rule(match_s3("PUT", "/move/"), hold_until(go_on)):
        job.start_distribution(train, test)
        assert wait_until(is_counting_shards), seen
        go_on.set()
    assert seen[-1] == "The dataset is being updated. Moved 0 of 1 shards."
    assert re.match(r"\d+ of 50 entries were moved", job.wait_for_dataset(test)["StatusMessage"])
