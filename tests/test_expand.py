"""The wider search: more words, neighbours, other wordings, another collection."""

from collections.abc import Callable
from typing import Any

import httpx

from graph.policy import BUILT_IN
from retrieval.library import Library, Submission
from retrieval.reach import Reach
from tests.support.live import Live
from tests.support.streams import Envelope, check_grammar, envelopes, kinds, payloads
from tests.support.upstream import Reply, Script, Upstream, is_answer

Provider = Callable[[Script], tuple[Upstream, Live]]

FERRY = "The ferry to Lindholm leaves at noon. A return ticket for the Lindholm ferry costs nine crowns."


def ask(server: Live, **body: Any) -> list[Envelope]:
    events = envelopes(httpx.post(f"{server.url}/query", json=body, timeout=30, trust_env=False).text)
    check_grammar(events)
    return events


def with_archive(library: Library) -> dict[str, Any]:
    library.add("default", Submission(data="The bakery opens at six. Bread is sold until noon.", id="bakery"))
    library.add("archive", Submission(data=FERRY, id="ferry", metadata={"year": 2020}))
    policy = BUILT_IN["general"].model_copy(update={"fallback_collection": "archive"})
    return {"library": library, "policies": {**BUILT_IN, "general": policy}}


def test_thin_evidence_is_looked_for_in_the_collection_the_policy_names(
    serve: Callable[..., Live], own_library: Library
) -> None:
    events = ask(serve(**with_archive(own_library)), query="What does a return ticket for the Lindholm ferry cost?")
    assert [decision["verdict"] for decision in payloads(events, "gate_decision")] == ["expand", "open"]
    final = payloads(events, "final_answer")[0]
    assert "nine crowns" in final["answer"]
    assert final["citations"][0]["source_id"].startswith("archive:ferry:")
    assert min(s["wave"] for s in payloads(events, "source") if s["document_id"] == "ferry") == 2


def test_the_filters_of_a_question_hold_in_the_other_collection_too(
    serve: Callable[..., Live], own_library: Library
) -> None:
    question = "What does a return ticket for the Lindholm ferry cost?"
    events = ask(serve(**with_archive(own_library)), query=question, filters={"year": 1999})
    assert payloads(events, "final_answer")[0]["outcome"] == "fallback"
    assert "ferry" not in [source["document_id"] for source in payloads(events, "source")]


def test_a_refusal_names_every_collection_that_was_searched(serve: Callable[..., Live], own_library: Library) -> None:
    events = ask(serve(**with_archive(own_library)), query="Who won the Zanzibar regatta?")
    answer = payloads(events, "final_answer")[0]["answer"]
    assert "2 passages in “default” and “archive”" in answer
    assert "Zanzibar" in answer


def test_a_policy_that_names_a_collection_which_is_gone_searches_the_others(
    serve: Callable[..., Live], library: Library
) -> None:
    policy = BUILT_IN["general"].model_copy(update={"fallback_collection": "gone"})
    events = ask(serve(library=library, policies={**BUILT_IN, "general": policy}), query="Who won the Zanzibar cup?")
    assert payloads(events, "final_answer")[0]["outcome"] == "fallback"


def test_another_wording_of_the_model_finds_what_the_question_does_not(
    provider: Provider, serve: Callable[..., Live], with_model: Callable[..., Any], library: Library
) -> None:
    wordings = "1. What does a mooring permit in Aldermoor cost?\n2. Aldermoor permit price per week for mooring"
    _, at = provider(
        lambda body: (
            Reply("A mooring permit in Aldermoor costs 45 crowns a week [1.1].") if is_answer(body) else Reply(wordings)
        )
    )
    events = ask(serve(**with_model(at.url, expand=True)), query="what would tying up my permit-less boat cost?")
    assert [decision["verdict"] for decision in payloads(events, "gate_decision")] == ["expand", "open"]
    assert "45 crowns" in payloads(events, "final_answer")[0]["answer"]


def test_a_wording_that_loses_a_number_is_not_searched_with(
    provider: Provider, serve: Callable[..., Live], with_model: Callable[..., Any]
) -> None:
    _, at = provider(lambda body: Reply("What does a mooring permit in Aldermoor cost?"))
    events = ask(serve(**with_model(at.url, expand=True)), query="what would 17 dinghies set me back?")
    assert "token" not in kinds(events)


async def test_a_made_up_answer_finds_passages_and_is_no_evidence(library: Library) -> None:
    question = "xyzzy plugh"
    made_up = ("The lighthouse was built in 1874 by the engineer Greta Holm.",)
    found = await library.search("default", question, 5, None, Reach(also=made_up))
    assert found.probability < 0.1, "the question alone scores what was found"


async def test_the_neighbours_of_the_best_passages_are_candidates(own_library: Library) -> None:
    filler = " ".join(f"Paragraph {at} is about weaving baskets and nothing else at all." for at in range(12))
    text = f"# A\n\nThe Velm engine was built by Ada.\n\n# B\n\n{filler}\n\n# C\n\n{filler}"
    own_library.add("default", Submission(data=text.encode(), name="velm.md", id="velm"))
    for at in range(120):
        own_library.add("default", Submission(data=f"Velm engine note {at}: the Velm engine runs.", id=f"n{at}"))
    near = await own_library.search("default", "Who built the Velm engine?", 200)
    wide = await own_library.search("default", "Who built the Velm engine?", 200, None, Reach(wide=True))
    sections = {hit.passage.section for hit in wide.hits if hit.passage.document_id == "velm"}
    assert "B" in sections
    assert len(wide.hits) >= len(near.hits)


async def test_a_wider_search_keeps_within_the_filters(own_library: Library) -> None:
    for at in range(30):
        kept = {"kept": at % 2 == 0}
        own_library.add("default", Submission(data=f"The Velm engine {at} runs on tea.", id=f"n{at}", metadata=kept))
    reach = Reach(wide=True, also=("The engine runs.",))
    found = await own_library.search("default", "What does the Velm engine run on?", 50, {"kept": True}, reach)
    assert len(found.hits) == 15
    assert all(hit.passage.metadata["kept"] for hit in found.hits)
