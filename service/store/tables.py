"""The tables: columns and constraints, no behaviour.

Over 300 lines because a table is read beside those that it refers to.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from service.rules.values.subjects import PocId

NOW = text("now()")
PASSING = (
    "kind IN ('access-granted', 'charter-pushed', 'default-pushed', 'deployment-requested', 'evidence-sent', "
    "'files-pushed', 'issue-changed', 'policy-pushed', 'rerun-requested')"
)
"""Events that are only there to be answered. All others are somebody's doing: the record, the pages and who
has the ball are read from them, however old they are."""


def moment(**kwargs: Any) -> Any:  # noqa: ANN401 (SQLModel's Field is typed so)
    """A column for a moment in time, with its zone."""
    return Field(sa_type=DateTime(timezone=True), **kwargs)


def big(**kwargs: Any) -> Any:  # noqa: ANN401 (SQLModel's Field is typed so)
    """A column for one of GitHub's ids, which are longer than 32 bits."""
    return Field(sa_type=BigInteger, **kwargs)


def flag(default: bool = False) -> Any:  # noqa: ANN401 (SQLModel's Field is typed so)
    """A column for a yes or no that statements may leave out."""
    return Field(default=default, sa_column_kwargs={"server_default": text(str(default).lower())})


class Delivery(SQLModel, table=True):
    """One webhook delivery that was answered 202; `delivery_id` as `delivery_ids.stored_id` has it."""

    __table_args__ = (UniqueConstraint("delivery_id", "event", "body_sha256"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    delivery_id: UUID
    event: str = Field(sa_type=Text)
    body_sha256: bytes = Field(sa_type=LargeBinary)
    action: str | None = Field(default=None, sa_type=Text)
    installation_id: int | None = big(default=None)
    repository_id: int | None = big(default=None)
    subjects: list[str] = Field(sa_type=ARRAY(Text))
    ignored: str | None = Field(default=None, sa_type=Text)
    received_at: datetime = moment(sa_column_kwargs={"server_default": NOW}, index=True)


class Refused(SQLModel, table=True):
    """How many deliveries with a wrong signature were refused; those of a minute are one row."""

    minute: datetime = moment(primary_key=True)
    deliveries: int = big()


class Subject(SQLModel, table=True):
    """What needs a look: dirty while `wanted > done`.

    `urgency` says who waits for it, and `installation_id` whose it is, where that is known.
    """

    __table_args__ = (
        Index("subject_dirty", "touched", postgresql_where=text("wanted > done")),
        Index("subject_waiting", "installation_id", "urgency", postgresql_where=text("wanted > done")),
        Index("subject_dead", "dead_since", postgresql_where=text("dead_since IS NOT NULL")),
    )

    key: str = Field(sa_type=Text, primary_key=True)
    wanted: int = big(default=0)
    done: int = big(default=0)
    urgency: int = Field(default=2, sa_type=SmallInteger, sa_column_kwargs={"server_default": text("2")})
    installation_id: int | None = big(default=None)
    marked_at: datetime | None = moment(default=None)
    touched: datetime = moment(sa_column_kwargs={"server_default": NOW})
    not_before: datetime | None = moment(default=None)
    attempts: int = Field(default=0)
    last_error: str | None = Field(default=None, sa_type=Text)
    dead_since: datetime | None = moment(default=None)
    as_of: datetime | None = moment(default=None)
    looked_at: datetime | None = moment(default=None)
    """When the last look began."""
    next_look_at: datetime | None = moment(default=None)
    """When time alone may change what it found; without it, every sweep looks."""
    outcome: str | None = Field(default=None, sa_type=Text)


class FactRow(SQLModel, table=True):
    """Something that happened once, recorded once; `answered_at` is when a look had seen it."""

    __tablename__ = "fact"
    __table_args__ = (
        Index("fact_unanswered", "subject", postgresql_where=text("answered_at IS NULL")),
        Index("fact_timeline", "subject", "kind", "at"),
        Index("fact_passing", "answered_at", postgresql_where=text(f"answered_at IS NOT NULL AND {PASSING}")),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    subject: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    at: datetime = moment()
    actor: str = Field(sa_type=Text)
    detail: str = Field(sa_type=Text)
    recorded_at: datetime = moment(sa_column_kwargs={"server_default": NOW})
    answered_at: datetime | None = moment(default=None)


class InstallationRow(SQLModel, table=True):
    """An installation of the app on an account.

    `begins_observing` says whether it observes until a policy or a setting decides, `switched` what an
    operator decided, `observing_since` since when it observes.
    """

    __tablename__ = "installation"

    id: int = big(primary_key=True)
    account: str = Field(sa_type=Text)
    permissions: dict[str, str] = Field(sa_type=JSONB)
    suspended_at: datetime | None = moment(default=None)
    deleted_at: datetime | None = moment(default=None)
    rate_limited_until: datetime | None = moment(default=None)
    calls_limit: int | None = Field(default=None)
    calls_remaining: int | None = Field(default=None)
    calls_reset_at: datetime | None = moment(default=None)
    begins_observing: bool = flag(default=True)
    switched: str | None = Field(default=None, sa_type=Text)
    observing_since: datetime | None = moment(default=None)


class RepositoryRow(SQLModel, table=True):
    """A repository that an installation of ours covers; a POC where `poc_reason` is set."""

    __tablename__ = "repository"

    id: int = big(primary_key=True)
    installation_id: int = big(index=True)
    full_name: str = Field(sa_type=Text)
    default_branch: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    private: bool = flag()
    archived: bool = flag()
    fork: bool = flag()
    is_template: bool = flag()
    has_issues: bool = flag(default=True)
    topics: list[str] = Field(sa_type=ARRAY(Text))
    properties: dict[str, list[str]] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    pushed_at: datetime | None = moment(default=None)
    updated_at: datetime | None = moment(default=None)
    first_seen_at: datetime = moment(sa_column_kwargs={"server_default": NOW})
    first_pushed_at: datetime | None = moment(default=None)
    removed_at: datetime | None = moment(default=None)
    reread: bool = flag(default=True)
    poc_reason: str | None = Field(default=None, sa_type=Text)
    registered_at: datetime | None = moment(default=None)
    charter_kind: str | None = Field(default=None, sa_type=Text)
    charter_blob_sha: str | None = Field(default=None, sa_type=Text)
    charter_data: bytes | None = Field(default=None, sa_type=LargeBinary)
    charter_size: int | None = Field(default=None)
    chartered_at: datetime | None = moment(default=None)
    charter_changed_at: datetime | None = moment(default=None)


class PullRequestRow(SQLModel, table=True):
    """A pull request as its newest payload, or the list, showed it."""

    __tablename__ = "pull_request"

    repository_id: int = big(primary_key=True)
    number: int = Field(primary_key=True)
    head_sha: str = Field(sa_type=Text)
    before_sha: str | None = Field(default=None, sa_type=Text)
    base_ref: str = Field(sa_type=Text)
    base_sha: str = Field(sa_type=Text)
    author: str = Field(sa_type=Text)
    behind: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    state: str = Field(sa_type=Text)
    updated_at: datetime = moment()


class CharterAt(SQLModel, table=True):
    """What stood at the charter's path at one commit; a commit does not change, so neither does this."""

    __tablename__ = "charter_at"

    repository_id: int = big(primary_key=True)
    commit_sha: str = Field(sa_type=Text, primary_key=True)
    kind: str = Field(sa_type=Text)
    blob_sha: str | None = Field(default=None, sa_type=Text)
    data: bytes | None = Field(default=None, sa_type=LargeBinary)
    size: int | None = Field(default=None)
    read_at: datetime = moment(sa_column_kwargs={"server_default": NOW})


class MergeBase(SQLModel, table=True):
    """Where one commit left another, and how many commits it has more where that was asked; neither changes,
    so neither does this.
    """

    __tablename__ = "merge_base"

    repository_id: int = big(primary_key=True)
    base_sha: str = Field(sa_type=Text, primary_key=True)
    head_sha: str = Field(sa_type=Text, primary_key=True)
    sha: str = Field(sa_type=Text)
    ahead: int | None = Field(default=None)
    asked_at: datetime = moment(sa_column_kwargs={"server_default": NOW})


class BranchRuleRow(SQLModel, table=True):
    """Whether a branch of a repository that isn't a POC requires our check run."""

    __tablename__ = "branch_rule"

    repository_id: int = big(primary_key=True)
    branch: str = Field(sa_type=Text, primary_key=True)
    required: bool
    asked_at: datetime = moment()


class OutsideFactRow(SQLModel, table=True):
    """What was last found out about the world that one text of a charter names."""

    __tablename__ = "outside_fact"

    repository_id: int = big(primary_key=True)
    blob_sha: str = Field(sa_type=Text, primary_key=True)
    ref: str = Field(sa_type=Text)
    gathered_at: datetime = moment()
    complete: bool = flag(default=True)
    facts: dict[str, Any] = Field(sa_type=JSONB)


class CheckRunRow(SQLModel, table=True):
    """A check run of ours; written before it is posted, so that a kill in between is found out.

    `would` is its conclusion where things are held up, `rules` what holds them up.
    """

    __tablename__ = "check_run"
    __table_args__ = (Index("check_run_commit", "repository_id", "head_sha", "name", "id"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    repository_id: int = big()
    head_sha: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    external_id: str = Field(sa_type=Text)
    digest: str = Field(sa_type=Text)
    conclusion: str = Field(sa_type=Text)
    title: str = Field(sa_type=Text)
    would: str | None = Field(default=None, sa_type=Text)
    rules: list[str] = Field(sa_type=ARRAY(Text), sa_column_kwargs={"server_default": "{}"})
    github_id: int | None = big(default=None)
    created_at: datetime = moment(sa_column_kwargs={"server_default": NOW})


class StallIssueRow(SQLModel, table=True):
    """The one stall issue of a POC; written before it is opened, like a check run.

    `home_repository_id` is where it stands, if not in the POC's own repository; `episode` counts the stalls
    for which it was opened, `rung` is the highest step of the ladder that was taken in the present one.
    """

    __tablename__ = "stall_issue"

    poc_id: PocId = big(primary_key=True)
    installation_id: int = big(index=True)
    number: int | None = Field(default=None)
    state: str = Field(sa_type=Text)
    digest: str = Field(sa_type=Text)
    html_url: str | None = Field(default=None, sa_type=Text)
    opened_on: date = Field()
    opened_at: datetime | None = moment(default=None)
    closed_by_us: bool = flag()
    home_repository_id: int | None = big(default=None)
    episode: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    rung: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    reopened: bool = flag()
    assignee: str | None = Field(default=None, sa_type=Text)


class BlobRow(SQLModel, table=True):
    """A file's content, by what names it everywhere in its repository, and when it was first seen.

    `data` is null where the file was too large to be read; `kept` is false where it was let go.
    """

    __tablename__ = "blob"

    repository_id: int = big(primary_key=True)
    blob_sha: str = Field(sa_type=Text, primary_key=True)
    data: bytes | None = Field(default=None, sa_type=LargeBinary)
    kept: bool = flag(default=True)
    first_seen_at: datetime = moment()
    read_at: datetime = moment(sa_column_kwargs={"server_default": NOW})


class BlobAt(SQLModel, table=True):
    """Which blob stood at a path of a commit, null for none: what was read once stays so."""

    __tablename__ = "blob_at"

    repository_id: int = big(primary_key=True)
    commit_sha: str = Field(sa_type=Text, primary_key=True)
    path: str = Field(sa_type=Text, primary_key=True)
    blob_sha: str | None = Field(default=None, sa_type=Text)
    read_at: datetime = moment(sa_column_kwargs={"server_default": NOW})


class KnownCommit(SQLModel, table=True):
    """A commit's tree, parents and co-authors, where they were ever asked for."""

    __tablename__ = "known_commit"

    repository_id: int = big(primary_key=True)
    sha: str = Field(sa_type=Text, primary_key=True)
    tree_sha: str = Field(sa_type=Text)
    parents: list[str] = Field(sa_type=ARRAY(Text))
    co_authors: list[str] = Field(sa_type=ARRAY(Text), sa_column_kwargs={"server_default": "{}"})
    read_at: datetime = moment(sa_column_kwargs={"server_default": NOW})


class EvidenceRow(SQLModel, table=True):
    """One number for one metric, commit and source; never overwritten.

    `run_sha` is the commit that a workflow ran on; `commit_sha` the one that it speaks for: of a pull
    request's test merge its head, null until that is known.
    """

    __tablename__ = "evidence"
    __table_args__ = (
        UniqueConstraint("repository_id", "run_sha", "source_id", "key"),
        Index("evidence_commit", "repository_id", "commit_sha"),
        Index("evidence_metric", "repository_id", "metric", "at"),
        Index("evidence_source", "repository_id", "source_id"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    repository_id: int = big()
    run_sha: str = Field(sa_type=Text)
    commit_sha: str | None = Field(default=None, sa_type=Text)
    number: int | None = Field(default=None)
    level: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    source_id: str = Field(sa_type=Text)
    key: str = Field(sa_type=Text)
    metric: str = Field(sa_type=Text)
    value: str = Field(sa_type=Text)
    unit: str = Field(sa_type=Text)
    environment: str | None = Field(default=None, sa_type=Text)
    dataset: str | None = Field(default=None, sa_type=Text)
    load: str | None = Field(default=None, sa_type=Text)
    measured_over: str | None = Field(default=None, sa_type=Text)
    segment: str | None = Field(default=None, sa_type=Text)
    n: int | None = big(default=None)
    at: datetime = moment()
    recorded_at: datetime = moment(sa_column_kwargs={"server_default": NOW})


class UsedToken(SQLModel, table=True):
    """A workflow's token that was used once, kept until it has expired."""

    __tablename__ = "used_token"

    jti: str = Field(sa_type=Text, primary_key=True)
    expires_at: datetime = moment(index=True)


class SignatureRow(SQLModel, table=True):
    """A person's approval for one group, bound once to a hash of the fields that the group answers for."""

    __tablename__ = "signature"
    __table_args__ = (UniqueConstraint("poc_id", "source", "signs_for", "round"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    poc_id: PocId = big(index=True)
    number: int | None = Field(default=None)
    login: str = Field(sa_type=Text)
    signs_for: str = Field(sa_type=Text)
    round: str = Field(sa_type=Text)
    hash: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    commit_sha: str | None = Field(default=None, sa_type=Text)
    behalf: str | None = Field(default=None, sa_type=Text)
    at: datetime = moment()
    withdrawn_at: datetime | None = moment(default=None)
    recorded_at: datetime = moment(sa_column_kwargs={"server_default": NOW})


class SignerAccount(SQLModel, table=True):
    """The account that a login was when a charter of the repository named it first as a signer's."""

    __tablename__ = "signer_account"

    repository_id: int = big(primary_key=True)
    login: str = Field(sa_type=Text, primary_key=True)
    account_id: int = big()
    bound_at: datetime = moment(sa_column_kwargs={"server_default": NOW})


class PocRow(SQLModel, table=True):
    """Where a POC stands in its life; `ship_request` is the pull request on which the owner asked to ship.

    `bound_at` is when every threshold first had a value that counts, `environment` the one that platform
    signed for last, `stalled_since` from which day on its present stall counts. Since `request_proven_at`
    nothing but the signatures of `request_unsigned` is missing on the ship request. `agreed_data` is the
    charter that was agreed on last, whatever the default branch holds now.

    The columns after it are what the pages sort and count by: the charter's owner, its thresholds as last
    judged on the default branch, the class of the reason why it was stopped, the days of the last quarter
    before `counted_on` by what they went to (`DAYS_GO_TO`), the last turn, and the ship dates.
    """

    __tablename__ = "poc"
    __table_args__ = (UniqueConstraint("repository_id", "charter_path"),)

    id: PocId = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    repository_id: int = big()
    charter_path: str = Field(sa_type=Text, sa_column_kwargs={"server_default": "POC.md"})
    state: str = Field(sa_type=Text, sa_column_kwargs={"server_default": "none"})
    state_since: datetime = moment(sa_column_kwargs={"server_default": NOW})
    ship_request: int | None = Field(default=None)
    ship_requested_at: datetime | None = moment(default=None)
    shipped_at: datetime | None = moment(default=None)
    shipped_sha: str | None = Field(default=None, sa_type=Text)
    bound_at: datetime | None = moment(default=None)
    environment: str | None = Field(default=None, sa_type=Text)
    history_read_at: datetime | None = moment(default=None)
    pulls_listed_at: datetime | None = moment(default=None)
    request_proven_at: datetime | None = moment(default=None)
    request_unsigned: list[str] | None = Field(default=None, sa_type=ARRAY(Text))
    owner_login: str | None = Field(default=None, sa_type=Text)
    owner_access: str | None = Field(default=None, sa_type=Text)
    owner_asked_at: datetime | None = moment(default=None)
    owner_since: datetime | None = moment(default=None)
    stalled_since: date | None = Field(default=None)
    stall_cause: str | None = Field(default=None, sa_type=Text)
    agreed_blob_sha: str | None = Field(default=None, sa_type=Text)
    agreed_data: bytes | None = Field(default=None, sa_type=LargeBinary)
    owner: str | None = Field(default=None, sa_type=Text)
    met: int | None = Field(default=None)
    thresholds: int | None = Field(default=None)
    judged: list[dict[str, Any]] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    stop_cause: str | None = Field(default=None, sa_type=Text)
    days: list[int] | None = Field(default=None, sa_type=ARRAY(Integer))
    counted_on: date | None = Field(default=None)
    turn_id: int | None = big(default=None)
    waits_for: str | None = Field(default=None, sa_type=Text)
    waits_since: datetime | None = moment(default=None)
    ship_by: date | None = Field(default=None)
    first_ship_by: date | None = Field(default=None)
    ship_dates: int = Field(default=0, sa_column_kwargs={"server_default": "0"})


class ShipmentRow(SQLModel, table=True):
    """A commit that shipped to an environment, in small letters: going back to it stays open.

    `tree_sha` names its files; null where an earlier version did not ask for it.
    """

    __tablename__ = "shipment"

    poc_id: PocId = big(primary_key=True)
    environment: str = Field(sa_type=Text, primary_key=True)
    sha: str = Field(sa_type=Text, primary_key=True)
    tree_sha: str | None = Field(default=None, sa_type=Text)
    at: datetime = moment()


class MessageRow(SQLModel, table=True):
    """Something said once, written before it is said, so that a kill in between is found out.

    `refused` is why it could not be said when that was tried last.
    """

    __tablename__ = "message"

    repository_id: int = big(primary_key=True)
    key: str = Field(sa_type=Text, primary_key=True)
    number: int | None = Field(default=None)
    github_id: int | None = big(default=None)
    refused: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = moment(sa_column_kwargs={"server_default": NOW})
