"""How well Groundswell does on question sets: retrieval, the gate, citations, latency."""
