"""The web process: the application, and the thread that passes its jobs on."""

import atexit

from survey_service.app import create_app
from survey_service.core.jobs import RunHere
from survey_service.core.logs import configure_logs

configure_logs()
app = create_app()
_dispatcher = app.extensions["dispatcher"]
# Without Redis this process is also the worker, and looks for forgotten work itself.
_dispatcher.start(sweep=None if app.extensions["settings"].redis_url else RunHere(app))
atexit.register(_dispatcher.stop)
