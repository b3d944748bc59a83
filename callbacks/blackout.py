"""Events without personal data: what they show of documents is blacked out, character by character."""

from callbacks.events import CitationAttached, FinalAnswer, Payload, RefinementUpdate, SummarySection, Thinking
from callbacks.personal import Mask


def blacked_out(payload: Payload, mask: Mask) -> Payload:
    """An event as it may be shown. Lengths stay, so every span of it keeps its place.

    A token is none of its business: the guard has read it, and it may hold half a number.
    """
    match payload:
        case CitationAttached():
            return _citation(payload, mask)
        case Thinking():
            return payload.model_copy(update={"text": mask(payload.text)})
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
        case SummarySection():
            citations = [_citation(citation, mask) for citation in payload.citations]
            title = payload.section and mask(payload.section)
            return payload.model_copy(update={"section": title, "text": mask(payload.text), "citations": citations})
        case FinalAnswer():
            citations = [_citation(citation, mask) for citation in payload.citations]
            answer = mask(payload.answer)
            sentences = payload.sentences and [
                one.model_copy(update={"text": answer[one.start : one.end]}) for one in payload.sentences
            ]
            return payload.model_copy(update={"answer": answer, "citations": citations, "sentences": sentences})
        case _:
            return payload


def _citation(citation: CitationAttached, mask: Mask) -> CitationAttached:
    return citation.model_copy(update={"quote": mask(citation.quote)})
