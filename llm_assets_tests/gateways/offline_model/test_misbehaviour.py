import asyncio
import json
from dataclasses import dataclass, field

import pytest
from openai import APIConnectionError, InternalServerError, RateLimitError

from llm_assets.errors import ConfigError
from llm_assets.gateways.clock import SystemClock
from llm_assets.gateways.offline_model.app import build_app
from llm_assets.gateways.offline_model.misbehaviour import (
    TROUBLES,
    Misbehaviour,
    decide_trouble,
    parse_misbehaviour,
)

TEXT = "body: The hub is broken. It stopped on Monday."


@dataclass
class FakeClock(SystemClock):
    waits: list[float] = field(default_factory=list)

    async def wait(self, wait_seconds: float) -> None:
        self.waits.append(wait_seconds)


def test_too_many_requests_say_when_to_come_back(ask):
    """Status 429 with `Retry-After` and OpenAI's code for it."""
    app = build_app(Misbehaviour(rate_limited=1, retry_after_seconds=2.5))
    with pytest.raises(RateLimitError) as caught:
        ask(app, TEXT)
    assert caught.value.response.headers["retry-after"] == "2.5"
    assert caught.value.code == "rate_limit_exceeded"


def test_server_errors_are_of_two_kinds(ask):
    """Over some requests both 500 and 503 are met."""
    app = build_app(Misbehaviour(server_errors=1))
    seen = set()
    for number in range(12):
        with pytest.raises(InternalServerError) as caught:
            ask(app, f"{TEXT} {number}")
        seen.add(caught.value.status_code)
    assert seen == {500, 503}


def test_a_reset_is_a_connection_error(ask):
    """The client cannot tell it from a broken network."""
    with pytest.raises(APIConnectionError):
        ask(build_app(Misbehaviour(resets=1)), TEXT)


def test_a_hanging_request_ends_when_the_client_gives_up(ask):
    """It never answers, and leaves nothing in flight behind it."""
    app = build_app(Misbehaviour(hanging=1))

    async def give_up() -> None:
        body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": TEXT}]})
        messages = iter([{"type": "http.request", "body": body.encode()}])
        has_begun = asyncio.Event()

        async def receive() -> dict:
            for message in messages:
                return message
            has_begun.set()
            await asyncio.Event().wait()
            return {}

        async def send(message) -> None:
            raise AssertionError(message)

        scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions"}
        task = asyncio.create_task(app(scope, receive, send))
        await has_begun.wait()
        assert app.tally.n_in_flight == 1
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(give_up())
    assert app.tally.n_in_flight == 0
    assert app.tally.n_answered == 0


def test_slow_answers_are_right_ones(ask):
    """They wait for the fixed latency and their own, and answer as ever."""
    clock = FakeClock()
    app = build_app(Misbehaviour(slow=1, slow_seconds=3, latency_seconds=0.25), clock=clock)
    assert ask(app, TEXT) == ask(build_app(), TEXT)
    assert clock.waits == [3.25]


def test_every_answer_takes_the_latency(ask):
    """Without any trouble too."""
    clock = FakeClock()
    ask(build_app(Misbehaviour(latency_seconds=0.5), clock=clock), TEXT)
    assert clock.waits == [0.5]


def test_cut_off_answers_say_so_and_broken_ones_do_not(ask):
    """Both bring half of the answer; only the first has finish reason `length`."""
    whole = ask(build_app(), TEXT, model="echo").choices[0].message.content
    for behaviour, reason in (
        (Misbehaviour(cut_off=1), "length"),
        (Misbehaviour(invalid_json=1), "stop"),
    ):
        choice = ask(build_app(behaviour), TEXT, model="echo").choices[0]
        assert choice.finish_reason == reason
        assert choice.message.content == whole[: len(whole) // 2]


def test_refusals_come_in_both_forms(ask):
    """As a refusal in words, and as an empty answer of the content filter."""
    app = build_app(Misbehaviour(refusals=1))
    choices = [ask(app, f"{TEXT} {number}").choices[0] for number in range(12)]
    forms = {(choice.finish_reason, choice.message.refusal is not None) for choice in choices}
    assert forms == {("stop", True), ("content_filter", False)}
    assert all(choice.message.content is None for choice in choices)


def test_a_page_of_html_comes_with_status_200(ask):
    """The client hands it on as text."""
    assert "<!doctype html>" in ask(build_app(Misbehaviour(wrong_content_type=1)), TEXT)


def test_a_cut_body_is_no_json(ask):
    """Which no client library retries by itself."""
    app = build_app(Misbehaviour(cut_bodies=1))
    with pytest.raises(json.JSONDecodeError):
        ask(app, TEXT)
    assert app.tally.n_answered == 0


def test_more_requests_than_allowed_at_once_are_turned_away(call):
    """With a limit of two, the third of three at once gets status 429."""
    release = asyncio.Event()

    class HeldClock(SystemClock):
        async def wait(self, wait_seconds: float) -> None:
            await release.wait()

    app = build_app(Misbehaviour(max_in_flight=2, latency_seconds=1), clock=HeldClock())

    async def ask_three(client):
        async def one(number: int):
            try:
                return await client.chat.completions.create(
                    model="echo", messages=[{"role": "user", "content": f"body: {number}"}]
                )
            except RateLimitError:
                release.set()
                return None

        return await asyncio.gather(*map(one, range(3)))

    replies = call(app, ask_three)
    assert sum(reply is None for reply in replies) == 1
    assert app.tally.most_in_flight == 3


def test_troubles_come_at_their_rates_and_are_counted():
    """Over ten thousand requests each share is met within one part in a hundred."""
    behaviour = Misbehaviour(rate_limited=0.2, slow=0.1, cut_off=0.3)
    met = [decide_trouble(behaviour, f"{i:032x}", times_asked=1) for i in range(10_000)]
    for trouble in (*TROUBLES, None):
        share = 0.4 if trouble is None else getattr(behaviour, trouble)
        assert met.count(trouble) / 10_000 == pytest.approx(share, abs=0.01)


def test_a_request_that_is_sent_again_may_be_served(ask):
    """The trouble depends on how often the request came, and on the seed, and on nothing else."""

    def list_outcomes(seed: int) -> list[bool]:
        app = build_app(Misbehaviour(rate_limited=0.5, seed=seed))
        outcomes = []
        for _ in range(16):
            try:
                ask(app, TEXT)
                outcomes.append(True)
            except RateLimitError:
                outcomes.append(False)
        assert app.tally.troubles["rate_limited"] == outcomes.count(False)
        return outcomes

    assert set(list_outcomes(1)) == {True, False}
    assert list_outcomes(1) == list_outcomes(1) != list_outcomes(2)


def test_switches_are_read_from_one_line():
    """Blanks do not matter; counts stay whole numbers."""
    behaviour = parse_misbehaviour(" rate_limited=0.05, slow = .1,max_in_flight=3,")
    assert behaviour == Misbehaviour(rate_limited=0.05, slow=0.1, max_in_flight=3)
    assert parse_misbehaviour("") == Misbehaviour()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("rate_limit=0.1", "'rate_limit'.*Did you mean 'rate_limited'.*server_errors"),
        ("slow", "'slow'.*''.*slow=0.1"),
        ("slow=often", "'often'"),
        ("seed=0.5", "whole number"),
        ("slow=1.5", "slow=1.5.*from 0 to 1"),
        ("slow=nan", "slow=nan"),
        ("latency_seconds=-1", "latency_seconds=-1"),
        ("slow=0.6,resets=0.6", "add up to 1.2"),
    ],
)
def test_a_wrong_switch_is_named_with_what_is_allowed(text: str, named: str):
    """A person sees which switch, which value, and what to write instead."""
    with pytest.raises(ConfigError, match=named):
        parse_misbehaviour(text)
