"""The lexical leg: BM25 over stemmed words, with incremental add and delete."""

import math
from collections.abc import Collection, Iterable

import tantivy

_FEW = 2_000
"""When only so many passages are left out, looking deeper is quicker than naming all the others."""
_WRITER_BYTES = 15_000_000  # the least tantivy accepts


class LexicalSnapshot:
    """One moment of the lexical index: later writes do not show."""

    def __init__(self, schema: tantivy.Schema, searcher: tantivy.Searcher) -> None:
        self._schema = schema
        self._searcher = searcher

    @property
    def size(self) -> int:
        """The number of passages."""
        return int(self._searcher.num_docs)

    def search(self, wanted: Iterable[str], k: int, among: Collection[int] | None = None) -> dict[int, float]:
        """BM25 scores (>= 0) of the best `k` passages, by passage key; only `among` these keys if given.

        `wanted` are stemmed terms.
        """
        clauses = [
            (tantivy.Occur.Should, tantivy.Query.term_query(self._schema, "text", term, index_option="freq"))
            for term in set(wanted)
        ]
        if not clauses or not self._searcher.num_docs:
            return {}
        query = tantivy.Query.boolean_query(clauses)
        left_out = 0 if among is None else self.size - len(among)
        if among is None or left_out <= _FEW:
            found = self._found(query, k + left_out)
            allowed = found if among is None else found.keys() & set(among)
            return {key: found[key] for key in list(filter(allowed.__contains__, found))[:k]}
        chosen = tantivy.Query.const_score_query(tantivy.Query.term_set_query(self._schema, "key", list(among)), 0.0)
        return self._found(tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, chosen)]), k)

    def _found(self, query: tantivy.Query, k: int) -> dict[int, float]:
        """The best `k`, best first."""
        hits = self._searcher.search(query, k, count=False).hits
        keys = self._searcher.fast_field_values("key", [address for _, address in hits])
        return {int(key): float(score) for key, (score, _) in zip(keys, hits, strict=True) if key is not None}

    def idf(self, wanted: Iterable[str]) -> dict[str, float]:
        """Inverse document frequency of stemmed terms, as BM25 defines it; larger is rarer, always > 0."""
        count = self._searcher.num_docs
        return {
            term: math.log(1 + (count - frequency + 0.5) / (frequency + 0.5))
            for term in set(wanted)
            for frequency in [min(count, self._searcher.doc_freq("text", term))]
        }


class LexicalIndex:
    """The words of one collection, in memory. Not safe for two writers at once."""

    def __init__(self) -> None:
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("text", stored=False, tokenizer_name="whitespace", index_option="freq")
        builder.add_unsigned_field("key", stored=False, indexed=True, fast=True)
        self._schema = builder.build()
        self._index = tantivy.Index(self._schema)
        self._index.config_reader(reload_policy="manual")  # the default watches for commits and makes reload take 75 ms
        self._writer = self._index.writer(_WRITER_BYTES, 1)

    def update(self, *, add: Iterable[tuple[int, str]] = (), remove: Iterable[int] = ()) -> LexicalSnapshot:
        """Remove and add passages, given as (key, stemmed words), in one commit; the snapshot afterwards."""
        for key in remove:
            self._writer.delete_documents_by_query(tantivy.Query.term_query(self._schema, "key", key))
        for key, stems in add:
            document = tantivy.Document()
            document.add_unsigned("key", key)
            document.add_text("text", stems)
            self._writer.add_document(document)
        self._writer.commit()
        self._index.reload()
        return LexicalSnapshot(self._schema, self._index.searcher())
