"""The nodes: each takes the state, returns only what it changed, and reports through callbacks."""

from graph.nodes.admit import admit
from graph.nodes.block import block
from graph.nodes.conclude import conclude
from graph.nodes.decide import decide
from graph.nodes.divide import divide
from graph.nodes.expand import expand
from graph.nodes.fallback import fallback
from graph.nodes.gate import gate
from graph.nodes.generate import generate
from graph.nodes.investigate import investigate
from graph.nodes.plan import plan
from graph.nodes.quick import quick
from graph.nodes.refine import refine
from graph.nodes.retrieve import retrieve
from graph.nodes.review import review
from graph.nodes.rewrite import rewrite
from graph.nodes.slow_path import slow_path, verify_first
from graph.nodes.verify import verify
from graph.nodes.weigh import weigh
from graph.nodes.write import write

__all__ = [
    "admit",
    "block",
    "conclude",
    "decide",
    "divide",
    "expand",
    "fallback",
    "gate",
    "generate",
    "investigate",
    "plan",
    "quick",
    "refine",
    "retrieve",
    "review",
    "rewrite",
    "slow_path",
    "verify",
    "verify_first",
    "weigh",
    "write",
]
