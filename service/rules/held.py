"""By which goalposts a change is judged that moves them itself: by the old ones, until the new are signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from service.rules.charter.goalposts import Move, reopened
from service.rules.charter.model import Charter
from service.rules.signoffs import Round, Signature, standing


def unsigned_moves(
    moves: Sequence[Move], before: Charter, now: Charter, signatures: Sequence[Signature]
) -> tuple[Move, ...]:
    """The moves that make it easier to pass, and that somebody who answers for them has not signed.

    Those answer for them whom the charter named before: a change does not choose its own.
    """
    signed = standing(now, signatures, Round.START, signers=before)
    return tuple(
        move for move in moves if move.eases and any(signed.get(group) is None for group in reopened([move]))
    )


def held_to(before: Charter, now: Charter, unsigned: Sequence[Move]) -> Charter:
    """The charter as it is now, with what was eased and not signed as it was before.

    Where the numbers are found is taken from the present charter: files may move with the change.
    """
    fields = {move.field.partition(".")[0] for move in unsigned}
    return replace(
        now,
        done=before.done if "done" in fields else now.done,
        target=before.target if "target" in fields else now.target,
        rollback=before.rollback if "rollback" in fields else now.rollback,
        infra=before.infra if "infra" in fields else now.infra,
        signoffs=before.signoffs if "signoffs" in fields else now.signoffs,
    )
