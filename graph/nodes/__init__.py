"""The nodes: each takes the state, returns only what it changed, and reports through callbacks."""

from graph.nodes.admit import admit
from graph.nodes.block import block
from graph.nodes.conclude import conclude
from graph.nodes.expand import expand
from graph.nodes.fallback import fallback
from graph.nodes.gate import gate
from graph.nodes.generate import generate
from graph.nodes.refine import refine
from graph.nodes.retrieve import retrieve
from graph.nodes.review import review
from graph.nodes.rewrite import rewrite
from graph.nodes.slow_path import slow_path, verify_first
from graph.nodes.verify import verify

__all__ = [
    "admit",
    "block",
    "conclude",
    "expand",
    "fallback",
    "gate",
    "generate",
    "refine",
    "retrieve",
    "review",
    "rewrite",
    "slow_path",
    "verify",
    "verify_first",
]
