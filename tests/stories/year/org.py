"""An org of 60 POCs and their year, as data.

A biography is a list of what people do, a line each: the day (or the first and the last day, counted from the
POC's beginning; work is done on working days only), a verb, its words. `year.py` says what each verb is.
"""

from __future__ import annotations

from datetime import date

FIRST, LAST = date(2027, 1, 4), date(2028, 1, 2)

POLICY = """\
policy: 1
calendar:
  time_zone: Europe/Berlin
  freezes:
    - 2027-03-26 to 2027-03-29 - Easter
    - 2027-12-20 to 2028-01-02 - year end
groups:
  security:
    members: [dan-w, eve-s]
    lead: sec-lead
  platform:
    lead: platform-lead
issues_a_day: 5
central_repository: acme/poc-portfolio
"""

BIOGRAPHIES = {
    "ships as planned": """
        0 charter +60
        1 sign alice-k bob-m carol-s dan-w
        2-38 work
        10 open 31
        11 ask 31 erin-x
        13 review 31 erin-x
        14 merge 31
        40 measure good
        41 open 40 good
        42 say 40 /poc ship
        43 approve 40 alice-k bob-m carol-s dan-w
        44 merge 40
        45 deploy good
    """,
    "security is slow, then ships": """
        0 charter +90
        1 sign alice-k bob-m carol-s dan-w
        2-30 work
        31 measure good
        32 open 40 good
        32 say 40 /poc ship
        33 approve 40 alice-k bob-m carol-s
        43 approve 40 dan-w
        44 deploy good
    """,
    "nobody signs the start": """
        0 charter +120
        0-20 work
        40 sign alice-k
        41 sign bob-m carol-s
        70 sign dan-w
        71-80 work
    """,
    "the owner falls silent and decides to stop": """
        0 charter +100
        1 sign alice-k bob-m carol-s dan-w
        2-15 work
        95 command /poc stop the vendor was better
        97 charter stopped
    """,
    "never a charter": """
        0 work
        3-9 work
    """,
    "a charter at last": """
        0 work
        30 open 3
        31 charter +90
        32 sign alice-k bob-m carol-s dan-w
        33-60 work
        61 charter stopped
    """,
    "a reviewer sits on it": """
        0 charter +120
        1 sign alice-k bob-m carol-s dan-w
        2-20 work
        21 open 31
        21 ask 31 erin-x
        45 review 31 erin-x
        46 merge 31
        47-80 work
        81 charter stopped
    """,
    "platform owes a deploy process": """
        0 charter +150 missing
        1 sign alice-k bob-m carol-s dan-w
        2-20 work
        21 measure good
        80 charter there
        81 sign bob-m
        82 open 40 good
        82 say 40 /poc ship
        83 approve 40 alice-k bob-m carol-s dan-w
        84 deploy good
    """,
    "snoozed, paused, and back": """
        0 charter +200
        1 sign alice-k bob-m carol-s dan-w
        2-10 work
        40 command /poc snooze 30d waiting for the budget
        72-80 work
        81 charter paused +120
        125-140 work
        141 charter resumed
        142-150 work
        151 charter stopped
    """,
    "overdue twice": """
        0 charter +40
        1 sign alice-k bob-m carol-s dan-w
        2-60 work
        50 command /poc extend {+90} the data came late
        52 charter +90
        53 sign carol-s
        61-110 work
        100 command /poc extend {+130} the model was retrained
        101 charter +130
        102 sign carol-s
        120 charter stopped
    """,
    "the owner leaves": """
        0 charter +120
        1 sign alice-k bob-m carol-s dan-w
        2-20 work
        25 leave
        60 charter owner frank-o
        61 sign carol-s
        61-80 work
        81 charter stopped
    """,
    "bots alone keep it busy": """
        0 charter +120
        1 sign alice-k bob-m carol-s dan-w
        2-6 work
        7-120 bot
        8 label
        30 label
        121 charter stopped
    """,
    "somebody closes the issue": """
        0 charter +120
        1 sign alice-k bob-m carol-s dan-w
        2-8 work
        31 shut erin-x
        60 shut erin-x
        100-110 work
        111 charter stopped
    """,
    "somebody deletes the issue": """
        0 charter +120
        1 sign alice-k bob-m carol-s dan-w
        2-8 work
        31 delete
        90-100 work
        101 charter stopped
    """,
    "on and off": """
        0 charter +300
        1 sign alice-k bob-m carol-s dan-w
        2-5 work
        40-42 work
        90-92 work
        140-142 work
        190-192 work
        240-242 work
        260 charter stopped
    """,
    "blocked by an issue": """
        0 charter +150
        1 sign alice-k bob-m carol-s dan-w
        2-10 work
        20 blocker 12 gus-i
        20 command /poc snooze 10d waits for #12
        60 unblock 12
        61-70 work
        71 charter stopped
    """,
    "works at weekends and never stalls": """
        0 charter +100
        1 sign alice-k bob-m carol-s dan-w
        2-96 always
        97 charter stopped
    """,
    "no issues in its repository": """
        0 charter +120
        0 no-issues
        1 sign alice-k bob-m carol-s dan-w
        2-8 work
        100 charter stopped
    """,
    "archived in the middle": """
        0 charter +120
        1 sign alice-k bob-m carol-s dan-w
        2-8 work
        60 archive
    """,
    "colleagues go on": """
        0 charter +100
        1 sign alice-k bob-m carol-s dan-w
        2-10 work
        11-90 work by hana-c
        91 charter stopped
    """,
}

STARTS = (0, 45, 100)
"""Days of the year on which each of the lives begins: three POCs a biography."""
