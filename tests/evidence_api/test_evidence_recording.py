"""POST /api/v1/evidence: what is recorded, once and in one transaction, and who is looked at for it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from service.rules.evidence.values import Conditions
from service.rules.values.groups import Level
from service.store.database import Database, connect
from service.store.evidence import Evidence
from tests.harness.evidence import GOOD, Api, asking, refused, serving
from tests.harness.issuer import SHA, issuing

pytestmark = pytest.mark.asyncio

MERGE = {"event_name": "pull_request", "ref": "refs/pull/41/merge"}
WHOLE: dict[str, Any] = {
    "metrics": {
        "latency_p95": {"value": 212.40, "unit": "ms", "n": 15000, "load": "50 req/s", "window": "7 d"},
        "recall": [
            {"value": "93.5", "unit": "%", "n": 2140, "dataset": "tickets-2026q3", "segment": "eu"},
            {"value": "88", "unit": "%", "segment": "us", "environment": "support-prod"},
        ],
    },
    "environment": "support-staging",
}


def pull_requests(api: Api, *rows: tuple[int, str, str]) -> None:
    with psycopg.connect(api.database_url) as connection, connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO pull_request
                (repository_id, number, head_sha, base_ref, base_sha, author, state, updated_at)
            VALUES (7, %s, %s, 'main', 'b', 'jane-doe', %s, now())
            """,
            rows,
        )


async def test_what_is_recorded(api: Api) -> None:
    answer = await api.send(WHOLE)
    assert answer.status_code == 202
    assert answer.json() == {"recorded": 3, "commit": SHA, "level": "self-reported"}
    assert api.rows("key, value, unit, environment, dataset, load, measured_over, segment, n") == [
        (
            "latency_p95 at 50 req/s over 7 d in support-staging",
            "212.4", "ms", "support-staging", None, "50 req/s", "7 d", None, 15000,
        ),
        (
            "recall for us in support-prod",
            "88", "%", "support-prod", None, None, None, "us", None,
        ),
        (
            "recall on tickets-2026q3 for eu in support-staging",
            "93.5", "%", "support-staging", "tickets-2026q3", None, None, "eu", 2140,
        ),
    ]  # fmt: skip
    columns = "repository_id, run_sha, commit_sha, number, level, source, source_id"
    url = "https://github.acme.dev/acme/poc-triage/actions/runs/1658821493/attempts/2"
    assert set(api.rows(columns)) == {(7, SHA, SHA, None, "self-reported", url, "run:1658821493/2/55")}
    assert api.rows("at = recorded_at AND at > now() - interval '1 minute'") == [(True,)] * 3


async def test_the_rows_are_read_back_as_measurements(api: Api) -> None:
    assert (await api.send(WHOLE, environment="support-staging")).status_code == 422
    us = {"value": "88", "unit": "%", "segment": "us"}
    metrics = WHOLE["metrics"] | {"recall": us}
    assert (await api.send({"metrics": metrics}, environment="support-staging")).status_code == 202
    engine = connect(api.database_url)
    measured = {one.conditions: one for one in Evidence(Database(engine)).measured(7, [SHA])}
    engine.dispose()
    recall = measured[Conditions(environment="support-staging", segment="us")]
    assert (recall.metric, f"{recall.canonical_value}", recall.level) == ("recall", "0.88", Level.MEASURED)
    [latency] = [one for one in measured.values() if one.metric == "latency_p95"]
    assert latency.conditions
    assert latency.conditions.load
    assert latency.conditions.window
    assert f"{latency.conditions.load.canonical_value} {latency.conditions.window.text}" == "50 7 d"
    assert (latency.conditions.n, f"{latency.canonical_value}") == (15000, "0.2124")


async def test_the_fact_and_the_subjects(api: Api) -> None:
    pull_requests(api, (41, SHA, "open"), (42, SHA, "open"), (43, SHA, "closed"), (44, "0" * 40, "open"))
    assert (await api.send(jti="token-1")).status_code == 202
    assert api.rows("id, subject, kind, actor, detail", "fact") == [
        ("evidence:token-1", "repository:7", "evidence-sent", "jane-doe", SHA),
        (
            f"repository:7:evidence:{SHA}",
            "repository:7",
            "activity",
            "jane-doe",
            '{"deed": "evidence", "number": null, "asked": ""}',
        ),
    ]
    marked = ["pull_request:7:41", "pull_request:7:42", "repository:7"]
    assert api.rows("key, wanted, done", "subject") == [(key, 1, 0) for key in marked]
    assert api.rows("args ->> 'key'", "procrastinate_jobs") == [(key,) for key in marked]
    [(jti, minutes)] = api.rows("jti, extract(epoch FROM expires_at - now())::int / 60", "used_token")
    assert jti == "token-1"
    assert 8 <= minutes <= 10


async def test_a_test_merge_speaks_for_a_head_that_a_worker_finds(api: Api) -> None:
    answer = await api.send(**MERGE)
    assert answer.json() == {"recorded": 1, "commit": None, "level": "measured"}
    assert api.rows("run_sha, commit_sha, number") == [(SHA, None, 41)]
    assert api.rows("key", "subject") == [("pull_request:7:41",), ("repository:7",)]


@pytest.mark.parametrize("event", ["push", "merge_group", "workflow_dispatch", "schedule", "release"])
async def test_other_runs_speak_for_their_commit(api: Api, event: str) -> None:
    assert (await api.send(event_name=event)).json()["commit"] == SHA


async def test_the_environment_of_the_job_counts_unless_it_has_none(api: Api) -> None:
    assert (await api.send(environment="support-staging")).status_code == 202
    assert (await api.send(GOOD | {"environment": "shadow"}, check_run_id="56")).status_code == 202
    assert (await api.send(check_run_id="57")).status_code == 202
    assert set(api.rows("coalesce(environment, '-'), level")) == {
        ("support-staging", "measured"),
        ("shadow", "self-reported"),
        ("-", "measured"),
    }


@pytest.mark.parametrize(
    ("environment", "sent", "level"),
    [
        pytest.param("support-prod", {}, "measured", id="the job's"),
        pytest.param("support-prod", {"environment": "Support-Prod"}, "measured", id="the job's, said again"),
        pytest.param(None, {}, "measured", id="none at all"),
        pytest.param(None, {"environment": "support-prod"}, "self-reported", id="written in the body"),
        pytest.param(
            None,
            {"metrics": {"mae": [{"value": 1}, {"value": 2, "environment": "support-prod"}]}},
            "self-reported",
            id="written at one number",
        ),
    ],
)
async def test_an_environment_that_github_does_not_name_is_self_reported(
    api: Api, environment: str | None, sent: dict[str, Any], level: str
) -> None:
    claims = {} if environment is None else {"environment": environment}
    assert (await api.send(GOOD | sent, **claims)).json()["level"] == level
    assert level in {row[0] for row in api.rows("level")}
    engine = connect(api.database_url)
    found = {str(one.level) for one in Evidence(Database(engine)).measured(7, [SHA])}
    engine.dispose()
    assert level in found


async def test_a_job_that_sends_the_same_again_is_told_so_and_nothing_doubles(api: Api) -> None:
    assert (await api.send(WHOLE)).status_code == 202
    before = api.rows("id, value, at"), api.rows("id", "fact")
    assert (await api.send(WHOLE)).json() == {"recorded": 3, "commit": SHA, "level": "self-reported"}
    assert (api.rows("id, value, at"), api.rows("id", "fact")) == before


@pytest.mark.parametrize("change", [{"value": 300}, {"unit": "s"}, {"n": 5}])
async def test_a_job_cannot_change_what_it_sent(api: Api, change: dict[str, Any]) -> None:
    assert (await api.send()).status_code == 202
    before = api.stored()
    other = {"metrics": {"latency_p95": GOOD["metrics"]["latency_p95"] | change, "accuracy": {"value": 1}}}
    assert "212.4 ms" in refused(await api.send(other), "sent-before")
    assert api.stored() == before
    assert api.rows("metric, value, unit") == [("latency_p95", "212.4", "ms")]


async def test_another_job_or_attempt_or_commit_is_another_row(api: Api) -> None:
    for claims in ({}, {"check_run_id": "56"}, {"run_attempt": "3"}, {"run_id": "9"}, {"sha": "a" * 40}):
        assert (await api.send(**claims)).status_code == 202
    assert len(api.rows("id")) == 5


async def test_a_server_that_does_not_name_the_job_tells_jobs_apart_by_their_tokens(api: Api) -> None:
    for jti in ("one", "two"):
        assert (await api.send(check_run_id=None, jti=jti)).status_code == 202
    assert api.rows("source_id") == [("run:1658821493/2/one",), ("run:1658821493/2/two",)]


async def test_many_jobs_at_once_are_all_recorded(api: Api) -> None:
    pull_requests(api, (41, SHA, "open"))
    answers = await asyncio.gather(*(api.send(check_run_id=str(n + 1)) for n in range(30)))
    assert {answer.status_code for answer in answers} == {202}
    assert len(api.rows("id")) == 30
    assert api.rows("key, wanted", "subject") == [("pull_request:7:41", 30), ("repository:7", 30)]


async def test_a_pull_request_that_arrives_meanwhile_is_looked_at(api: Api) -> None:
    """Its delivery holds the repository's row: the upload waits for it, and then sees the pull request."""
    with psycopg.connect(api.database_url) as connection:
        connection.execute("SELECT 1 FROM repository WHERE id = 7 FOR NO KEY UPDATE")
        sending = asyncio.create_task(api.send())
        await asyncio.sleep(0.3)
        assert not sending.done()
        connection.execute(
            "INSERT INTO pull_request VALUES (7, 41, %s, NULL, 'main', 'b', 'jane-doe', 'open', now())",
            (SHA,),
        )
    assert (await sending).status_code == 202
    assert ("pull_request:7:41",) in api.rows("key", "subject")


async def test_without_a_database_nothing_is_said_to_be_stored(unused_tcp_port: int) -> None:
    url = f"postgresql://nobody@127.0.0.1:{unused_tcp_port}/nowhere"
    with issuing() as issuer, serving(url, issuer) as server:
        async with asking(server) as api:
            answer = await api.send()
            assert "Send it again" in refused(answer, "not-stored")
            assert answer.headers["retry-after"] == "5"


async def test_before_the_migrations_nothing_is_said_to_be_stored(api_alone: Api) -> None:
    with psycopg.connect(api_alone.database_url) as connection:
        connection.execute("DROP TABLE evidence")
    assert refused(await api_alone.send(), "not-stored")
    assert api_alone.rows("jti", "used_token") == []


async def test_answers_are_counted(api: Api) -> None:
    def count(status: str, problem: str) -> float:
        labels = {"status": status, "problem": problem}
        return REGISTRY.get_sample_value("poc_governor_evidence_uploads_total", labels) or 0

    before = count("202", ""), count("401", "token-missing")
    await api.send()
    await api.http.post("/api/v1/evidence")
    assert (count("202", ""), count("401", "token-missing")) == (before[0] + 1, before[1] + 1)


GARBAGE = st.binary(max_size=300) | st.text(max_size=80).map(
    lambda text: json.dumps({"metrics": text}).encode()
)


async def test_garbage_is_never_an_error_of_ours(api: Api) -> None:
    sending: list[tuple[bytes, str]] = []

    @settings(max_examples=150, database=None)
    @given(GARBAGE, st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60), st.booleans())
    def collect(content: bytes, token: str, good: bool) -> None:
        sending.append((content, "" if good else token))

    collect()
    for content, token in sending:
        answer = await api.send(content, token=token or None)
        assert 400 <= answer.status_code < 500, (content, token)
        assert answer.json()["type"].startswith("urn:poc-governor:problem:")
    assert api.stored() == {}


async def test_an_event_that_the_policy_lets_in_is_taken(api: Api) -> None:
    with psycopg.connect(api.database_url) as connection:
        connection.execute(
            "INSERT INTO policy (installation_id, repository_id, good_text, read_at) "
            "VALUES (5, 1, %s, now())",
            ("policy: 1\nevidence:\n  events: [pull_request_target]\n",),
        )
    assert (await api.send(event_name="workflow_run")).status_code == 403
    assert (await api.send(event_name="pull_request_target")).status_code == 202
