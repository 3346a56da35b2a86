"""How long the product waits: tests set shorter waits, and would not notice if these changed."""

from __future__ import annotations

import random
from datetime import timedelta
from inspect import signature

from service.rules.queue import Pace
from service.services import Waits
from service.wiring import build, run_worker


def test_the_waits_of_the_product() -> None:
    waits: Waits = signature(build).parameters["waits"].default
    assert waits == Waits(
        untouched=timedelta(seconds=45),
        wake="* * * * * */20",
        poll=1.0,
        answer=15,
        pace=Pace(apart=timedelta(seconds=1), margin=timedelta(seconds=2)),
        jitter=random.random,
    )


def test_a_forgotten_subject_is_woken_within_two_minutes() -> None:
    seconds = int(Waits().wake.rpartition("/")[2])
    assert Waits().untouched + timedelta(seconds=seconds) < timedelta(minutes=2)


def test_a_worker_waits_as_the_product_does() -> None:
    assert signature(run_worker).parameters["waits"].default == Waits()
