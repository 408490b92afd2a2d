"""What every test may ask for; each kind of fixture lives in its own module of `tests.support`."""

import os

from hypothesis import settings

pytest_plugins = [
    "tests.support.network",
    "tests.support.patience",
    "tests.support.postgresql",
    "tests.support.redis",
    "tests.support.databases",
    "tests.support.browser",
    "tests.support.application",
    "tests.support.wechat",
]

# Busy machines make examples slow, which says nothing about the code. In CI the same examples come each time.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")
