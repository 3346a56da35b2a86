from __future__ import annotations

import pytest

from service.demo.charters import ADJECTIVES
from tests.harness.emulator import Stage, good_charter, later

pytestmark = pytest.mark.slow


def test_checks_are_neutral_and_say_the_same(observed: Stage) -> None:
    repo = observed.poc()
    missing = repo.expect(repo.pull("model", model_py="x = 1\n").head_sha, "neutral")
    assert "filename=POC.md" in missing.summary
    bad = repo.expect(repo.pull("bad", POC_md=ADJECTIVES).head_sha, "neutral")
    assert "findings to fix" in bad.summary
    assert "observing" in bad.summary
    assert repo.person.annotations(repo.name, bad.id)
    good = repo.expect(repo.pull("good", POC_md=good_charter()).head_sha, "neutral")
    assert "| owner | `jane-doe` |" in good.summary


def test_stalled_poc_gets_no_issue(observed: Stage) -> None:
    repo, other = observed.poc(charter=good_charter()), observed.poc()
    observed.sweep(later(40))
    assert repo.person.issues(repo.name) == other.person.issues(other.name) == []
    assert [call.json["conclusion"] for call in repo.writes()] == ["neutral"]
    assert other.writes() == []
