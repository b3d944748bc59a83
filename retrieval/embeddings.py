"""The embedded sentence encoder: all-MiniLM-L6-v2 as int8 ONNX, no download and no torch at run time."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from langchain_core.embeddings import Embeddings
from tokenizers import Encoding, Tokenizer

from language.sentences import Span
from retrieval.tokens import MODEL_FOLDER, PieceCounter

Vectors = npt.NDArray[np.float32]

MODEL_NAME = "embedded:all-MiniLM-L6-v2"
DIMENSIONS = 384
MAX_PIECES = 256
_BATCH = 4  # small batches of like lengths beat large ones on a CPU: less padding, warmer caches


class Encoded(NamedTuple):
    """One passage as vectors of unit length."""

    passage: Vectors
    """Shape (384,)."""
    sentences: Vectors
    """Shape (sentences, 384): the mean of the passage's own token vectors over each sentence ("late" vectors)."""


class MiniLM(Embeddings):
    """all-MiniLM-L6-v2 on the CPU: 384 dimensions, unit length, English, at most 256 word pieces."""

    def __init__(self, folder: Path = MODEL_FOLDER, threads: int = 2) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()  # as published it pads and truncates to 128
        self._tokenizer.enable_truncation(MAX_PIECES)
        self.count_pieces = PieceCounter(folder)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # spinning starves a busy machine
        self._session = ort.InferenceSession(
            str(folder / "model.int8.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def embed_query(self, text: str) -> list[float]:
        return [float(value) for value in self.encode_query(text)]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [encoded.passage.tolist() for encoded in self.encode([(text, []) for text in texts])]

    def encode_query(self, text: str) -> Vectors:
        """The vector of one text, shape (384,)."""
        return self.encode([(text, [])])[0].passage

    def encode(self, texts: Sequence[tuple[str, Sequence[Span]]]) -> list[Encoded]:
        """Vectors of each text and of the spans (code points, in order) inside it, in one pass of the model."""
        encodings = self._tokenizer.encode_batch([text for text, _ in texts])
        order = sorted(range(len(texts)), key=lambda at: len(encodings[at].ids))
        encoded: dict[int, Encoded] = {}
        for begin in range(0, len(order), _BATCH):
            rows = order[begin : begin + _BATCH]
            tokens, pooled = self._run([encodings[at] for at in rows])
            for row, at in enumerate(rows):
                encoded[at] = Encoded(pooled[row], _late_vectors(tokens[row], encodings[at], texts[at][1], pooled[row]))
        return [encoded[at] for at in range(len(texts))]

    def _run(self, batch: list[Encoding]) -> tuple[Vectors, Vectors]:
        length = max(len(encoding.ids) for encoding in batch)
        ids = np.zeros((len(batch), length), np.int64)
        mask = np.zeros_like(ids)
        for row, encoding in enumerate(batch):
            ids[row, : len(encoding.ids)] = encoding.ids
            mask[row, : len(encoding.ids)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        tokens, pooled = self._session.run(["tokens", "embedding"], inputs)
        return tokens, pooled


def _late_vectors(tokens: Vectors, encoding: Encoding, spans: Sequence[Span], whole: Vectors) -> Vectors:
    """Mean token vector per span, unit length; a span beyond the truncation gets the passage's own vector."""
    if not spans:
        return np.empty((0, DIMENSIONS), np.float32)
    starts = np.array([start if end > start else -1 for start, end in encoding.offsets])
    vectors = np.empty((len(spans), DIMENSIONS), np.float32)
    for row, (start, end) in enumerate(spans):
        chosen = np.flatnonzero((starts >= start) & (starts < end))
        mean = tokens[chosen].mean(axis=0) if len(chosen) else whole
        vectors[row] = mean / max(float(np.linalg.norm(mean)), 1e-9)
    return vectors
