"""What every test may ask for; each kind of fixture lives in its own module of `tests.support`."""

from hypothesis import HealthCheck, settings

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

# A red run has to mean a change of the code: the same examples come each time, on busy machines too.
# `pytest --hypothesis-profile=search tests/rules` looks for new ones.
settings.register_profile(
    "search", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("steady", settings.get_profile("search"), derandomize=True, database=None)
settings.load_profile("steady")
