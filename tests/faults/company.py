"""Processes that take turns: each is a thread that runs only when it is told to, so that a seed decides how they interleave."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.faults.outside import Killed


@dataclass(eq=False)
class Actor:
    """`doomed`: it is killed when it gets its next turn."""

    name: str
    act: Callable[[], object]
    function: str = ""
    doomed: bool = False
    ended: bool = False
    failure: BaseException | None = None
    turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


@dataclass
class Company:
    random: Random
    alive: list[Actor] = field(default_factory=list)
    _here: threading.local = field(default_factory=threading.local)
    _back: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def spawn(self, name: str, act: Callable[[], object]) -> Actor:
        actor = Actor(name, act)
        self.alive.append(actor)
        threading.Thread(target=self._live, args=(actor,), daemon=True).start()
        return actor

    def _live(self, actor: Actor) -> None:
        self._here.actor = actor
        actor.turn.acquire()
        try:
            if not actor.doomed:
                actor.act()
        except Killed:
            pass
        except BaseException as failure:
            actor.failure = failure
        actor.ended = True
        self._back.release()

    def pause(self) -> None:
        """An actor's turn is over; one that is no actor goes on."""
        actor = self.here()
        if actor is None:
            return
        self._back.release()
        actor.turn.acquire()
        if actor.doomed:
            raise Killed

    def here(self) -> Actor | None:
        """Whose turn it is."""
        actor: Actor | None = getattr(self._here, "actor", None)
        return actor

    def name(self) -> str:
        """Of the function that runs."""
        actor = self.here()
        return (actor.function or actor.name) if actor else "test"

    def play(self, between: Callable[[], None] = lambda: None) -> None:
        """Gives turns until every actor has ended; raises what one of them raised."""
        while self.alive:
            actor = self.random.choice(self.alive)
            for _ in range(self.random.choice((1, 1, 2, 5, 20))):
                actor.turn.release()
                self._back.acquire()
                if actor.ended:
                    self.alive.remove(actor)
                    break
            if actor.failure:
                self._dismiss()
                raise actor.failure
            between()

    def _dismiss(self) -> None:
        for actor in self.alive:
            actor.doomed = True
            while not actor.ended:
                actor.turn.release()
                self._back.acquire()
        self.alive.clear()
