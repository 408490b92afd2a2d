"""WeChat's global token and the page ticket: fetched by one holder, shared by all, renewed when refused."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from survey_service.wechat.client import WeChatClient, WeChatRefusal
from survey_service.wechat.rules import Lease, Message, Reaction
from survey_service.wechat.store import Store

SPARE_SECONDS = 300
"""So long before its end a token is renewed: WeChat keeps the old one good for five minutes."""
_TOKEN, _TICKET = "token", "ticket"

T = TypeVar("T")


class TokenSource(Protocol):
    """Whoever gives tokens; a forced one is another one than the last."""

    def fetch_token(self, *, is_forced: bool = False) -> Lease: ...


class TokenHolder:
    """Holds the token of one account for all processes."""

    def __init__(self, source: TokenSource, store: Store) -> None:
        self._source = source
        self._store = store

    def token(self) -> str:
        """Return a token that is good now; raises WeChatRefusal."""
        return self._store.get(_TOKEN) or self._renewed(refused=None)

    def call(self, use: Callable[[str], T]) -> T:
        """Call WeChat with the token; if it is refused, get another and try once more."""
        token = self.token()
        try:
            return use(token)
        except WeChatRefusal as refusal:
            if refusal.reaction is not Reaction.REFRESH:
                raise
        return use(self._renewed(refused=token))

    def _renewed(self, *, refused: str | None) -> str:
        """Get a token in the place of none or of a refused one, unless another holder has just done so."""
        with self._store.lock(_TOKEN):
            found = self._store.get(_TOKEN)
            if found is not None and found != refused:
                return found
            lease = self._source.fetch_token()
            if lease.value == refused:
                lease = self._source.fetch_token(is_forced=True)
            return self._kept(_TOKEN, lease)

    def _kept(self, name: str, lease: Lease) -> str:
        self._store.put(name, lease.value, seconds=max(lease.seconds - SPARE_SECONDS, lease.seconds / 2))
        return lease.value


class ServiceAccountTokens(TokenHolder):
    """Holds the ticket for pages with the JS-SDK as well, and sends what needs the token."""

    def __init__(self, client: WeChatClient, store: Store) -> None:
        super().__init__(client, store)
        self._client = client

    def page_ticket(self) -> str:
        """Return the ticket of the JS-SDK; raises WeChatRefusal."""
        found = self._store.get(_TICKET)
        if found is not None:
            return found
        with self._store.lock(_TICKET):
            found = self._store.get(_TICKET)
            return found or self._kept(_TICKET, self.call(self._client.fetch_page_ticket))

    def send_message(self, openid: str, message: Message) -> None:
        """Send a message to somebody who has subscribed to it; raises WeChatRefusal."""
        self.call(lambda token: self._client.send_message(token, openid, message))
