"""The plan of deep research: a question as sub-questions that can be searched for on their own."""


def decompose(question: str) -> list[str]:
    """The sub-questions of a question, 2..6 in its own words; none of a simple one."""
    return []
