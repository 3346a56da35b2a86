"""What the looks remember, a table or two each."""

from __future__ import annotations

from sqlalchemy import Engine

from service.store.check_runs import CheckRuns
from service.store.contents import Contents, OutsideFacts
from service.store.digests import Digests
from service.store.evidence import Evidence
from service.store.installations import Installations
from service.store.messages import Messages
from service.store.pacing import Pacing
from service.store.pocs import Pocs
from service.store.policies import Policies
from service.store.pull_requests import PullRequests
from service.store.repositories import Repositories
from service.store.signatures import Signatures
from service.store.stall_issues import StallIssues
from service.store.stalls import Stalls
from service.store.timeline import Timeline
from service.store.waiting import Waiting


class Store:
    """The looks' side of the database."""

    def __init__(self, engine: Engine) -> None:
        self.installations = Installations(engine)
        self.repositories = Repositories(engine)
        self.pull_requests = PullRequests(engine)
        self.check_runs = CheckRuns(engine)
        self.outside_facts = OutsideFacts(engine)
        self.stall_issues = StallIssues(engine)
        self.stalls = Stalls(engine)
        self.contents = Contents(engine)
        self.evidence = Evidence(engine)
        self.signatures = Signatures(engine)
        self.pocs = Pocs(engine)
        self.messages = Messages(engine)
        self.pacing = Pacing(engine)
        self.timeline = Timeline(engine)
        self.waiting = Waiting(engine)
        self.policies = Policies(engine)
        self.digests = Digests(engine)
