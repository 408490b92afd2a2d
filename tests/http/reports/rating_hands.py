"""People who run a rating by hand, on pages only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from survey_service.ratings.models import RatingMove
from survey_service.staff.rules import Role
from tests.factories.campaigns import World
from tests.http.reports.conftest import Browser, People


@dataclass
class Hands:
    """A county office at its browser, and one cycle that it runs."""

    world: World
    people: People
    county: Browser
    cycle_id: int = 0

    @property
    def address(self) -> str:
        return f"/staff/ratings/{self.cycle_id}"

    def open(self, scheme: str, villages: int, **fields: str) -> None:
        codes = "、".join(self.world.village_codes[:villages])
        form = {"scheme": scheme, "title": "2026年度评定", "year": "2026", "organization_codes": codes}
        self.county.get("/staff/ratings/new")
        answer = self.county.post("/staff/ratings/new", form | fields)
        assert answer.status_code == 303, answer.text
        self.cycle_id = int(answer.location.split("/")[3])

    def sheet(self, village: int) -> str:
        return f"{self.address}/sheets/{self.world.village_codes[village]}"

    def fill_in(
        self,
        village: int,
        points: Mapping[str, str],
        *,
        by: str = "town",
        act: str = "save",
        browser: Browser | None = None,
        **more: Any,
    ) -> None:
        """Fill in a sheet as the page asks for it: every field of it is sent."""
        browser = browser or self.county
        browser.get(f"{self.sheet(village)}?by={by}")
        form = {f"points.{code}": value for code, value in points.items()}
        answer = browser.post(self.sheet(village), {"by": by, "act": act} | form | more)
        assert answer.status_code == 303, answer.text

    def post(self, rest: str, **fields: Any) -> Any:
        answer = self.county.post(f"{self.address}/{rest}", fields)
        assert answer.status_code == 303, answer.text
        return answer

    def note(self, village: int, kind: str, **fields: Any) -> None:
        """Send one of the small forms below a sheet."""
        answer = self.county.post(f"{self.sheet(village)}/{kind}", fields)
        assert answer.status_code == 303, answer.text

    def visit(self, village: int, outcome: str = "confirmed") -> None:
        fields = {"visited_on": "2026-11-20", "visitors": "复核专班", "text": "台账与现场一致"}
        self.note(village, "visits", outcome=outcome, **fields)

    def complete(self, *steps: str) -> None:
        for step in steps:
            assert f"/steps/{step}" in self.county.get(f"{self.address}/work").text
            self.post(f"steps/{step}", remark="")

    def decide(self, village: int, grade: str, reason: str = "", **fields: str) -> None:
        self.post(f"decisions/{self.world.village_codes[village]}", grade=grade, reason=reason, **fields)

    def let_days_pass(self, days: int) -> None:
        """Set back when the step that is due began; whoever works stays signed in."""
        with self.world.app.extensions["database"].unit_of_work() as session:
            moves = session.scalars(select(RatingMove).where(RatingMove.cycle_id == self.cycle_id))
            for move in moves:
                move.at -= timedelta(days=days)

    def column(self, name: str) -> list[Any]:
        """Return what the API says, in the order of the villages."""
        answer = self.county.get(f"/api/v1/rating-cycles/{self.cycle_id}/grades")
        rows = {row["organization_code"]: row for row in answer.json["items"]}
        return [rows[code][name] for code in self.world.village_codes if code in rows]

    def secretary(self, village: int) -> Browser:
        return self.people.browser(Role.BRANCH_SECRETARY, self.world.village_codes[village])
