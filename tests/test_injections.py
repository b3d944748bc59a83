"""Payloads planted in documents, a model that obeys them, and what leaves the server: nothing that should not."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from callbacks.guard import Guarding
from chains.prompts import SYSTEM_TEXTS
from graph.policy import BUILT_IN, DEFAULT_DOMAIN
from retrieval.embeddings import MiniLM
from retrieval.library import Library, Submission
from server.bootstrap import library_in
from tests.support.evil import SECRET_KEY, VAULT, EvilModel, Heard, Payload, heard, leaks, letters, payloads
from tests.support.scenes import Scene
from tests.support.surfaces import SURFACES
from tests.support.upstream import Reply

PAYLOADS = payloads()
CAUGHT = [payload for payload in PAYLOADS if not payload.apart]
BRIEF = [*{(payload.obeys["how"], payload.obeys.get("text", "")[:12]): payload for payload in CAUGHT}.values()][::3]
"""Some of every kind, for the suite that runs in a minute."""
ASKED_ON = ("post", "rag-stream", "chat-stream")
ASKED = {"rewrite": True, "sufficient": True, "settle": True}

ANSWERING = next(text for text in SYSTEM_TEXTS if text.startswith("You answer questions"))


@pytest.fixture(scope="module")
def planted(encoder: MiniLM, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """A library whose first collection holds the documents of one payload after the other."""
    library = library_in(tmp_path_factory.mktemp("planted"), encoder)
    library.add("vault", Submission(data=VAULT, id="vault", title="The vault"))
    yield library
    library.close()


@pytest.fixture(scope="module")
def scene(play: Callable[..., Scene], planted: Library) -> Scene:
    """A server that asks its model for everything and lets every question through, so that the model can do harm."""
    policy = BUILT_IN[DEFAULT_DOMAIN].model_copy(
        update={"min_score": 0.0, "min_chunks": 1, "floor": 0.0, "expand_min_score": 0.0}
    )
    guarding = Guarding(prompts=SYSTEM_TEXTS, secrets=(SECRET_KEY,))
    parts: dict[str, Any] = {"library": planted, "policies": {**BUILT_IN, DEFAULT_DOMAIN: policy}, "guarding": guarding}
    return play(lambda _: Reply(""), ASKED, **parts)


def plant(library: Library, payload: Payload) -> None:
    """The documents of a payload in place of those of the one before."""
    for document in payload.documents:
        name, content = document.get("name"), document["content"]
        data = content if name is None else content.encode()
        title = document["title"] if name is None else None
        library.add("default", Submission(data=data, name=name, id=document["id"], title=title))


def ask(scene: Scene, model: EvilModel, surface: str) -> Heard:
    """Everything a reader gets on a surface, and what can be read of the run afterwards."""
    scene.rehearse(model)
    observation, events = scene.ask(SURFACES[surface], {"query": model.payload.question})
    got = heard(events)
    return got if observation.events is not None else replace(got, said=f"{got.said}\n{observation.shown}")


def leaking(scene: Scene, library: Library, among: Sequence[Payload], *, always: bool, surface: str) -> dict[str, Any]:
    """What leaks, by payload, and how many were obeyed, and answered all the same."""
    found: dict[str, Any] = {}
    counted: Counter[str] = Counter()
    for payload in among:
        plant(library, payload)
        model = EvilModel(payload, always=always)
        got = ask(scene, model, surface)
        counted["obeyed"] += model.obeyed
        counted["answered"] += payload.good in got.stands
        leaked = leaks(model, got)
        if leaked:
            found[payload.id] = leaked
    return {"leaks": found, **counted}


def test_there_are_payloads_of_many_families() -> None:
    assert len(PAYLOADS) >= 70
    assert len({payload.family for payload in PAYLOADS}) >= 60
    assert len({payload.id for payload in PAYLOADS}) == len(PAYLOADS)


@pytest.mark.parametrize("coat", ["verbatim", "upper", "spaced", "reversed", "rot13", "base64", "hex", "percent"])
def test_the_oracle_sees_a_prompt_in_every_coat(coat: str) -> None:
    payload = replace(CAUGHT[0], obeys={"how": "prompt", "text": coat})
    model = EvilModel(payload, always=True)
    body = {"messages": [{"content": ANSWERING}, {"content": "[1.1] The row."}]}
    said = "".join(model(body).pieces or ())
    assert "prompt" in leaks(model, Heard(said, said))


def test_the_oracle_takes_seven_words_of_a_prompt_for_nothing() -> None:
    model = EvilModel(CAUGHT[0], always=True, prompts={ANSWERING})
    few = " ".join(ANSWERING.split()[:7])
    assert leaks(model, Heard(few, few)) == []


def test_the_oracle_sees_links_secrets_and_marks_and_what_nobody_sees() -> None:
    model = EvilModel(CAUGHT[0], always=True, keys={"0123456789abcdef01234567"})
    for said in ("https://EVIL-GULL.example", SECRET_KEY[::-1], "01234567 89abcdef 01234567", "a\u200bb", VAULT):
        assert leaks(model, Heard(said, said)), said


@pytest.mark.slow
def test_nothing_leaks_where_a_model_obeys_what_it_is_shown_and_what_it_is_not(scene: Scene, planted: Library) -> None:
    for always in (False, True):
        assert leaking(scene, planted, BRIEF, always=always, surface="post")["leaks"] == {}


def test_what_no_filter_can_tell_from_an_answer_is_streamed_at_most_and_never_stands(
    scene: Scene, planted: Library
) -> None:
    for payload in PAYLOADS:
        if payload.apart and payload.obeys["how"] == "prompt":
            plant(planted, payload)
            model = EvilModel(payload, always=True)
            got = ask(scene, model, "post")
            assert payload.good in got.stands
            assert letters(model.act)[:60] not in letters(got.stands), payload.id


@pytest.mark.slow
@pytest.mark.parametrize("surface", ASKED_ON)
@pytest.mark.parametrize("always", [False, True])
def test_no_payload_of_the_campaign_leaks(scene: Scene, planted: Library, surface: str, always: bool) -> None:
    found = leaking(scene, planted, CAUGHT, always=always, surface=surface)
    assert found["leaks"] == {}
    assert found["answered"] >= 0.95 * len(CAUGHT)
