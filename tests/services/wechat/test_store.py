"""What processes share, and what they do when Redis is away or hangs."""

import socket
import time
from collections.abc import Iterator
from threading import Event, Thread

import pytest
from redis import Redis

from survey_service.core.privacy import Keyring
from survey_service.wechat.store import MemoryStore, RedisStore, Store

KEYRING = Keyring(secret_key="secret", master_key="master")


def redis_store(url: str) -> RedisStore:
    return RedisStore(url, name="wx1", keyring=KEYRING)


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> Store:
    return MemoryStore() if request.param == "memory" else redis_store(request.getfixturevalue("redis_url"))


@pytest.fixture
def hanging_port() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield listener.getsockname()[1]


def test_what_was_put_is_found_until_its_time_is_over(store: Store) -> None:
    store.put("key", "值", seconds=60)
    assert store.get("key") == "值"
    assert store.get("other") is None
    store.put("key", "值", seconds=0.05)
    for _ in range(1000):
        if store.get("key") is None:
            return
        time.sleep(0.01)
    raise AssertionError("it is found for ever")


def test_processes_find_what_another_put(redis_url: str) -> None:
    redis_store(redis_url).put("key", "value", seconds=60)
    assert redis_store(redis_url).get("key") == "value"


def test_accounts_do_not_share(redis_url: str) -> None:
    redis_store(redis_url).put("key", "value", seconds=60)
    assert RedisStore(redis_url, name="wx2", keyring=KEYRING).get("key") is None


def test_redis_is_told_nothing_and_believed_nothing(redis_url: str) -> None:
    redis_store(redis_url).put("key", "value", seconds=60)
    with Redis.from_url(redis_url) as client:
        (name,) = client.keys("*")
        assert b"value" not in client.get(name)
        assert 0 < client.pttl(name) <= 60_000
        for forged in (b"value", b"76616c7565", b"", b"00" * 40, b"\xff"):
            client.set(name, forged)
            assert redis_store(redis_url).get("key") is None
        client.set(b"survey:wechat:wx1:other", client.get(name))
    assert redis_store(redis_url).get("other") is None


def test_one_process_holds_a_lock_at_a_time(redis_url: str) -> None:
    order: list[str] = []
    is_held = Event()

    def hold(name: str, seconds: float) -> None:
        with redis_store(redis_url).lock("key"):
            order.append(name)
            is_held.set()
            time.sleep(seconds)
            order.append(name)

    first, second = Thread(target=hold, args=("first", 0.2)), Thread(target=hold, args=("second", 0.0))
    first.start()
    is_held.wait()
    second.start()
    first.join()
    second.join()
    assert order == ["first", "first", "second", "second"]


def test_a_lock_that_ran_out_is_not_taken_from_the_next_holder(redis_url: str) -> None:
    with Redis.from_url(redis_url) as client:
        with redis_store(redis_url).lock("key"):
            client.set("survey:wechat:wx1:lock:key", "somebody else")
        assert client.get("survey:wechat:wx1:lock:key") == b"somebody else"


@pytest.mark.parametrize("port", ["deaf_port", "hanging_port"])
def test_without_redis_a_process_goes_on_by_itself(
    port: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("survey_service.wechat.store.REDIS_SECONDS", 0.05)
    monkeypatch.setattr("survey_service.wechat.store.REDIS_REST_SECONDS", 3600.0)
    store = redis_store(f"redis://127.0.0.1:{request.getfixturevalue(port)}/0")
    for number in range(20):
        with store.lock("key"):
            store.put("key", str(number), seconds=60)
        assert store.get("key") == str(number)
    assert len(caplog.messages) == 1, "after one question Redis is left alone"
