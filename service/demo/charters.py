"""What people of the story write: charters, and what was measured."""

from __future__ import annotations

ADJECTIVES = """\
# Ticket triage assistant

Routes each ticket to the right queue.

```yaml
poc: 1
owner: jane-doe
ship_by: soon
target:
  environment: laptop
  load: a lot
  data: sample data
  auth: none
done:
  - it should be fast
  - accuracy is good enough
rollback:
  how: revert and redeploy
  within: quickly
infra:
  feature_store: n/a - retrieval only, no features
  model_registry: missing
  eval_pipeline: missing
  deploy_process: missing
signoffs:
  data_science: alice-k
  platform: bob-m
  product: carol-s
  security: dan-w
```
"""

NUMBERS = """\
# Ticket triage assistant

Routes each of 180 000 tickets a day to a queue; a wrong route costs 11 minutes.

```yaml
poc: 1
owner: jane-doe
ship_by: {ship_by}
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
rollback:
  how: turn flag ai_triage off, tickets go back to the manual queue
  within: 10 min
infra:
  feature_store: n/a - retrieval only, no features
  model_registry: https://mlflow.example.com/#/models/triage
  eval_pipeline: missing
  deploy_process: missing
signoffs:
  data_science: alice-k
  platform: bob-m
  product: carol-s
  security: dan-w
```
"""


ON_THE_WAY = {
    "  within: 10 min\n": "  within: 10 min\n  drilled: {drilled} in 4 min\n",
    "  eval_pipeline: missing\n  deploy_process: missing\n": (
        "  eval_pipeline: eval/run.sh\n  deploy_process: deploy/run.sh\n"
    ),
    "rollback:\n": (
        "evidence:\n"
        "  latency_p95: eval/metrics.json $.latency_p95 ms\n"
        "  accuracy: eval/metrics.json $.accuracy\n"
        "  cost_per_request: eval/metrics.json $.cost_usd USD\n"
        "rollback:\n"
    ),
}
"""What the charter says once there is something to measure and to deploy."""
MISSED = '{"latency_p95": 212, "accuracy": 0.914, "cost_usd": 0.013}\n'
MET = '{"latency_p95": 212, "accuracy": 0.934, "cost_usd": 0.013}\n'
