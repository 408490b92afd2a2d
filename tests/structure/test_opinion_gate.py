"""One gate for all reads of opinions: whoever selects them passes through it, or says here why not."""

import ast
from pathlib import Path

import survey_service
from survey_service.opinions.rules import Action
from survey_service.reports.presentation.opinions import PERMISSION_OF
from survey_service.staff.rules import PERMISSIONS, Role

PACKAGE = Path(survey_service.__file__).parent
GATES = {"visible_to", "select_visible"}
READING = {"select", "get", "get_one"}

WITHOUT_THE_GATE = {
    "retention/service.py": "deletes by age, and shows nothing but numbers",
    "opinions/service.py": "holds cases in one order; what it returns of them came through the gate",
    "opinions/originals.py": "gives back the id of what its caller has keyed in himself",
    "opinions/public_answers.py": "for everybody, with guards of its own",
    "insights/batch.py": "jobs: nobody looks",
    "insights/figures.py": "the figures of a level, without reports, under disclosure control",
    "insights/indexing.py": "jobs: nobody looks",
    "insights/warnings.py": "jobs: whom a warning reaches is decided by the same rule",
}


def names_in(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def reads_opinions(tree: ast.AST) -> bool:
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and called(node) in READING)
    return any("Opinion" in names_in(argument) for call in calls for argument in call.args)


def test_whoever_reads_opinions_passes_through_the_gate() -> None:
    found = {}
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        if reads_opinions(tree) and not names_in(tree) & GATES:
            found[str(path.relative_to(PACKAGE))] = tree
    assert found.keys() - WITHOUT_THE_GATE.keys() == set()


def test_no_branch_is_allowed_to_sort_close_or_read_originals() -> None:
    for name in ("opinions.triage", "opinions.close", "opinions.key", "opinions.read_original"):
        assert Role.BRANCH_SECRETARY not in PERMISSIONS[name]
    assert PERMISSIONS["opinions.read_original"] == {Role.COUNTY_ADMIN}


def test_every_action_of_staff_has_its_permission() -> None:
    assert PERMISSION_OF.keys() == set(Action) - {Action.RATE}
