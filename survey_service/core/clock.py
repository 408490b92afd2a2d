"""The only place that reads the wall clock; services are handed the moment as an argument."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
"""All of China keeps this time; days and hours shown to people are its days and hours."""


def now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


def local_day(moment: datetime) -> date:
    """Return the day in Shanghai to which a moment belongs."""
    return moment.astimezone(SHANGHAI).date()


def day_text(day: date) -> str:
    """Write a day as people read it, for example 2026年11月21日."""
    return f"{day.year}年{day.month}月{day.day}日"


def local_text(moment: datetime) -> str:
    """Write a moment as people read it, for example 2026年11月21日 09:00."""
    return moment.astimezone(SHANGHAI).strftime("%Y年%m月%d日 %H:%M")
