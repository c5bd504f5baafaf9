import redis as redis_py
from redis.backoff import NoBackoff
from redis.retry import Retry

from gateway.outbox.bucket import Bucket


def test_no_more_than_the_rate_is_granted_at_once(redis_url: str) -> None:
    with redis_py.Redis.from_url(redis_url) as client:
        bucket = Bucket(client, "x", rate=0.001)
        assert bucket.take(5) == (1, 0.0)
        granted, wait = bucket.take(5)
        assert granted == 0
        assert 990 < wait <= 1000


def test_two_senders_share_one_rate_and_other_sender_ids_do_not(redis_url: str) -> None:
    with redis_py.Redis.from_url(redis_url) as client:
        rate = 10.0
        first, second = Bucket(client, "a", rate), Bucket(client, "a", rate)
        assert first.take(8)[0] + second.take(8)[0] in (10, 11)  # 11: a tenth of a second passed
        assert Bucket(client, "b", rate).take(8)[0] == 8


def test_a_message_of_three_parts_costs_three(redis_url: str) -> None:
    with redis_py.Redis.from_url(redis_url) as client:
        bucket = Bucket(client, "x", rate=0.001)
        assert bucket.take(1)[0] == 1
        bucket.settle(reserved=1, used=3)
        granted, wait = bucket.take(1)
        assert granted == 0
        assert 2990 < wait <= 3000


def test_what_was_not_used_is_given_back(redis_url: str) -> None:
    with redis_py.Redis.from_url(redis_url) as client:
        bucket = Bucket(client, "x", rate=4.0)
        assert bucket.take(4)[0] == 4
        bucket.settle(reserved=4, used=0)
        assert bucket.take(4)[0] == 4


def test_without_redis_the_process_keeps_the_rate_by_itself() -> None:
    client = redis_py.Redis(unix_socket_path="/nowhere/redis.sock", retry=Retry(NoBackoff(), 0))
    bucket = Bucket(client, "x", rate=0.001)
    assert bucket.take(5)[0] == 1
    assert bucket.take(5)[0] == 0
    bucket.settle(reserved=1, used=0)
    assert bucket.take(5)[0] == 1
