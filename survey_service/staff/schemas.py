"""The JSON form of accounts and tokens."""

from survey_service.core.marshalling import Schema, fields, validate
from survey_service.core.paging import CursorIn
from survey_service.organizations.rules import MAX_CODE_LENGTH
from survey_service.staff.rules import AccountState, Role, TokenKind

MAX_CREDENTIAL_LENGTH = 256
"""Longer than any name or password can be; what is wrong about shorter ones the service says."""

MAX_SLIPS_LENGTH = 200 * 1024
"""The slips of 2,000 people take half of it."""

CREDENTIAL = validate.Length(min=1, max=MAX_CREDENTIAL_LENGTH)
ORGANIZATION_CODE = validate.Regexp(rf"^[0-9A-Za-z_-]{{1,{MAX_CODE_LENGTH}}}\Z")
OPTIONAL_CODE = validate.Regexp(rf"^[0-9A-Za-z_-]{{0,{MAX_CODE_LENGTH}}}\Z")


class CredentialsIn(Schema):
    """`one_time_code` is needed where the account uses a second factor; a recovery code serves as well."""

    username = fields.String(required=True, validate=CREDENTIAL)
    password = fields.String(required=True, validate=CREDENTIAL)
    one_time_code = fields.String(load_default="", validate=validate.Length(max=MAX_CREDENTIAL_LENGTH))


class PasswordChangeIn(Schema):
    password = fields.String(required=True, validate=CREDENTIAL)
    new_password = fields.String(required=True, validate=CREDENTIAL)


class AccountIn(Schema):
    username = fields.String(required=True, validate=CREDENTIAL)
    display_name = fields.String(load_default="", validate=validate.Length(max=MAX_CREDENTIAL_LENGTH))
    role = fields.Enum(Role, by_value=True, required=True)
    organization_code = fields.String(required=True, validate=ORGANIZATION_CODE)


class AccountQuery(CursorIn):
    """What a list is narrowed to; `organization` is the code of the root of a sub-tree."""

    words = fields.String(load_default="", validate=validate.Length(max=MAX_CREDENTIAL_LENGTH))
    organization = fields.String(load_default="", validate=OPTIONAL_CODE)
    state = fields.Enum(AccountState, by_value=True, load_default=None)


class SuccessorIn(Schema):
    """Who takes over; a user name is made where none is given."""

    display_name = fields.String(required=True, validate=CREDENTIAL)
    username = fields.String(load_default="", validate=validate.Length(max=MAX_CREDENTIAL_LENGTH))


class AccountOut(Schema):
    """A staff account; `locked_until` lies in the past once the lockout is over."""

    id = fields.Integer(required=True)
    username = fields.String(required=True)
    display_name = fields.String(required=True)
    role = fields.String(required=True, validate=validate.OneOf([str(role) for role in Role]))
    organization_code = fields.String(required=True, attribute="organization.code")
    organization_name = fields.String(required=True, attribute="organization.name")
    must_change_password = fields.Boolean(required=True)
    has_signed_in = fields.Boolean(required=True)
    is_approved = fields.Boolean(required=True)
    is_disabled = fields.Boolean(required=True)
    locked_until = fields.AwareDateTime(required=True, allow_none=True)


class SessionOut(Schema):
    """Where an account is signed in; `client` is a coarse word such as `wechat.android`."""

    kind = fields.Enum(TokenKind, by_value=True, required=True)
    client = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    last_used_at = fields.AwareDateTime(required=True)
    is_current = fields.Boolean(required=True)


class SessionsOut(Schema):
    items = fields.List(fields.Nested(SessionOut()), required=True)


class GrantOut(Schema):
    token = fields.String(required=True)
    expires_at = fields.AwareDateTime(required=True)
    staff = fields.Nested(AccountOut(), required=True, attribute="account")


class NewPasswordOut(Schema):
    """The password is shown this once and stored nowhere."""

    staff = fields.Nested(AccountOut(), required=True, attribute="account")
    password = fields.String(required=True)


class ImportedAccountsOut(Schema):
    """The passwords are shown this once and stored nowhere; `slips` prints them for an hour."""

    created = fields.Integer(required=True)
    items = fields.List(fields.Nested(NewPasswordOut()), required=True)
    slips = fields.String(required=True)


class SlipsIn(Schema):
    slips = fields.String(required=True, validate=validate.Length(min=1, max=MAX_SLIPS_LENGTH))


class AccountPage(Schema):
    items = fields.List(fields.Nested(AccountOut()), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
