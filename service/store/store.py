"""All that is stored, a table or two each."""

from __future__ import annotations

from service.rules.queue import USUAL_PACE, Pace
from service.store.check_runs import BranchRules, CheckRuns
from service.store.contents import Contents, OutsideFacts
from service.store.database import Database
from service.store.digests import Digests
from service.store.evidence import Evidence
from service.store.installations import Installations
from service.store.litter import Purge
from service.store.messages import Messages
from service.store.pacing import Pacing
from service.store.people import People
from service.store.poc_records import PocRecords
from service.store.pocs import Pocs
from service.store.policies import Policies
from service.store.portfolio import Portfolio
from service.store.pull_requests import PullRequests
from service.store.repositories import Repositories
from service.store.signatures import Signatures
from service.store.stall_issues import StallIssues
from service.store.timeline import Timeline
from service.store.waiting import Forecasts, Waiting


class Store:
    """All tables; `Database` says in whose session they are read and changed."""

    def __init__(self, database: Database, pace: Pace = USUAL_PACE) -> None:
        self.installations = Installations(database)
        self.repositories = Repositories(database)
        self.pull_requests = PullRequests(database)
        self.check_runs = CheckRuns(database)
        self.branch_rules = BranchRules(database)
        self.outside_facts = OutsideFacts(database)
        self.stall_issues = StallIssues(database)
        self.contents = Contents(database)
        self.evidence = Evidence(database)
        self.signatures = Signatures(database)
        self.pocs = Pocs(database)
        self.poc_records = PocRecords(database)
        self.messages = Messages(database)
        self.pacing = Pacing(database, pace)
        self.timeline = Timeline(database)
        self.waiting = Waiting(database)
        self.policies = Policies(database)
        self.digests = Digests(database)
        self.forecasts = Forecasts(database)
        self.purge = Purge(database)
        self.portfolio = Portfolio(database)
        self.people = People(database)
