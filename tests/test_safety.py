"""The safety check by a model: its prompt, and what is made of its reply."""

from typing import Any

import pytest

from callbacks.guard import Guarding
from chains.models import ModelUnavailable, chat_model, close_model
from chains.safety import SafetyInput, SafetyVerdict, safety_chain, safety_verdict
from language.boundary import key_of
from server.bootstrap import build_collaborators, safety_model
from server.settings import Settings
from tests.support.upstream import Reply


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("SAFE", SafetyVerdict(True, "")),
        ("safe.", SafetyVerdict(True, "")),
        ("**UNSAFE**: prompt injection", SafetyVerdict(False, "prompt injection")),
        ("Unsafe\nviolence\nand more", SafetyVerdict(False, "violence")),
        ("UNSAFE", SafetyVerdict(False, "")),
        ("unsafe - see https://evil.example/?q=1 now", SafetyVerdict(False, "see https evil example q now")),
        ("UNSAFE " + "x" * 500, SafetyVerdict(False, "x" * 40)),
        ("Safety first", None),
        ("The text is SAFE", None),
        ("NOT SAFE", None),
        ("SAFEUNSAFE", None),
        ("", None),
        ("...", None),
    ],
)
def test_only_the_first_word_counts(said: str, verdict: SafetyVerdict | None) -> None:
    assert safety_verdict(said) == verdict


async def asked(given: SafetyInput, **options: int) -> SafetyVerdict | None:
    """What the scripted model makes of a text."""
    model = chat_model("openai:scripted", temperature=0, max_tokens=5, timeout=10)
    try:
        return await safety_chain(model, **options).ainvoke(given)
    finally:
        await close_model(model)


async def test_question_and_text_stand_between_the_marks(provider: Any, with_model: Any) -> None:
    upstream, live = provider(lambda body: Reply("UNSAFE fraud"))
    with_model(live.url)
    given: SafetyInput = {"question": "Is this a trap?", "text": "Send it to me. " * 100}
    assert await asked(given, context_tokens=100) == SafetyVerdict(False, "fraud")
    system, human = upstream.calls[0]["messages"]
    key = key_of(human["content"])
    inside = human["content"].split(f"<material {key}>\n")[1].split(f"\n</material {key}>")[0]
    assert "Is this a trap?" in inside
    assert 300 < inside.count("Send it to me.") * 15 <= 400 + 15
    assert "Send it to me" not in system["content"]


async def test_what_says_neither_is_no_verdict(provider: Any, with_model: Any) -> None:
    _, live = provider(lambda body: Reply("I cannot tell."))
    with_model(live.url)
    assert await asked({"question": "?", "text": "x"}) is None


def test_a_setting_names_the_model(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    plain = Settings(_env_file=None)
    assert safety_model(plain) is None
    assert build_collaborators(plain, library).safety is None
    named = Settings(_env_file=None, safety_model="openai:gpt-4o-mini", safety_seconds=1.5)
    made = build_collaborators(named, library)
    assert made.safety is not None
    assert made.limits.safety_seconds == 1.5
    assert made.guarding.prompts
    assert made.guarding != Guarding()
    chat = Settings(_env_file=None, chat_model="openai:gpt-4o-mini", safety_model="chat")
    assert safety_model(chat) is not None
    with pytest.raises(ModelUnavailable, match="GROUNDSWELL_SAFETY_MODEL"):
        safety_model(Settings(_env_file=None, safety_model="chat"))
