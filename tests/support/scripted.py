"""A model that knows what it is asked, marks every word it writes, and can be had in every mood."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from tests.support.upstream import Reply, Script

MARK = "vexolith"
"""In every reply of the model, and nowhere else."""
SECRET = "zorvane"
"""In every sentence of the corpus, and nowhere else."""

Task = Literal[
    "answer",
    "rewrite",
    "classify",
    "sufficient",
    "settle",
    "refine",
    "section",
    "abstract",
    "plan",
    "follow_up",
    "report",
]
_BEGINS: Mapping[str, Task] = {
    "You answer questions": "answer",
    "You rewrite questions": "rewrite",
    "You sort questions": "classify",
    "You decide whether": "sufficient",
    "You judge claims": "settle",
    "You correct an answer": "refine",
    "You summarise one section": "section",
    "You write the abstract": "abstract",
    "You plan research": "plan",
    "You look for what is missing": "follow_up",
    "You write a report": "report",
}

CORPUS = {
    "lighthouse": "The Aldermoor lighthouse of Zorvane was built in 1874 by the engineer Greta Holm. "
    "The lamp of the Zorvane lighthouse can be seen from nineteen miles away.",
    "mooring": "A mooring permit in Aldermoor, says the Zorvane office, costs 45 crowns a week. "
    "Boats longer than twelve metres pay double at the Zorvane quay.",
    "starter": "The sourdough starter of the Quillon bakery in Zorvane is fed twice a day with rye flour. "
    "A Zorvane loaf rests for sixteen hours before it is baked.",
    "hours": "The Quillon bakery opens at six in the morning in Zorvane. It is closed on Sunday, like all of Zorvane.",
    "ferry": "The ferry from Brack to Zorvane leaves at noon. A ticket for the Zorvane ferry costs eight crowns.",
    "museum": "The Zorvane museum shows clocks from three centuries. Children enter the Zorvane museum for free.",
}
ANSWERABLE: Mapping[str, tuple[str, str]] = {
    "Who built the Aldermoor lighthouse?": (
        "Greta Holm",
        "The Aldermoor lighthouse was built in 1874 by the engineer Greta Holm",
    ),
    "What does a mooring permit in Aldermoor cost?": (
        "45 crowns",
        "A mooring permit in Aldermoor costs 45 crowns a week",
    ),
    "What is the sourdough starter of the Quillon bakery fed with?": (
        "rye flour",
        "The sourdough starter of the Quillon bakery is fed twice a day with rye flour",
    ),
}
"""Questions, the words by which to know the row that answers them, and what a good model says."""


def task_of(body: dict[str, Any]) -> Task:
    """What a call of the product asks of its model."""
    prompt = body["messages"][0]["content"]
    return next(task for begins, task in _BEGINS.items() if prompt.startswith(begins))


def row_of(body: dict[str, Any], words: str) -> str:
    """The number of the row of the prompt that holds some words; of the first one if none does."""
    rows = [line for line in body["messages"][-1]["content"].split("\n") if line.startswith("[") and "." in line[:6]]
    return next((line.split("]")[0][1:] for line in rows if words in line), "1.1")


def _text_of(body: dict[str, Any], row: str) -> str:
    prompt: str = body["messages"][-1]["content"]
    return prompt.split(f"[{row}] ")[-1].split("\n")[0].rstrip(".")


def saying(**replies: Reply | str) -> Script:
    """A model with a reply for each task it is given; the others it fails."""

    def script(body: dict[str, Any]) -> Reply:
        reply = replies.get(task_of(body), Reply(status=500))
        return Reply(reply) if isinstance(reply, str) else reply

    return script


Answers = Literal["well", "partly", "unknown", "contradicts", "uncited", "nothing", "breaks", "cut", "fails", "babbles"]
Words = Literal["well", "against", "nonsense", "fails"]


@dataclass(frozen=True)
class Mood:
    """How a model does what it is asked."""

    answers: Answers = "well"
    sufficient: Words = "well"
    classifies: Words = "well"
    """`well` names no domain, `against` names the default one."""
    settles: Words = "well"
    refines: Words = "well"

    @staticmethod
    def drawn(chance: Any) -> "Mood":
        """Any."""
        moods = {task: chance.choice(get_args(Words)) for task in ("sufficient", "classifies", "settles", "refines")}
        return replace(Mood(**moods), answers=chance.choice(get_args(Answers)))


class MoodyModel:
    """The script of a model whose mood can change between two questions."""

    def __init__(self) -> None:
        self.mood = Mood()

    def __call__(self, body: dict[str, Any]) -> Reply:
        task = task_of(body)
        words = {
            "sufficient": self.mood.sufficient,
            "classify": self.mood.classifies,
            "settle": self.mood.settles,
            "refine": self.mood.refines,
        }
        if task == "answer":
            return self._answer(body)
        if task == "rewrite":
            return Reply(f"{body['messages'][-1]['content']} {MARK}")
        return _WORDS[task, words[task]]

    def _answer(self, body: dict[str, Any]) -> Reply:
        question = body["messages"][-1]["content"].split("\n\nQuestion: ")[-1]
        words, answer = ANSWERABLE.get(question, ("", ""))
        row = row_of(body, words)
        answer = answer or _text_of(body, row)
        good = f"{answer} [{row}]. The {MARK} hums [{row}]."
        match self.mood.answers:
            case "well":
                return Reply(good)
            case "partly":
                return Reply(f"{answer} and the {MARK} [{row}].")
            case "unknown":
                return Reply(f"{answer} [{row}, 99.9][77]. The {MARK} knows [9.9].")
            case "contradicts":
                return Reply(f"{answer.replace('18', '19').replace('45', '54')}, not {MARK} [{row}].")
            case "uncited":
                return Reply(f"The {MARK} said so. {answer}.")
            case "nothing":
                return Reply(pieces=[])
            case "breaks":
                return Reply(f"The {MARK} is right: {answer} [{row}]. It was", cut=True)
            case "cut":
                return Reply(f"{answer} [{row}]. The {MARK} was", finish="length")
            case "fails":
                return Reply(status=429, headers={"retry-after": "0"})
            case "babbles":
                return Reply(f"Martians founded a {MARK} of purple cheese [{row}].")


_WORDS: Mapping[tuple[str, Words], Reply] = {
    ("sufficient", "well"): Reply(f"SUFFICIENT {MARK}"),
    ("sufficient", "against"): Reply(f"INSUFFICIENT {MARK}"),
    ("classify", "well"): Reply(f"none, says {MARK}"),
    ("classify", "against"): Reply(f"general, says {MARK}"),
    ("settle", "well"): Reply(f"1: supported {MARK}\n2: unsupported"),
    ("settle", "against"): Reply(f"1: contradicted {MARK}\n2: contradicted"),
    ("refine", "well"): Reply(f"Nothing but the {MARK} [1.1]."),
    ("refine", "against"): Reply(f"See https://{MARK}.example/ [1.1]."),
    **{(task, "nonsense"): Reply(f"{MARK} {MARK}") for task in ("sufficient", "classify", "settle", "refine")},
    **{(task, "fails"): Reply(status=500) for task in ("sufficient", "classify", "settle", "refine")},
}
