"""Where WeChat comes back to, and the files by which it makes sure of the domain."""

from flask import Blueprint, Response, current_app, request

from survey_service.core.errors import NotFound
from survey_service.core.permissions import public
from survey_service.wechat import sign_in

pages = Blueprint("wechat", __name__)


@pages.route(sign_in.CALLBACK_PATH, methods=["GET"])
@public("voters have no accounts; WeChat says who they are")
def finish_sign_in() -> Response:
    """Take the voter who comes back from WeChat."""
    return sign_in.finish(code=request.args.get("code", ""), written_state=request.args.get("state", ""))


@pages.route("/<name>.txt", methods=["GET"])
@public("WeChat asks for it to see whose domain this is")
def show_verification_file(name: str) -> Response:
    """Serve a file that proves the domain to WeChat."""
    content = current_app.extensions["wechat_verification_files"].get(f"{name}.txt")
    if content is None:
        raise NotFound
    return Response(content, content_type="text/plain; charset=utf-8")
