"""Events without personal data: what they show of documents is blacked out, character by character."""

from callbacks.events import CitationAttached, FinalAnswer, Payload, RefinementUpdate
from callbacks.personal import Mask


def blacked_out(payload: Payload, mask: Mask) -> Payload:
    """An event as it may be shown. Lengths stay, so every span of it keeps its place.

    A token is none of its business: the guard has read it, and it may hold half a number.
    """
    match payload:
        case CitationAttached():
            return _citation(payload, mask)
        case RefinementUpdate():
            changes = [
                change.model_copy(update={"before": mask(change.before), "after": mask(change.after)})
                for change in payload.changes
            ]
            shown = {
                "refined_answer": mask(payload.refined_answer),
                "additional_citations": [_citation(citation, mask) for citation in payload.additional_citations],
                "reasons": [mask(reason) for reason in payload.reasons],
                "changes": changes,
            }
            return payload.model_copy(update=shown)
        case FinalAnswer():
            citations = [_citation(citation, mask) for citation in payload.citations]
            return payload.model_copy(update={"answer": mask(payload.answer), "citations": citations})
        case _:
            return payload


def _citation(citation: CitationAttached, mask: Mask) -> CitationAttached:
    return citation.model_copy(update={"quote": mask(citation.quote)})
