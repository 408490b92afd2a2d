"""Settings from the environment; each name is documented in `docs/operations.md`, and a test checks it."""

import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from environs import Env
from marshmallow.validate import Range

from survey_service.core.privacy import EarlierSecret

WECHAT_OPEN_BASE = "https://open.weixin.qq.com"
WECHAT_API_BASE = "https://api.weixin.qq.com"
WECOM_API_BASE = "https://qyapi.weixin.qq.com"


def default_data_dir() -> Path:
    """Return the folder for the embedded database and the key file (XDG base directory specification)."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "survey-service"


@dataclass(frozen=True)
class Settings:
    """What an installation decides; see `docs/operations.md` for each name."""

    database_url: str
    redis_url: str | None
    secret_key: str
    master_key: str
    public_url: str
    trusted_proxy_hops: int
    data_dir: Path
    wechat_app_id: str | None
    metrics_token: str | None
    audit_webhook_url: str | None = None
    audit_webhook_secret: str = ""
    retention_credential_days: int = 180
    retention_text_years: int | None = None
    retention_original_days: int = 365
    address_ballots_per_minute: int = 0
    flag_seconds_per_item: float = 1.0
    flag_burst_ballots: int = 40
    flag_codes_per_browser: int = 12
    flag_serial_run: int = 5
    assisted_visits_per_day: int = 40
    require_second_factor: frozenset[str] = frozenset()
    """Roles that sign in with a second factor only."""
    earlier_secret: EarlierSecret | None = None
    master_key_previous: str = ""
    """The master key before the present one; only the command that wraps keys anew reads it."""
    wechat_app_secret: str = ""
    wechat_open_base: str = WECHAT_OPEN_BASE
    wechat_api_base: str = WECHAT_API_BASE
    wechat_verify_files: str = ""
    wecom_corp_id: str | None = None
    wecom_secret: str = ""
    wecom_api_base: str = WECOM_API_BASE
    webhook_allow_http: bool = False
    webhook_allow_private: bool = False
    holidays_file: Path | None = None
    """Years of holidays beside those that are shipped, or in their place."""
    opinion_days: str = ""
    """Working days until an answer is due, such as `enquiry=3, complaint=10`."""

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")


def _secret(env: Env, name: str, file_name: str) -> str:
    """Return a secret from the environment, or from the file that the second name tells; "" without both."""
    if given := env.str(name, ""):
        return given
    path = env.str(file_name, "")
    return Path(path).read_text("utf-8").strip() if path else ""


def _earlier_secret(env: Env) -> EarlierSecret | None:
    """Return the secret key before the present one; raises ValueError without the moment of its end."""
    secret = _secret(env, "SECRET_KEY_PREVIOUS", "SECRET_KEY_PREVIOUS_FILE")
    if not secret:
        return None
    until = datetime.fromisoformat(env.str("SECRET_KEY_PREVIOUS_UNTIL", ""))
    if until.tzinfo is None:
        raise ValueError("SECRET_KEY_PREVIOUS_UNTIL needs an offset, as in 2026-11-23T08:00+08:00")
    return EarlierSecret(secret, until)


def _key_from_file(path: Path) -> str:
    """Return the key kept in a file of mode 0600, making it at the first start."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("utf-8").strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text("utf-8").strip()


def _audit_webhook(env: Env) -> tuple[str | None, str]:
    """Return where the head of the audit trail goes, and the secret that signs it; raises ValueError."""
    url = env.str("AUDIT_WEBHOOK_URL", "")
    secret = _secret(env, "AUDIT_WEBHOOK_SECRET", "AUDIT_WEBHOOK_SECRET_FILE")
    if url and not (url.startswith(("http://", "https://")) and secret):
        raise ValueError("AUDIT_WEBHOOK_URL has to be an http(s) address, and needs AUDIT_WEBHOOK_SECRET")
    return url or None, secret


def _at_least_one(name: str, value: int | None) -> int | None:
    if value is not None and value < 1:
        raise ValueError(f"{name} has to be 1 or more")
    return value


def _retention(env: Env) -> tuple[int, int | None]:
    """Return the days for credentials and the years for texts, None for ever; raises ValueError."""
    days = _at_least_one("RETENTION_CREDENTIAL_DAYS", env.int("RETENTION_CREDENTIAL_DAYS", 180))
    years = int(env.str("RETENTION_TEXT_YEARS", "") or 0) or None
    return days or 0, _at_least_one("RETENTION_TEXT_YEARS", years)


def _roles(env: Env) -> frozenset[str]:
    """Return the roles that need a second factor."""
    return frozenset(env.str("REQUIRE_SECOND_FACTOR", "").replace(",", " ").split())


def _optional_path(env: Env, name: str) -> Path | None:
    path = env.str(name, "")
    return Path(path) if path else None


def load_settings() -> Settings:
    """Read the environment; what is unset gets the default of a small installation on one machine."""
    env = Env()
    audit_webhook_url, audit_webhook_secret = _audit_webhook(env)
    credential_days, text_years = _retention(env)
    data_dir = Path(env.str("DATA_DIR", "") or default_data_dir())
    key_file = Path(env.str("SECRET_KEY_FILE", "") or data_dir / "secret.key")
    secret_key = env.str("SECRET_KEY", "") or _key_from_file(key_file)
    return Settings(
        database_url=_secret(env, "DATABASE_URL", "DATABASE_URL_FILE")
        or f"sqlite:///{data_dir / 'survey.sqlite3'}",
        redis_url=env.str("REDIS_URL", "") or None,
        secret_key=secret_key,
        master_key=_secret(env, "MASTER_KEY", "MASTER_KEY_FILE") or secret_key,
        public_url=env.str("PUBLIC_URL", "http://localhost:8000").rstrip("/"),
        trusted_proxy_hops=env.int("TRUSTED_PROXY_HOPS", 0),
        data_dir=data_dir,
        wechat_app_id=env.str("WECHAT_APP_ID", "") or None,
        metrics_token=env.str("METRICS_TOKEN", "") or None,
        audit_webhook_url=audit_webhook_url,
        audit_webhook_secret=audit_webhook_secret,
        retention_credential_days=credential_days,
        retention_text_years=text_years,
        retention_original_days=env.int("RETENTION_ORIGINAL_DAYS", 365, validate=Range(1)),
        address_ballots_per_minute=env.int("ADDRESS_BALLOTS_PER_MINUTE", 0, validate=Range(0)),
        flag_seconds_per_item=env.float("FLAG_SECONDS_PER_ITEM", 1.0, validate=Range(0, 60)),
        flag_burst_ballots=env.int("FLAG_BURST_BALLOTS", 40, validate=Range(1)),
        flag_codes_per_browser=env.int("FLAG_CODES_PER_BROWSER", 12, validate=Range(2)),
        flag_serial_run=env.int("FLAG_SERIAL_RUN", 5, validate=Range(2)),
        assisted_visits_per_day=env.int("ASSISTED_VISITS_PER_DAY", 40, validate=Range(1)),
        require_second_factor=_roles(env),
        earlier_secret=_earlier_secret(env),
        master_key_previous=_secret(env, "MASTER_KEY_PREVIOUS", "MASTER_KEY_PREVIOUS_FILE"),
        wechat_app_secret=_secret(env, "WECHAT_APP_SECRET", "WECHAT_APP_SECRET_FILE"),
        wechat_open_base=(env.str("WECHAT_OPEN_BASE", "") or WECHAT_OPEN_BASE).rstrip("/"),
        wechat_api_base=(env.str("WECHAT_API_BASE", "") or WECHAT_API_BASE).rstrip("/"),
        wechat_verify_files=env.str("WECHAT_VERIFY_FILES", ""),
        wecom_corp_id=env.str("WECOM_CORP_ID", "") or None,
        wecom_secret=_secret(env, "WECOM_SECRET", "WECOM_SECRET_FILE"),
        wecom_api_base=(env.str("WECOM_API_BASE", "") or WECOM_API_BASE).rstrip("/"),
        webhook_allow_http=env.bool("WEBHOOK_ALLOW_HTTP", False),
        webhook_allow_private=env.bool("WEBHOOK_ALLOW_PRIVATE", False),
        holidays_file=_optional_path(env, "HOLIDAYS_FILE"),
        opinion_days=env.str("OPINION_DAYS", ""),
    )
