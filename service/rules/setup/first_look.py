"""What a first look at an organisation found, in one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from service.rules.checks.judge import Judgement
from service.rules.policy.model import Mode


@dataclass(frozen=True, slots=True)
class FirstLook:
    """All that was found; a POC without a verdict couldn't be read."""

    repositories: int
    unopened: int
    """Repositories that nothing selects, whose `POC.md` was not looked for."""
    mode: Mode
    pocs: tuple[Judgement, ...]

    @property
    def says(self) -> str:
        """It in one sentence."""
        mode = "observing" if self.mode is Mode.OBSERVE else "enforcing"
        found = (
            f"{_count(len(self.pocs), 'POC')} in {_count(self.repositories, 'repository', 'repositories')}"
        )
        return "; ".join((found, mode, *self._failing())) + "." + self._rest()

    def _failing(self) -> Sequence[str]:
        failing = [each for each in self.pocs if not each.valid]
        if not self.pocs:
            return ()
        if not failing:
            return ("each charter is complete",)
        codes = Counter(
            code for each in failing for code in {error.code for error in each.errors} or {NO_CHARTER}
        )
        [(code, _)] = codes.most_common(1)
        mostly = "for" if len(codes) == 1 else "mostly"
        return (f"{len(failing)} would fail, {mostly} `{code}`",)

    def _rest(self) -> str:
        if not self.unopened:
            return ""
        return (
            f" {_count(self.unopened, 'other repository was', 'other repositories were')} not opened: "
            "the service finds those that declare themselves by a `POC.md`."
        )


NO_CHARTER = "no-charter"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
