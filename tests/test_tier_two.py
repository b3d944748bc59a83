"""Tier 2 of verification: what the first judge doubts is settled by a slower one, and looked for again."""

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.cross_encoders import BaseCrossEncoder

from chains.entail import cross_encoder_entailment
from tests.support.scenes import Scene
from tests.support.scripted import row_of, task_of
from tests.support.streams import Envelope, payloads
from tests.support.upstream import Reply, Script

QUESTION = "Who built the Aldermoor lighthouse?"
BUILT = "The lighthouse was built in 1874 by the engineer Greta Holm [{row}]."
DOUBTFUL = "Its tower gets many curious guests [{row}]."


def writing(text: str, settles: Reply | str) -> Script:
    """A model that writes `text`, with the row of the builder's name, and settles doubts so; it corrects nothing."""

    def script(body: dict[str, Any]) -> Reply:
        match task_of(body):
            case "answer":
                return Reply(text.replace("{row}", row_of(body, "Greta Holm")))
            case "settle":
                return Reply(settles) if isinstance(settles, str) else settles
            case _:
                return Reply(status=500)

    return script


def told(events: list[Envelope], sentence: int) -> list[tuple[str, str]]:
    """Every verdict on a sentence, with its method."""
    return [
        (verdict["support"], verdict["method"])
        for verdict in payloads(events, "partial_answer")
        if verdict["sentence"] == sentence
    ]


def asked(scene: Scene) -> list[str]:
    return [task_of(body) for body in scene.upstream.calls]


@pytest.mark.parametrize("word", ["supported", "partial"])
def test_a_doubtful_sentence_that_the_model_bears_out_stands(word: str, stage: Callable[..., Scene]) -> None:
    scene = stage(writing(f"{BUILT} {DOUBTFUL}", f"1: {word}"), {"settle": True})
    events = scene.events(query=QUESTION)
    assert told(events, 0) == [("supported", "lexical")]
    first, second = told(events, 1)
    assert first[0] == "unsupported"
    assert second == (word, f"{first[1]}+model")
    final = payloads(events, "final_answer")[0]
    assert "curious guests" in final["answer"]
    assert (final["outcome"], final["revision"]) == ("answered", 0)
    assert asked(scene) == ["answer", "settle"]
    settling = scene.upstream.calls[1]["messages"][-1]["content"]
    assert "curious guests" in settling
    assert "Greta Holm" not in settling.split("Evidence 1:")[0]


@pytest.mark.parametrize("word", ["contradicted", "unsupported", "not supported"])
def test_a_doubtful_sentence_that_the_model_does_not_bear_out_is_left_out(
    word: str, stage: Callable[..., Scene]
) -> None:
    scene = stage(writing(f"{BUILT} {DOUBTFUL}", f"1: {word}"), {"settle": True})
    events = scene.events(query=QUESTION)
    support = "unsupported" if word == "not supported" else word
    assert told(events, 1)[-1][0] == support
    assert told(events, 1)[-1][1].endswith("+model")
    final = payloads(events, "final_answer")[0]
    assert "curious guests" not in final["answer"]
    assert "Greta Holm" in final["answer"]


class _Guests(BaseCrossEncoder):
    """Knows one thing that the words do not say."""

    def score(self, text_pairs: list[tuple[str, str]]) -> list[float]:
        return [0.97 if "visitors" in piece and "guests" in claim else 0.01 for piece, claim in text_pairs]


class _NoWeights(BaseCrossEncoder):
    def score(self, text_pairs: list[tuple[str, str]]) -> list[float]:
        raise OSError("no weights at /dev/secret")


ENTAILMENT = cross_encoder_entailment(_Guests())


def test_a_model_of_entailment_settles_without_a_chat_model(stage: Callable[..., Scene]) -> None:
    scene = stage(writing(f"{BUILT} {DOUBTFUL}", Reply(status=500)), settle=ENTAILMENT)
    events = scene.events(query=QUESTION)
    first, second = told(events, 1)
    assert second == ("supported", f"{first[1]}+nli")
    scores = [verdict["score"] for verdict in payloads(events, "partial_answer") if verdict["sentence"] == 1]
    assert scores[-1] == 0.97
    assert "curious guests" in payloads(events, "final_answer")[0]["answer"]
    assert "settle" not in asked(scene)


def test_a_sentence_that_cites_nothing_gets_the_citation_that_the_slower_judge_finds(
    stage: Callable[..., Scene],
) -> None:
    scene = stage(writing(f"{BUILT} {DOUBTFUL.replace(' [{row}]', '')}", Reply(status=500)), settle=ENTAILMENT)
    events = scene.events(query=QUESTION)
    assert {support for support, _ in told(events, 1)} == {"uncited"}
    final = payloads(events, "final_answer")[0]
    assert "curious guests [" in final["answer"]
    assert "visitors" in final["citations"][-1]["quote"]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=500),
        Reply(status=429, headers={"retry-after": "0"}),
        Reply("1: supp", hang=True),
    ],
    ids=["fails", "is busy", "stalls"],
)
def test_a_slower_judge_that_fails_leaves_the_verdicts_of_the_first_and_says_so(
    reply: Reply, stage: Callable[..., Scene]
) -> None:
    scene = stage(writing(f"{BUILT} {DOUBTFUL}", reply), {"settle": True, "verify_seconds": 0.3})
    events = scene.events(query=QUESTION)
    assert [support for support, _ in told(events, 1)] == ["unsupported"]
    errors = payloads(events, "error")
    assert [(error["code"], error["fatal"], error["stage"]) for error in errors] == [
        ("verification_failed", False, "verifying")
    ]
    final = payloads(events, "final_answer")[0]
    assert (final["outcome"], "Greta Holm" in final["answer"]) == ("answered", True)


def test_a_model_of_entailment_that_fails_is_told_without_its_secrets(stage: Callable[..., Scene]) -> None:
    scene = stage(writing(f"{BUILT} {DOUBTFUL}", Reply(status=500)), settle=cross_encoder_entailment(_NoWeights()))
    events = scene.events(query=QUESTION)
    assert [error["code"] for error in payloads(events, "error")] == ["verification_failed"]
    assert "secret" not in str(events)
    assert payloads(events, "final_answer")[0]["outcome"] == "answered"


@pytest.mark.parametrize("garble", ["", "I cannot say.", "7: supported", "1: perhaps", "supported"])
def test_a_garbled_settlement_leaves_the_first_verdict_and_is_no_failure(
    garble: str, stage: Callable[..., Scene]
) -> None:
    scene = stage(writing(f"{BUILT} {DOUBTFUL}", garble), {"settle": True})
    events = scene.events(query=QUESTION)
    assert len(told(events, 1)) == 1
    assert payloads(events, "error") == []
    assert payloads(events, "final_answer")[0]["outcome"] == "answered"


def test_a_settlement_of_some_sentences_leaves_the_others_as_they_were(stage: Callable[..., Scene]) -> None:
    text = f"{DOUBTFUL} {BUILT} Dolphins paint its roof purple [{{row}}]."
    scene = stage(writing(text, "2: supported"), {"settle": True})
    events = scene.events(query=QUESTION)
    assert [len(told(events, sentence)) for sentence in range(3)] == [1, 1, 2]


def test_nothing_is_settled_where_nothing_is_in_doubt(stage: Callable[..., Scene]) -> None:
    scene = stage(writing(BUILT, "1: contradicted"), {"settle": True})
    events = scene.events(query=QUESTION)
    assert asked(scene) == ["answer"]
    assert len(told(events, 0)) == 1
    assert payloads(events, "final_answer")[0]["outcome"] == "answered"


@pytest.mark.parametrize("cited", ["[9.9]", "[{row}, 77]"])
def test_an_unknown_citation_makes_the_slow_path_search_again_for_its_sentence(
    cited: str, stage: Callable[..., Scene]
) -> None:
    sentence = f"The Quillon bakery opens at six in the morning {cited}."
    scene = stage(writing(f"{BUILT} {sentence}", Reply(status=500)), {})
    events = scene.events(query=QUESTION)
    told_of = [verdict["unknown_citations"] for verdict in payloads(events, "partial_answer") if verdict["sentence"]]
    assert told_of == [[cited.strip("[]").split(", ")[-1]]]
    assert "Searching again for 1 sentence" in [said["message"] for said in payloads(events, "status_update")]
    assert payloads(events, "final_answer")[0]["unknown_citations"] == 1


def test_what_the_second_search_finds_may_carry_the_sentence_after_all(stage: Callable[..., Scene]) -> None:
    sentence = "The oven for sourdough is heated to 245 degrees [9.9]."
    scene = stage(writing(f"{BUILT} {sentence}", Reply(status=500)), {})
    events = scene.events(query=QUESTION, top_k=1)
    found = [source["snippet"] for source in payloads(events, "source") if source["wave"] > 1]
    final = payloads(events, "final_answer")[0]
    assert any("245 degrees" in snippet for snippet in found)
    assert "245 degrees" in final["answer"]
    assert any("245 degrees" in citation["quote"] for citation in final["citations"])
