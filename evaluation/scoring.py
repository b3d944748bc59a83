"""What a ranking is worth.

A ranking is given as the relevant items each hit holds, best hit first: document ids, or spans of long documents.
An item counts where it is met first.
"""

import math
from collections.abc import Hashable, Sequence

Held = Sequence[frozenset[Hashable]]


def hit(held: Held, k: int) -> float:
    """1 if one of the first `k` hits holds a relevant item, else 0."""
    return float(any(held[:k]))


def reciprocal_rank(held: Held, k: int = 10) -> float:
    """1 / the rank of the first relevant hit, 0 if there is none among the first `k`."""
    return next((1.0 / rank for rank, items in enumerate(held[:k], 1) if items), 0.0)


def recall(held: Held, wanted: int, k: int) -> float:
    """The share (0..1) of the `wanted` items that the first `k` hits hold."""
    return len(frozenset[Hashable]().union(*held[:k])) / wanted


def ndcg(held: Held, wanted: int, k: int = 10) -> float:
    """Discounted gain over the best possible, 0..1. Jaervelin and Kekaelaeinen, 2002.

    A hit gains 1 if it holds an item not met before. The best ranking has these hits first, then one hit for each
    item that was missed: a passage that holds two spans takes one place, not two.
    """
    seen: set[Hashable] = set()
    gains = []
    for items in held[:k]:
        gains.append(bool(items - seen))
        seen |= items
    best = min(k, sum(gains) + wanted - len(seen))
    return sum(_discount(rank) for rank, gain in enumerate(gains) if gain) / sum(map(_discount, range(best)))


def _discount(rank: int) -> float:
    return 1.0 / math.log2(rank + 2)
