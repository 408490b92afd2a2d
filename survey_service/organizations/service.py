"""Use cases of the tree: import, correct sizes, name what is rated."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256

from sqlalchemy import insert, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from survey_service.core.audit import record
from survey_service.core.errors import Conflict, Forbidden
from survey_service.core.import_files import InvalidRows, read_upload
from survey_service.core.sheet_rows import Cell, Problems, merge_problems
from survey_service.core.texts import text
from survey_service.organizations import queries
from survey_service.organizations.import_files import FILES
from survey_service.organizations.import_rows import ImportRow, ImportTable, read_rows
from survey_service.organizations.import_tree import Known, check_tree, parent_code_after
from survey_service.organizations.models import Organization, Subject
from survey_service.organizations.rules import RosterSize, SubjectKind, path_under, place_name


@dataclass(frozen=True)
class ImportResult:
    """How many organizations are new, and how many were there before and now say what the file says."""

    created: int
    updated: int


@dataclass(frozen=True)
class _Upload:
    cells: Sequence[Sequence[Cell]]
    table: ImportTable

    @property
    def codes(self) -> set[str]:
        return {code for row in self.table.rows for code in (row.code, row.parent_code) if code}

    def problems(self, known: Mapping[str, Known], within_path: str | None) -> Problems:
        return merge_problems(
            self.table.problems, check_tree(self.table.rows, known, within_path=within_path)
        )


def import_organizations(
    session: Session, *, content: bytes, filename: str, within_path: str | None
) -> ImportResult:
    """Create and update organizations from a sheet, all or nothing.

    `within_path` is the sub-tree that the importing person may touch; None means all. Known codes get the
    name, kind, parent and sizes that the file gives; an empty cell changes nothing, and a new parent takes
    everything under the organization along. Raises InvalidRows, UnreadableFile, and Conflict when another
    import created the same code at the same moment.
    """
    # Read before the first statement: a slow file must not keep the writers of ballots waiting.
    upload = _read_upload(content, filename)
    queries.lock_tree(session)
    known = queries.known_tree(session, codes=upload.codes)
    if problems := upload.problems(known, within_path):
        raise InvalidRows(FILES.sentences(problems))
    result = _TreeWriter(session, upload.table.rows, known).write()
    session.expire_all()
    before, after = _changed_sizes(upload.table.rows, known)
    facts = asdict(result) | {"file": sha256(content).hexdigest(), "sizes": after}
    record(session, "organizations.import", "organizations", before={"sizes": before}, after=facts)
    return result


_Sizes = dict[str, dict[RosterSize, int | None]]


def _changed_sizes(rows: Sequence[ImportRow], known: Mapping[str, Known]) -> tuple[_Sizes, _Sizes]:
    """Return what a file changes in the sizes of organizations that were there before, by code."""
    before: _Sizes = {}
    after: _Sizes = {}
    for row in (row for row in rows if row.code in known):
        old = known[row.code].sizes
        if changed := {size: value for size, value in row.sizes.items() if old[size] != value}:
            before[row.code] = {size: old[size] for size in changed}
            after[row.code] = dict(changed)
    return before, after


def check_import(session: Session, *, content: bytes, filename: str, within_path: str | None) -> bytes:
    """Return a copy of the sheet as XLSX in which the bad rows are marked; writes nothing.

    Raises UnreadableFile.
    """
    upload = _read_upload(content, filename)
    known = queries.known_tree(session, codes=upload.codes)
    return FILES.write_checked_copy(upload.cells, upload.problems(known, within_path))


def _read_upload(content: bytes, filename: str) -> _Upload:
    cells = read_upload(content, filename)
    return _Upload(cells, read_rows(cells))


class _TreeWriter:
    """Writes checked rows: one bulk insert, one pass over the paths, one bulk update."""

    def __init__(self, session: Session, rows: Sequence[ImportRow], known: Mapping[str, Known]) -> None:
        self._session = session
        self._known = known
        self._new = [row for row in rows if row.code not in known]
        self._old = [row for row in rows if row.code in known]
        self._parent_code = {code: one.parent_code for code, one in known.items()} | {
            row.code: parent_code_after(row, known) or "" for row in rows
        }
        self._ids = {code: one.id for code, one in known.items()}
        self._paths: dict[str, str] = {}

    def write(self) -> ImportResult:
        self._insert_new()
        places = [self._place(row) for row in self._new]
        changes = [self._place(row) | self._content(row) for row in self._old]
        for group in (places, changes, self._moved_along()):
            self._update(group)
        return ImportResult(created=len(self._new), updated=len(self._old))

    def _insert_new(self) -> None:
        if not self._new:
            return
        statement = insert(Organization).returning(Organization.code, Organization.id)
        values = [self._first_content(row) for row in self._new]
        try:
            self._ids |= dict(self._session.execute(statement, values).all())
        except IntegrityError as error:
            raise Conflict from error

    @staticmethod
    def _first_content(row: ImportRow) -> dict[str, object]:
        # A path ends with the id, which only the database knows: it follows in the update.
        content: dict[str, object] = {"code": row.code, "name": row.name, "kind": row.kind, "path": ""}
        sizes = {str(size): row.sizes.get(size) for size in RosterSize}
        return content | sizes | {"region_edition": row.region_edition or None}

    def _path(self, code: str) -> str:
        if code not in self._paths:
            parent_code = self._parent_code[code]
            parent_path = self._path(parent_code) if parent_code else None
            self._paths[code] = path_under(parent_path, self._ids[code])
        return self._paths[code]

    def _place(self, row: ImportRow) -> dict[str, object]:
        parent_code = self._parent_code[row.code]
        parent_id = self._ids[parent_code] if parent_code else None
        return {"id": self._ids[row.code], "parent_id": parent_id, "path": self._path(row.code)}

    def _content(self, row: ImportRow) -> dict[str, object]:
        content: dict[str, object] = {"name": row.name, "kind": row.kind}
        content |= {str(size): value for size, value in row.sizes.items()}
        if row.region_edition:
            content["region_edition"] = row.region_edition
        is_generated = bool(self._known[row.code].generated - row.sizes.keys())
        return content | {"is_roster_generated": is_generated}

    def _moved_along(self) -> list[dict[str, object]]:
        """Return the new paths of what stands under moved organizations and not in the file."""
        before = {row.code: self._known[row.code].path for row in self._old}
        moved = [path for code, path in before.items() if path != self._path(code)]
        paths = {self._ids[row.code]: self._path(row.code) for row in (*self._new, *self._old)}
        written = set(paths)
        for one in queries.places_within(self._session, paths=_outermost(moved)):
            if one.id not in written:
                paths[one.id] = path_under(paths[one.parent_id], one.id)
        return [{"id": one, "path": path} for one, path in paths.items() if one not in written]

    def _update(self, values: Sequence[Mapping[str, object]]) -> None:
        if values:
            self._session.execute(update(Organization), values)


def _outermost(paths: Collection[str]) -> list[str]:
    """Leave out the paths that lie inside another one."""
    kept: list[str] = []
    for path in sorted(paths):
        if not kept or not path.startswith(kept[-1]):
            kept.append(path)
    return kept


def update_roster(
    session: Session, *, code: str, sizes: Mapping[RosterSize, int | None], is_generated: bool = False
) -> Organization:
    """Set some of an organization's sizes; None means unknown. Raises NotFound.

    Running campaigns keep the numbers of their launch. The mark of generated sizes goes when none of the
    generated ones is left.
    """
    organization = queries.get_organization(session, code=code)
    before = {str(size): organization.sizes[size] for size in sizes}
    after = {str(size): value for size, value in sizes.items()}
    left = [size for size, value in organization.sizes.items() if value is not None and size not in sizes]
    for size, value in sizes.items():
        setattr(organization, size, value)
    organization.is_roster_generated = is_generated or (organization.is_roster_generated and bool(left))
    session.flush()
    record(session, "organizations.update", f"organization:{code}", before=before, after=after)
    return organization


def list_organizations(
    session: Session, *, within_path: str, parent: str | None = None, after: int = 0
) -> list[Organization]:
    """Return what stands directly under `parent`, or the person's own organization without one.

    Raises NotFound, and Forbidden outside the sub-tree `within_path`.
    """
    if parent is None:
        return queries.list_at(session, path=within_path, after=after)
    organization = queries.get_organization(session, code=parent)
    if not organization.path.startswith(within_path):
        raise Forbidden
    return queries.list_children(session, parent_id=organization.id, after=after)


def subject_name(organization_name: str, kind: SubjectKind) -> str:
    """Name what is rated: the service centre of 麻寮村委会 is 麻寮村党群服务中心."""
    if kind is SubjectKind.BRANCH and organization_name.endswith(text("organizations.kind_branch")):
        return organization_name
    return text(f"organizations.subject_{kind}", name=place_name(organization_name))


def ensure_subjects(
    session: Session, *, organizations: Collection[Organization], kind: SubjectKind
) -> dict[int, Subject]:
    """Return the subject of each organization by the organization's id.

    Missing subjects are created; the names of all follow their organizations.
    """
    if not organizations:
        return {}
    # In the order of the ids, so that two campaigns launched at once do not wait for each other in a ring.
    values = [
        {"organization_id": one.id, "kind": kind, "name": subject_name(one.name, kind)}
        for one in sorted(organizations, key=lambda one: one.id)
    ]
    return {subject.organization_id: subject for subject in _upsert_subjects(session, values)}


def _upsert_subjects(session: Session, values: Sequence[Mapping[str, object]]) -> Iterable[Subject]:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(Subject)
    upsert = statement.on_conflict_do_update(
        index_elements=["organization_id", "kind"], set_={"name": statement.excluded.name}
    ).returning(Subject)
    return session.scalars(upsert, values, execution_options={"populate_existing": True})
