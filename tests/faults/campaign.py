"""Trials: one fault at one call site, or a schedule of many drawn from a seed. Each raises what it finds broken."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from random import Random

from tests.faults.outside import Call, Fault
from tests.faults.scene import MOVING, Job, Scene, Stage, own_of
from tests.faults.theatre import MINUTE, Mishap
from twofold.settings import Function

STUBBORN = 40
"""So many calls in a row at one site fail where a fault stays: more than all retries together."""

MOST_SKEW = 5 * MINUTE
"""How wrong the clock of a function may be, either way."""

_MUTATING = (Job.DISTRIBUTE, Job.GROUPED, Job.DRY_RUN, Job.UPDATE, Job.DELETE)


@dataclass(frozen=True, slots=True)
class Trial:
    """A fault that happens `times` at a call site, from the first call there on."""

    job: Job
    site: tuple[str, str, str]
    fault: Fault
    times: int


def trials(stage: Stage) -> Iterator[Trial]:
    """Every call site that a clean run of each operation has, with every fault that can happen there. Of the variants of a
    distribution only those sites that no other has.
    """
    for job, call in own_of(Job, partial(sites, stage), lambda call: call.site):
        for fault in call.faults():
            yield Trial(job, call.site, fault, 1)
            yield Trial(job, call.site, fault, STUBBORN)


def sites(stage: Stage, job: Job) -> list[Call]:
    """The first call at each site of a clean run, the sweep's included."""
    with stage.scene(job) as scene:
        company = scene.theatre.company
        company.spawn("client", partial(scene.do, job))
        company.spawn("sweep", scene.theatre.settle)
        company.play()
        scene.require_documented()
        calls = list(scene.theatre.outside.calls)
    return list({call.site: call for call in reversed(calls)}.values())


def attempt(stage: Stage, trial: Trial) -> Scene:
    """One client, one fault."""
    with stage.scene(trial.job) as scene:
        left = [trial.times]

        def plan(call: Call) -> Fault | None:
            if call.site != trial.site or not left[0]:
                return None
            left[0] -= 1
            return trial.fault

        scene.theatre.outside.plan = plan
        company = scene.theatre.company
        company.spawn("client", partial(scene.do, trial.job))
        company.spawn("sweep", scene.theatre.settle)
        company.play()
        assert scene.theatre.outside.faults, "The fault did not happen."
        scene.rest()
        scene.again(trial.job)
    return scene


@dataclass(frozen=True, slots=True)
class Tempers:
    """How often what happens."""

    fault: float
    mishap: float
    abort: float
    sweep: float
    apart: float
    skew: int
    expire: float


@dataclass(slots=True)
class Figures:
    """Of a schedule, or of many."""

    schedules: int = 0
    calls: int = 0
    faults: int = 0
    looks: int = 0
    sweeps: int = 0
    torn_reads: int = 0
    skewed: int = 0

    def add(self, other: "Figures") -> None:
        self.schedules += other.schedules
        self.calls += other.calls
        self.faults += other.faults
        self.looks += other.looks
        self.sweeps += other.sweeps
        self.torn_reads += other.torn_reads
        self.skewed += other.skewed


def schedule(
    stage: Stage, seed: int, watch: Callable[[Scene], object] = lambda scene: None
) -> Figures:
    """Up to three clients on the same datasets, with faults, mishaps, aborted executions and sweeps at any time.

    `watch` sees the scene before it begins.
    """
    random = Random(seed)
    job = random.choice(list(Job))
    with stage.scene(job, seed) as scene:
        watch(scene)
        jobs = [job, *random.choices(_MUTATING, k=random.choice((0, 0, 1, 2)))]
        scene.replaces = not {*MOVING, Job.REVERT} & set(jobs)
        tempers = Tempers(
            fault=random.choice((0.0, 0.01, 0.05, 0.2)),
            mishap=random.choice((0.0, 0.1, 0.3)),
            abort=random.choice((0.0, 0.0, 0.02)),
            sweep=random.choice((0.0, 0.05)),
            apart=random.choice((0.0, 0.5, 1.0)),
            skew=random.choice((0, 0, MOST_SKEW)),
            expire=random.choice((0.0, 0.05)),
        )
        _unleash(scene, random, tempers)
        for number, one in enumerate(jobs):
            if job is not Job.CREATE or number == 0:
                scene.theatre.company.spawn(f"client {number}", partial(_insist, scene, one))
        scene.theatre.company.spawn("reader", partial(_read, scene))
        scene.theatre.company.play(lambda: _disturb(scene, random, tempers))
        outside = scene.theatre.outside
        figures = Figures(1, len(outside.calls), len(outside.faults), scene.witness.looks)
        figures.torn_reads, figures.skewed = outside.torn_reads, bool(tempers.skew)
        figures.sweeps = scene.rest()
        with outside.looking():
            scene.recorded.read()
        if not tempers.skew:
            # A deletion is over when the clock of the function that is asked says so.
            scene.recorded.require_linearizable()
        if len(jobs) == 1:
            scene.again(job)
    return figures


def _read(scene: Scene) -> None:
    """A client that looks again and again while others change things."""
    for _ in range(3):
        scene.recorded.read()
        scene.theatre.tick(MINUTE // 60)


def _insist(scene: Scene, job: Job) -> None:
    """As SDKs do: what failed on the other side is tried again, a few times."""
    for _ in range(3):
        answer = scene.do(job)
        if answer is not None and answer.get("__type") not in (
            "InternalServerError",
            "ThrottlingException",
            "ProvisionedThroughputExceededException",
        ):
            return
        scene.theatre.tick(MINUTE // 60)


def _unleash(scene: Scene, random: Random, tempers: Tempers) -> None:
    def plan(call: Call) -> Fault | None:
        return random.choice(call.faults()) if random.random() < tempers.fault else None

    def mishap(function: Function) -> Mishap | None:
        return random.choice(list(Mishap)) if random.random() < tempers.mishap else None

    def skew(actor: str) -> int:
        """Another one at every look: clocks are wrong, and they jump."""
        return random.randint(-tempers.skew, tempers.skew)

    scene.theatre.outside.plan = plan
    scene.theatre.outside.apart = lambda call: random.random() < tempers.apart
    scene.theatre.mishap = mishap
    scene.theatre.skew = skew
    scene.skewed = 2 * tempers.skew


def _disturb(scene: Scene, random: Random, tempers: Tempers) -> None:
    theatre = scene.theatre
    if random.random() < tempers.abort:
        for execution in list(theatre.executions.values()):
            theatre.abort(execution, random.choice(("ABORTED", "TIMED_OUT")))
    if random.random() < tempers.expire:
        scene.witness.memory.expire(theatre.now // 1000)
    if random.random() < tempers.sweep:
        theatre.tick(random.choice((0, 0, MINUTE, 2 * MINUTE)))
        theatre.company.spawn("sweep", theatre.settle)
