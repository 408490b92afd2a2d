"""Where WeChat comes back to, and the files by which it makes sure of the domain."""

from flask import Blueprint, Response, current_app, request

from survey_service.core.errors import NotFound
from survey_service.core.permissions import public
from survey_service.wechat import sign_in
from survey_service.wechat.rules import Provider

pages = Blueprint("wechat", __name__)


@pages.route(sign_in.CALLBACK_PATHS[Provider.WECHAT], methods=["GET"])
@public("voters have no accounts; WeChat says who they are")
def finish_sign_in() -> Response:
    """Take the voter, or the member of the staff, who comes back from WeChat."""
    return _finish(Provider.WECHAT)


@pages.route(sign_in.CALLBACK_PATHS[Provider.WECOM], methods=["GET"])
@public("企业微信 says who comes back, and the page that he wanted asks for more")
def finish_company_sign_in() -> Response:
    """Take the member of the staff who comes back from 企业微信."""
    return _finish(Provider.WECOM)


def _finish(by: Provider) -> Response:
    code, written_state = request.args.get("code", ""), request.args.get("state", "")
    return sign_in.finish(by=by, code=code, written_state=written_state)


@pages.route("/<name>.txt", methods=["GET"])
@public("WeChat asks for it to see whose domain this is")
def show_verification_file(name: str) -> Response:
    """Serve a file that proves the domain to WeChat."""
    content = current_app.extensions["wechat_verification_files"].get(f"{name}.txt")
    if content is None:
        raise NotFound
    return Response(content, content_type="text/plain; charset=utf-8")
