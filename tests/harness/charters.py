"""The charters of the stories: one of the corpus, and one whose POC is on its way to production."""

from __future__ import annotations

from tests.harness.places import CHARTERS

GOOD = (CHARTERS / "ok" / "example.md").read_text()
BAD = (CHARTERS / "err" / "several.md").read_text()
LATER = GOOD.replace("2027-02-26", "2027-03-05")
STOPPED = (CHARTERS / "ok" / "stopped-early.md").read_text()

LATENCY = "  - latency_p95 <= 300 ms at 50 req/s\n"
ACCURACY = "  - accuracy >= 92 % on tickets-2026q3 with n >= 2000\n"
SAME_IN_OTHER_WORDS = (
    ("300 ms", "0.3 s"),
    ("92 %", "0.92"),
    ("92 %", "92.0 %"),
    ("0.5 %", "5000 ppm"),
    ("7 d", "1 week"),
    ("at 50 req/s", "at 3000 requests/min"),
    ("< 0.02 USD", "< $0.02"),
    ("load: 50 req/s", "load: 180000 requests/h"),
    ("180000 tickets/day", "7500 ticket/h"),
    ("owner: jane-doe", "owner: Jane-Doe"),
    ("latency_p95 <=", "p95 <="),
    (LATENCY + ACCURACY, ACCURACY + LATENCY),
    ("on tickets-2026q3 with n >= 2000", "with n = 2000 on tickets-2026q3"),
    ("within: 10 min", "within: 600 s"),
)
"""Changes of the good charter that change nothing of what it means."""

OWNER = "jane-doe"
SIGNERS = ("alice-k", "bob-m", "carol-s", "dan-w")
STAGING, PRODUCTION = "support-staging", "support-prod"
K6, METRICS = "load/k6.json", "eval/metrics.json"
CHARTER = f"""\
# Ticket triage

Routes each of 180 000 tickets a day to a queue; a wrong route costs 11 minutes. In scope: EU English
tickets. Out of scope: attachments.

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
evidence:
  latency_p95: {K6} $.metrics.http_req_duration["p(95)"] ms
  accuracy: {METRICS} $.accuracy
rollback:
  how: turn flag ai_triage off, tickets go back to the manual queue
  within: 10 min
  drilled: 2026-11-12 in 4 min
infra:
  feature_store: n/a - retrieval only, no features
  model_registry: https://mlflow.example.com/#/models/triage
  eval_pipeline: https://ci.example.com/eval
  deploy_process: https://ci.example.com/deploy
signoffs:
  data_science: alice-k
  platform: bob-m
  product: carol-s
  security: dan-w
```
"""
UNBOUND = CHARTER.replace("  measured_in: support-staging\n", "")
UNMEASURED = CHARTER[: CHARTER.index("evidence:")] + CHARTER[CHARTER.index("rollback:") :]


def files(latency: object = 212.4, accuracy: object = 0.931) -> dict[str, str]:
    """Files of evidence; a number that is None is not written."""
    written = {}
    if latency is not None:
        written[K6] = f'{{"metrics": {{"http_req_duration": {{"p(95)": {latency}}}}}}}'
    if accuracy is not None:
        written[METRICS] = f'{{"accuracy": {accuracy}}}'
    return written
