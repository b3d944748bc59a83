"""An encoder that costs nothing: a text's vector is the sum of its words' vectors."""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from retrieval.embeddings import DIMENSIONS, Encoded, MiniLM


class WordVectors(MiniLM):
    """The encoder's shape without its model, for tests that are not about meaning."""

    def __init__(self) -> None:
        self.count_pieces: Any = lambda texts: [len(text.split()) for text in texts]

    def encode(self, texts: Sequence[tuple[str, Sequence[tuple[int, int]]]]) -> list[Encoded]:
        return [
            Encoded(_vector(text), np.array([_vector(text[a:b]) for a, b in spans], np.float32).reshape(-1, DIMENSIONS))
            for text, spans in texts
        ]


def _vector(text: str) -> np.ndarray:
    words = text.lower().split() or [""]
    total = sum(np.random.default_rng(zlib.crc32(word.encode())).normal(size=DIMENSIONS) for word in words)
    return (total / np.linalg.norm(total)).astype(np.float32)
