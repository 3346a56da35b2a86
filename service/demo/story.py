"""`poc-governor demo`: the main job, told as a short story; each step is seen on GitHub's API."""

from __future__ import annotations

import hmac
import json
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from service.demo.charters import ADJECTIVES, MET, MISSED, NUMBERS, ON_THE_WAY
from service.demo.emulator import MISTOLD, comment_payload, token_of
from service.demo.person import CheckRun, Issue, Person
from service.demo.stage import ORG, OWNER, PEOPLE, Stage, StoryError, open_stage, page, shown, wait
from service.rules.charter.keys import usual_ship_date
from service.rules.policy.model import NO_POLICY
from service.rules.values.actions import CHARTER_CHECK, GATE_CHECK, STALL_LABEL
from service.rules.values.calendar import USUAL

COMMAND = "poc-governor"
REPOSITORY = "poc-ticket-triage"
SILENCE = NO_POLICY.limits.waiting
"""Working days that pass in the story: as many as somebody who is waited for has."""
SIGNERS, LAST_TO_SIGN = PEOPLE[1:-1], PEOPLE[-1]

ENDING = """
Open in a browser:
  {texts}  what the app wrote: checks, the issue, comments
  {service}/  the portfolio
  {service}/pocs/{org}/{repository}  the page of this POC, as of main: #{request} isn't merged yet
  {service}/docs/first-poc  the same story, explained

Try next, in another terminal:
  curl {service}/pocs/{org}/{repository}/record.md  # all that was recorded, for audits
  curl {service}/portfolio.csv
  {command} check docs/examples/adjectives.md  # in a clone: three mistakes, and what to write instead
  {command} init  # a charter for a repository of yours

Act as {owner}, whose token is {token}: give a command in a review, and reload the first page for the answer:
  curl -H 'Authorization: Bearer {token}' {github}/repos/{org}/{repository}/pulls/{request}/reviews \\
    -d '{{"event": "COMMENT", "body": "/poc stop the baseline was good enough"}}'

Everything keeps running; Ctrl-C ends it."""


def tell(*, stay: bool) -> None:
    """Tell the story; raises `StoryError` at the first step that does not come true."""
    say("Starting an emulated GitHub, PostgreSQL and the service (the first start takes some seconds) …")
    with open_stage() as stage:
        say(f"  GitHub   {stage.emulator.api_url} (organisation {ORG})")
        say(f"  service  {stage.service_url}")
        request = play(stage)
        say("\nThat's the whole story; GitHub's API showed each step.")
        if stay:
            with shown(lambda: page(stage, REPOSITORY)) as address:
                say(ending(stage, request, address))
                _wait_for_interrupt()


def play(stage: Stage) -> int:
    """The story itself; raises `StoryError` at the first step that does not come true.

    Returns the number of the ship request.
    """
    _pull_requests(stage)
    request = _shipping(stage)
    _stall(stage, request)
    return request[0]


def ending(stage: Stage, request: int, texts: str) -> str:
    """What to look at and to try while everything runs; `texts` is the address of what was written."""
    return ENDING.format(
        texts=texts,
        service=stage.service_url,
        github=stage.emulator.api_url,
        org=ORG,
        repository=REPOSITORY,
        request=request,
        owner=OWNER,
        token=token_of(OWNER),
        command=called(),
    )


def called() -> str:
    """The command as it was called: in a clone it isn't on PATH."""
    ours = Path(sys.argv[0])
    return COMMAND if ours.name != COMMAND or shutil.which(COMMAND) == str(ours) else str(ours)


def _pull_requests(stage: Stage) -> None:
    person = stage.person
    say(f"\n1. {OWNER} creates {ORG}/{REPOSITORY}. Its name says that it is a POC.")
    person.create_repo(REPOSITORY)

    say("\n2. A pull request brings code, and there is no charter.")
    _expect_check(stage, _open(person, "model", "model.py", "print('hello')\n"), "action_required")
    # The emulated GitHub has no pages: ours say what stands there.
    say(f"   its page: {stage.service_url}/pocs/{ORG}/{REPOSITORY}")

    say("\n3. A pull request brings a charter full of adjectives.")
    run = _expect_check(stage, _open(person, "adjectives", "POC.md", ADJECTIVES), "failure")
    for annotation in person.annotations(REPOSITORY, run.id):
        if annotation.level == "failure":
            say(f"   POC.md:{annotation.start_line}  {annotation.message.splitlines()[0]}")

    say("\n4. A pull request brings a charter in numbers.")
    ship_by = usual_ship_date(datetime.now(UTC).date())
    number, sha = _open(person, "numbers", "POC.md", NUMBERS.format(ship_by=ship_by))
    _expect_check(stage, (number, sha), "success")
    _approve(stage, number, *PEOPLE[1:])
    person.merge_pull(REPOSITORY, number)
    say(f"   #{number} is approved by {', '.join(PEOPLE[1:])} and merged: the POC has its charter.")
    _expect_ball(stage, f"owner {OWNER}")


def _shipping(stage: Stage) -> tuple[int, str]:
    """The ship gate: numbers compared with their bounds, on the commit that brings them.

    Returns the ship request and its head.
    """
    person, today = stage.person, datetime.now(UTC).date()
    text = NUMBERS.format(ship_by=usual_ship_date(today))
    for old, new in ON_THE_WAY.items():
        text = text.replace(old, new.format(drilled=today - timedelta(days=3)))
    files = {"POC.md": text, "eval/run.sh": "#!/bin/sh\n", "deploy/run.sh": "#!/bin/sh\n"}

    measured = files | {"eval/metrics.json": MISSED}
    say("\n5. A pull request brings the first measured numbers: accuracy is below its bound.")
    _expect_gate(stage, _open_files(person, "measured", "Add the first numbers", measured), "neutral")

    say(f"\n6. Another one meets them all, and {OWNER} writes /poc ship on it.")
    better = files | {"eval/metrics.json": MET}
    number, sha = _open_files(person, "ship", "Use a better model, and its numbers", better)
    _expect_gate(stage, (number, sha), "neutral")
    _command(stage, number, "/poc ship")
    _expect_gate(stage, (number, sha), "failure")

    say(f"\n7. Three of the four who sign, {', '.join(SIGNERS)}, approve.")
    _approve(stage, number, *SIGNERS)
    _expect_gate(stage, (number, sha), "failure", "1 signature open")
    _expect_ball(stage, f"signer {LAST_TO_SIGN}")
    return number, sha


def _approve(stage: Stage, number: int, *people: str) -> None:
    for login in people:
        with stage.emulator.person(login) as signer:
            signer.review(REPOSITORY, number)


def _stall(stage: Stage, request: tuple[int, str]) -> None:
    person = stage.person
    later = USUAL.add_working_days(datetime.now(UTC).date(), SILENCE)
    say(
        f"\n8. {LAST_TO_SIGN} doesn't answer for {SILENCE} working days. The hourly sweep of {later} sees it."
    )
    _sweep(stage, datetime(later.year, later.month, later.day, 9, tzinfo=UTC))
    issue = wait(lambda: _stall_issue(person, "open"), "a stall issue is open")
    say(f"   #{issue.number} {issue.title}")
    say(f"   {_first_line(issue)}")
    say(f"   assigned to {', '.join(issue.assignees)}")
    if issue.assignees != (LAST_TO_SIGN,):
        raise StoryError(f"issue #{issue.number} is assigned to {issue.assignees}, not to {LAST_TO_SIGN}")

    say("\n9. The next sweep keeps that issue, and opens no second one.")
    _sweep(stage, datetime(later.year, later.month, later.day, 15, tzinfo=UTC))
    if len(person.issues(REPOSITORY, label=STALL_LABEL)) != 1:
        raise StoryError("there is more than one stall issue")

    say(f"\n10. {LAST_TO_SIGN} approves: the gate opens, the issue closes itself, and {OWNER} may deploy.")
    time.sleep(1.1)  # GitHub's clock has seconds, and the approval must be later than the issue
    _approve(stage, request[0], LAST_TO_SIGN)
    _expect_gate(stage, request, "success")
    wait(lambda: _stall_issue(person, "closed"), "the stall issue is closed")
    say(f"   #{issue.number} is closed.")
    _expect_ball(stage, f"owner {OWNER}")


def _open(person: Person, branch: str, path: str, content: str) -> tuple[int, str]:
    person.create_branch(REPOSITORY, branch)
    person.write_file(REPOSITORY, path, content, branch=branch)
    pull = person.open_pull(REPOSITORY, branch, f"Add {path}")
    return pull.number, pull.head_sha


def _open_files(person: Person, branch: str, title: str, files: Mapping[str, str]) -> tuple[int, str]:
    person.create_branch(REPOSITORY, branch)
    for path, content in files.items():
        person.write_file(REPOSITORY, path, content, branch=branch)
    pull = person.open_pull(REPOSITORY, branch, title)
    return pull.number, pull.head_sha


def _command(stage: Stage, number: int, text: str) -> None:
    """Comment on a pull request, and send the webhook that GitHub would send."""
    comment = stage.person.comment(REPOSITORY, number, text)
    repository = stage.person.repo(REPOSITORY)
    payload = comment_payload(comment, repository, number, stage.emulator.installation_id)
    body = json.dumps(payload).encode()
    signature = hmac.digest(stage.emulator.webhook_secret.encode(), body, "sha256").hex()
    headers = {
        "X-GitHub-Event": MISTOLD,
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": f"sha256={signature}",
    }
    address = f"{stage.service_url}/webhooks/github"
    httpx.post(address, content=body, headers=headers, trust_env=False).raise_for_status()


def _expect_gate(stage: Stage, pull: tuple[int, str], conclusion: str, title: str = "") -> None:
    number, sha = pull

    def said() -> CheckRun | None:
        runs = stage.person.check_runs(REPOSITORY, sha, name=GATE_CHECK)
        return runs[0] if runs and runs[0].conclusion == conclusion and title in runs[0].title else None

    run = wait(said, f"the ship gate on #{number} is {conclusion}")
    say(f"   #{number}: {run.name} · {run.conclusion} · {run.title}")


def _expect_ball(stage: Stage, holder: str) -> None:
    """Ask the service, by a sweep, for whom the POC waits."""
    told = f", {holder} has the ball;"
    wait(lambda: told in _sweep(stage, datetime.now(UTC)), f"{holder} has the ball")
    say(f"   {holder} has the ball.")


def _first_line(issue: Issue) -> str:
    """What the issue says first; hidden markers stand above it."""
    return next(line for line in issue.body.splitlines() if line and not line.startswith("<!--"))


def _expect_check(stage: Stage, pull: tuple[int, str], conclusion: str) -> CheckRun:
    number, sha = pull

    def posted() -> CheckRun | None:
        runs = stage.person.check_runs(REPOSITORY, sha, name=CHARTER_CHECK)
        return runs[0] if runs else None

    run = wait(posted, f"a check run on #{number}")
    say(f"   #{number}: {run.name} · {run.conclusion} · {run.title}")
    if run.conclusion != conclusion:
        raise StoryError(f"the check run on #{number} is {run.conclusion}, not {conclusion}")
    return run


def _stall_issue(person: Person, state: str) -> Issue | None:
    issues = person.issues(REPOSITORY, label=STALL_LABEL)
    return next((issue for issue in issues if issue.state == state), None)


def _sweep(stage: Stage, as_of: datetime) -> str:
    command = [
        sys.executable,
        "-m",
        "service.cli.app",
        "sweep",
        "--as-of",
        as_of.isoformat(timespec="seconds"),
    ]
    done = subprocess.run(  # noqa: S603 (our own command line)
        command, env=stage.environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise StoryError(f"`poc-governor sweep` failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _wait_for_interrupt() -> None:
    try:
        signal.pause()
    except KeyboardInterrupt:
        say("\nEnding.")


def say(line: str) -> None:
    """Tell a line of the story."""
    print(line, flush=True)  # noqa: T201 (a story is told)
