"""While an operation runs, DescribeDataset says how far it is, and asks little for it."""

import re
from threading import Event

from tests.backstage import Backstage, eventually, hold, s3
from tests.job import Job, two_labels


def test_the_message_says_how_many_shards_are_moved(job: Job, backstage: Backstage) -> None:
    train, test = job.pair(two_labels(50))
    go_on = Event()
    seen: list[str] = []

    def counting() -> bool:
        seen.append(job.describe(test)["StatusMessage"])
        return "shards" in seen[-1]

    with backstage.scene(s3("PUT", "/move/"), hold(go_on)):
        job.distribute(train, test)
        assert eventually(counting), seen
        go_on.set()
    assert seen[-1] == "The dataset is being updated. Moved 0 of 1 shards."
    assert re.match(r"\d+ of 50 entries were moved", job.settled(test)["StatusMessage"])
