"""Word pieces of the embedded encoder, counted without loading the model."""

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

MODEL_FOLDER = Path(__file__).parent / "models" / "all-MiniLM-L6-v2"


class PieceCounter:
    """Counts what the encoder would read of a text."""

    def __init__(self, folder: Path = MODEL_FOLDER) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()  # as published it pads and truncates to 128
        self._tokenizer.no_truncation()

    def __call__(self, texts: Sequence[str]) -> list[int]:
        """The number of word pieces of each text, without the two the model adds."""
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(encoding.ids) for encoding in encodings]
