"""docs/evidence-formats.md: every line that it shows gives the number beside it, from the tool's own file."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path, PurePosixPath

import pytest

from service.rules.charter.evidence import Source, parse_source
from service.rules.charter.line_keys import Key, parse_key
from service.rules.charter.quantity import plain
from service.rules.evidence.values import Unread
from tests.harness.places import ROOT
from tests.unit.evidence.numbers import read_value

FILES = Path(__file__).parent / "files"
PAGE = (ROOT / "docs" / "evidence-formats.md").read_text()
BLOCKS = re.findall(r"<!-- reads (\S+) -->\n```yaml\nevidence:\n(.*?)```", PAGE, re.DOTALL)
LINES = [
    (name, *line)
    for name, block in BLOCKS
    for line in re.findall(r"^  ([^:]+): (.+) # (\S+)$", block, re.MULTILINE)
]
TRAPS = [
    # k6: a threshold that is `false` has passed, and `passes` of a rate of failures are the failures
    ("k6-summary-export.json", "$.metrics.http_req_duration.thresholds['p(95)<300']", "is false"),
    ("k6-handle-summary.json", "$.metrics.http_req_duration.thresholds['p(95)<300'].ok", "is true"),
    ("k6-summary-export.json", "$.metrics.http_req_duration.values['p(95)']", "no `.values`, but `"),
    ("k6-handle-summary.json", "$.metrics.http_req_duration['p(95)']", "but `type, contains, values"),
    ("lm-eval.json", "$.results.triage['brier_score_stderr,none']", "is the text `N/A`"),
    ("mlflow-run.json", "$.data.metrics.auc", "is NaN"),
    ("mlflow-rest.json", "$.run.data.metrics[?@.key=='auc'].value", "is the text `NaN`"),
    ("mlflow-rest.json", "$.run.data.metrics.accuracy", "no `.accuracy` in a list of 3"),
    ("hf-evaluate.json", "$._git_commit_hash", "is null"),
    ("hf-evaluate.json", "$._evaluate_version", "is the text `0.4.6`"),
    ("hf-model-card.md", "$['model-index'][0].results[0].metrics[?@.type=='wer'].value", "nothing matches"),
    ("inspect.json", "$.results.scores[?@.name=='choice'].metrics.accuracy.value", "nothing matches"),
    ("locust.json", "$[0].response_times['95%']", "no `['95%']`, but `86, 36"),
    ("pytest-benchmark.json", "$.benchmarks[?@.name=='test_predict'].stats.p95", "no `.p95`, but `min, max"),
    ("deepeval.json", "$.metricsScores[?@.metric=='Faithfulness'].scores", "is a list"),
]


def value(name: str, text: str) -> Decimal | Unread:
    source = parse_source(text)
    assert isinstance(source, Source), source
    return read_value(source, (FILES / name).read_bytes())


@pytest.mark.parametrize(
    ("name", "key", "text", "shown"), LINES, ids=[f"{line[0]}-{line[1]}" for line in LINES]
)
def test_a_documented_line_gives_its_number(name: str, key: str, text: str, shown: str) -> None:
    read = value(name, text)
    assert isinstance(read, Decimal), read
    assert plain(read) == shown
    assert isinstance(parse_key(key), Key)
    assert PurePosixPath(text.split(maxsplit=1)[0]).suffix == PurePosixPath(name).suffix


def test_every_file_is_shown_on_the_page_and_listed() -> None:
    listed = (FILES.parent / "README.md").read_text()
    names = {path.name for path in FILES.iterdir()}
    assert {name for name in names if f"`{name}`" not in listed} == set()
    assert names - {name for name, _ in BLOCKS} == {"locust.json"}
    assert len(LINES) == PAGE.count(" # ")


@pytest.mark.parametrize(("name", "path", "reason"), TRAPS, ids=[f"{trap[0]}-{trap[1]}" for trap in TRAPS])
def test_a_trap_is_told(name: str, path: str, reason: str) -> None:
    read = value(name, f"eval/{name} {path}")
    assert isinstance(read, Unread)
    assert reason in read.reason


def test_promptfoo_sums_what_its_results_hold() -> None:
    total = value("promptfoo.json", "a.json $.results.prompts[0].metrics.namedScores.routing")
    assert total == 3
    assert total == value("promptfoo.json", "a.json sum of $.results.results[*].namedScores.routing")


def test_a_mean_over_a_score_that_is_nan_is_refused() -> None:
    read = value("ragas-scores.json", "a.json mean of $[*].answer_relevancy")
    assert read == Unread("`a.json` `$[*].answer_relevancy`: value 2 is NaN: measure again")
