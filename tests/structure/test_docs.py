"""The documents say what the program is: settings, commands, error codes, links, and named files."""

import ast
import re
import tomllib
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import click
import pytest

import survey_service
from survey_service import cli
from survey_service.core import config
from survey_service.core.errors import ServiceError
from survey_service.core.resources import resource

REPOSITORY = Path(__file__).parents[2]
PACKAGE = Path(survey_service.__file__).parent
DOCS = REPOSITORY / "docs"
READMES = [REPOSITORY / "README.md", REPOSITORY / "README.zh-CN.md"]
PAGES = [*READMES, *sorted(DOCS.rglob("*.md"))]

SETTING = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
NAMED_FILE = re.compile(
    r"`((?:survey_service|h5|tests|scripts|deploy|docs|migrations|bench|\.ci)/[\w./*-]+)`"
)
ERROR_ROW = re.compile(r"^\| `(\w+)` \| (\d{3}) \|", re.MULTILINE)


def literals(source: Path) -> set[str]:
    nodes = ast.walk(ast.parse(source.read_text("utf-8")))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def settings_of_the_program() -> set[str]:
    """Return the names of environment variables that the settings are read from."""
    return {word for word in literals(Path(config.__file__)) if SETTING.fullmatch(word)}


def text_of(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def test_settings_are_found() -> None:
    assert {"DATABASE_URL", "SECRET_KEY", "TRUSTED_PROXY_HOPS"} <= settings_of_the_program()


def test_every_setting_is_documented_and_no_other() -> None:
    documented = set(re.findall(r"^\| `([A-Z_0-9]+)` \|", text_of("operations.md"), re.MULTILINE))
    assert documented == settings_of_the_program()


def leaves(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Yield every command with its full name."""
    if not isinstance(command, click.Group):
        yield name, command
        return
    for word, inner in command.commands.items():
        yield from leaves(inner, f"{name} {word}")


def test_every_command_is_documented_with_its_options() -> None:
    text = text_of("operations.md")
    missing = [
        name
        for name, command in leaves(cli.main, "survey-service")
        for option in [None, *(word for parameter in command.params for word in parameter.opts)]
        if not re.search(
            rf"`{name}[^`]*{re.escape(option) if option and option.startswith('-') else ''}", text
        )
    ]
    assert missing == []


def subclasses(parent: type[ServiceError]) -> Iterator[type[ServiceError]]:
    yield parent
    for child in parent.__subclasses__():
        yield from subclasses(child)


def raised_codes() -> set[tuple[str, int]]:
    """Return every error code with its status: those of the classes, and those given where one is raised."""
    classes = {child.__name__: child for child in subclasses(ServiceError)}
    found = {(child.code, int(child.status)) for child in classes.values()}
    for source in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            match node:
                case ast.Call(ast.Name(name), [ast.Constant(str(code)), *_]) if name in classes:
                    found.add((code, int(classes[name].status)))
    return found


def documented_codes() -> set[tuple[str, int]]:
    return {(code, int(status)) for code, status in ERROR_ROW.findall(text_of("errors.md"))}


def test_every_error_code_is_documented_with_its_status() -> None:
    assert raised_codes() - documented_codes() == set()


def test_every_documented_error_has_its_sentence_and_the_other_way_round() -> None:
    catalogue = PACKAGE / "texts" / "zh_Hans" / "errors.toml"
    wording_themselves = {
        child.code for child in subclasses(ServiceError) if child.detail is not ServiceError.detail
    }
    sentences = set(tomllib.loads(catalogue.read_text("utf-8")))
    assert sentences == {code for code, _ in documented_codes()} - wording_themselves


def test_codes_of_the_web_server_carry_their_status() -> None:
    of_the_server = {(code, status) for code, status in documented_codes() if code.startswith("http_")}
    assert of_the_server == {(f"http_{status}", status) for _, status in of_the_server}
    assert {HTTPStatus(status) for _, status in of_the_server}


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page as GitHub makes them from its headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(FENCE.sub("", page.read_text("utf-8"))):
        target, _, anchor = link.partition("#")
        file = (page.parent / target).resolve() if target else page
        if "://" not in link and not (file.exists() and (not anchor or anchor in anchors(file))):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_named_files_exist(page: Path) -> None:
    named = NAMED_FILE.findall(page.read_text("utf-8"))
    assert [name for name in named if not list(REPOSITORY.glob(name.rstrip("/")))] == []


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_functions_of_the_voters_way_exist(page: Path) -> None:
    """In the table of the voter's way a row names a file and the functions in it."""
    for line in page.read_text("utf-8").splitlines():
        file = re.match(r"\|[^|]*\| `(survey_service/[\w/]+\.py)`", line)
        if file is not None:
            source = (REPOSITORY / file[1]).read_text("utf-8")
            assert [name for name in re.findall(r"`(\w+)\(\)`", line) if f"def {name}(" not in source] == []


def test_both_readmes_show_the_same_pictures_and_commands() -> None:
    english, chinese = (page.read_text("utf-8") for page in READMES)
    pictures = re.findall(r"docs/pictures/[\w-]+\.png", english)
    assert pictures == re.findall(r"docs/pictures/[\w-]+\.png", chinese) != []
    assert [picture for picture in pictures if not (REPOSITORY / picture).exists()] == []
    assert all("make demo" in text and "make test" in text for text in (english, chinese))


def test_documents_that_the_code_cites_exist() -> None:
    cited = {
        name
        for source in [*PACKAGE.rglob("*.py"), *resource("h5/templates").rglob("*.html")]
        for name in re.findall(r"\b([a-z_]+\.md)\b", source.read_text("utf-8"))
    }
    assert [name for name in sorted(cited) if not (DOCS / name).exists()] == []


def test_sections_that_the_code_cites_exist() -> None:
    sections = set(re.findall(r"^## (?:\d+\., )*(\d+)\.", text_of("domain.md"), re.MULTILINE))
    cited = {
        number
        for source in PACKAGE.rglob("*.py")
        for number in re.findall(r"domain\.md` section (\d+)", source.read_text("utf-8"))
    }
    assert cited - sections == set()


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    pages = sorted(path.name for path in (DOCS / "decisions").glob("[0-9]*.md"))
    assert [int(name[:4]) for name in pages] == list(range(1, len(pages) + 1))
    listed = text_of("decisions/README.md")
    assert [name for name in pages if f"]({name})" not in listed] == []


def test_every_picture_is_shown() -> None:
    shown = "".join(page.read_text("utf-8") for page in PAGES)
    assert [path.name for path in (DOCS / "pictures").glob("*.png") if path.name not in shown] == []
