"""Time to judge one charter: the design's example and mutations of it; the budget is 2 ms.

    python -m bench.charter [--mutations 300]

Exits 1 where the median of any charter is over the budget.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from datetime import date
from statistics import median

from service.rules.charter.file import CharterFile, FileKind
from service.rules.judge import judge

BUDGET = 2.0
"""Milliseconds."""
TODAY = date(2026, 10, 1)
REPEATS = 15
EXAMPLE = """# Ticket triage assistant

Agents read 180 000 tickets a day by hand. Triage routes each one to a queue; a wrong
route costs 11 minutes. In scope: EU English tickets. Out of scope: attachments, voice.

```yaml
poc: 1
owner: jane-doe
ship_by: 2027-02-26
target:
  environment: support-prod
  measured_in: support-staging
  load: 50 req/s
  data: 180000 tickets/day
  auth: okta-oidc
done:
  - latency_p95 <= 300 ms at 50 req/s
  - accuracy >= 92 % on tickets-2026q3 with n >= 2000
  - cost_per_request < 0.02 USD
  - error_rate < 0.5 % over 7 d
evidence:
  latency_p95: load/k6.json $.metrics.http_req_duration["p(95)"] ms
  accuracy: eval/metrics.json $.accuracy.value
rollback:
  how: turn flag ai_triage off, tickets go back to the manual queue
  within: 10 min
  drilled: 2026-11-12 in 4 min
infra:
  feature_store: n/a - retrieval only, no features
  model_registry: https://mlflow.example.com/#/models/triage
  eval_pipeline: .github/workflows/eval.yml
  deploy_process: missing
signoffs:
  data_science: alice-k
  platform: bob-m
  product: carol-s
  security: dan-w
```
"""
SCRAPS = (
    "fast enough",
    "  - ",
    ": ",
    "&a *a",
    "!!python/object",
    "99,9 %",
    "'",
    "\t",
    "{",
    "0x1F",
    "NO",
    "\u00a0",
)


def mutations(count: int) -> list[str]:
    """The example with a few lines left out, doubled, exchanged, or with something foreign in them."""
    chance = random.Random(7)  # reproducible, not secret
    made = []
    for _ in range(count):
        lines = EXAMPLE.splitlines()
        for _ in range(chance.randint(1, 6)):
            at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
            match chance.randrange(4):
                case 0:
                    del lines[at]
                case 1:
                    lines.insert(at, lines[other])
                case 2:
                    lines[at], lines[other] = lines[other], lines[at]
                case _:
                    cut = chance.randint(0, len(lines[at]))
                    lines[at] = lines[at][:cut] + chance.choice(SCRAPS) + lines[at][cut:]
        made.append("\n".join(lines) + "\n")
    return made


def milliseconds(text: str) -> tuple[float, int]:
    """The median time to judge a charter, and the number of its findings."""
    file = CharterFile(FileKind.FILE, text.encode())
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        judgement = judge(file, today=TODAY)
        times.append(time.perf_counter() - began)
    return median(times) * 1000, len(judgement.findings)


def main() -> int:
    """Measure, print, and say whether the budget holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutations", type=int, default=300)
    arguments = parser.parse_args()
    milliseconds(EXAMPLE)
    example, _ = milliseconds(EXAMPLE)
    measured = [milliseconds(text) for text in mutations(arguments.mutations)]
    times, findings = [time for time, _ in measured], [number for _, number in measured]
    slowest = max(example, *times)
    print(f"the example       {example:6.2f} ms")
    print(f"{len(times)} mutations     {median(times):6.2f} ms median, {max(times):.2f} ms the slowest")
    print(f"findings          {min(findings)} to {max(findings)} a charter")
    print(f"budget {BUDGET} ms: {'holds' if slowest <= BUDGET else 'MISSED'}")
    return 0 if slowest <= BUDGET else 1


if __name__ == "__main__":
    sys.exit(main())
