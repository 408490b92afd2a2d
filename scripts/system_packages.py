"""Install the Debian packages that a step needs and that this machine lacks.

Usage: python3 scripts/system_packages.py venv|test|bench

It runs on the machine's own python3 before the virtual environment exists: standard library only.
What it cannot install it names in one sentence, with the command to run, and exits with 1.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

POSTGRESQL_VERSIONS = Path("/usr/lib/postgresql")
OLDEST_POSTGRESQL = 15
FONTS = Path("/usr/share/fonts")
# A machine that has just started may still be installing its updates.
LOCK_TIMEOUT_SECONDS = 300


class Need(NamedTuple):
    """A Debian package, and how to see that what it brings is there already."""

    package: str
    is_met: Callable[[], bool]


def postgresql_binaries() -> Path | None:
    """Return the folder of PostgreSQL's server programs: Debian's oldest fit version, else the PATH's."""
    folders = POSTGRESQL_VERSIONS.glob("[0-9]*/bin")
    versions = sorted(int(folder.parent.name) for folder in folders if has_server(folder))
    fit = [version for version in versions if version >= OLDEST_POSTGRESQL]
    if fit:
        return POSTGRESQL_VERSIONS / str(fit[0]) / "bin"
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


def has_server(folder: Path) -> bool:
    return (folder / "initdb").exists() and (folder / "postgres").exists()


def has_chinese_font() -> bool:
    return any(FONTS.rglob("*CJK*"))


def has_program(name: str) -> Callable[[], bool]:
    return lambda: shutil.which(name) is not None


PYTHON_VENV = Need("python3-venv", lambda: importlib.util.find_spec("ensurepip") is not None)
POSTGRESQL = Need("postgresql", lambda: postgresql_binaries() is not None)
REDIS = Need("redis-server", has_program("redis-server"))
CHROMIUM = Need("chromium", has_program("chromium"))
CHINESE_FONT = Need("fonts-noto-cjk", has_chinese_font)
POPPLER = Need("poppler-utils", has_program("pdftoppm"))
WRK = Need("wrk", has_program("wrk"))

NEEDS_OF_STEP = {
    "venv": (PYTHON_VENV,),
    "test": (POSTGRESQL, REDIS, CHROMIUM, CHINESE_FONT, POPPLER),
    "bench": (POSTGRESQL, REDIS, WRK),
}


def missing_packages(needs: tuple[Need, ...]) -> list[str]:
    return [need.package for need in needs if not need.is_met()]


def install(packages: list[str]) -> None:
    """Try to install the packages as root or through sudo; whether it worked shows in a second look."""
    become_root = [] if os.geteuid() == 0 else ["sudo"]
    apt_get = [*become_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    apt_get += ["-o", f"DPkg::Lock::Timeout={LOCK_TIMEOUT_SECONDS}"]
    if all(shutil.which(program) for program in [*become_root, "apt-get"]):
        print("Installing from Debian:", " ".join(packages), flush=True)
        subprocess.run([*apt_get, "update"], check=False)
        subprocess.run([*apt_get, "install", "--yes", "--no-install-recommends", *packages], check=False)


def main(step: str) -> None:
    """Install what the step needs; exit with a sentence where that is impossible."""
    needs = NEEDS_OF_STEP[step]
    if packages := missing_packages(needs):
        install(packages)
    if packages := missing_packages(needs):
        names = " ".join(packages)
        sys.exit(f"{names} is missing; run as root: apt-get update && apt-get install {names}")


if __name__ == "__main__":
    main(sys.argv[1])
