"""The composition root: the only place that picks implementations."""

import logging
from functools import partial
from pathlib import Path

from langchain_core.language_models import BaseChatModel

from callbacks.guard import Guarding
from callbacks.personal import personal
from callbacks.spending import EXEMPT_TAG, Allowance
from chains.answer import answer_chain
from chains.classify import classify_chain
from chains.embedded import ExtractiveChatModel
from chains.entail import Settle, cross_encoder_entailment, model_entailment
from chains.expand import expand_chain
from chains.hops import follow_up_chain
from chains.models import CHAT, EMBEDDED, ModelUnavailable, chat_model, close_model, cross_encoder, embedding_model
from chains.plan import plan_chain
from chains.prompts import SYSTEM_TEXTS
from chains.refine import refine_chain
from chains.rewrite import plain_rewrite, rewrite_chain
from chains.safety import safety_chain
from chains.sufficiency import sufficiency_chain
from chains.summarize import summary_chain
from graph.build import build_graph
from graph.context import Collaborators, Limits
from graph.domains import Descriptions
from graph.hub import Hub, HubLimits
from graph.policy_file import load_policies
from graph.research import build_research
from retrieval.checkpoints import Checkpoints
from retrieval.database import Database
from retrieval.documents import DocumentStore
from retrieval.embeddings import MODEL_NAME, MiniLM
from retrieval.jobs import JobStore
from retrieval.library import DOCS_COLLECTION, DenseModel, Library
from retrieval.parsing import ParseLimits, ParserProcess
from retrieval.stores import FAISS, DenseStore, FaissStore, LangChainStore, StoreUnavailable, store_maker
from retrieval.submissions import Submission
from server.calibrating import calibrate_when_grown
from server.context import AppContext
from server.jobs import Jobs
from server.settings import Settings, own_secrets

log = logging.getLogger(__name__)

DATABASE = "groundswell.sqlite3"
HOME = Path(__file__).parent.parent
"""Where the packages lie, side by side with the page and the documentation, in a checkout and in a wheel alike."""


def open_library(settings: Settings) -> Library:
    """The library in the data folder, with the built-in documentation up to date. Raises `ModelUnavailable`."""
    dense = None
    if settings.embeddings != EMBEDDED:
        dense = DenseModel(name=settings.embeddings, model=embedding_model(settings.embeddings))
    library = library_in(
        settings.data_dir, MiniLM(), dense, vector_store=settings.vector_store, max_bytes=settings.max_data_bytes
    )
    _index_documentation(library)
    return library


def library_in(
    folder: Path,
    encoder: MiniLM,
    dense: DenseModel | None = None,
    *,
    vector_store: str = FAISS,
    max_bytes: int | None = None,
) -> Library:
    """The library in a folder. Raises `ModelUnavailable`, `StoreUnavailable`, and what `Database` raises."""
    model = MODEL_NAME if dense is None else dense.name

    def make_dense(stored: DocumentStore, dimensions: int) -> DenseStore:
        if vector_store == FAISS:
            return FaissStore(stored, dimensions, Checkpoints(folder / "indexes", model))
        return LangChainStore(stored, store_maker(vector_store), folder)

    database = Database(folder / DATABASE, max_bytes=max_bytes)
    try:
        return Library(DocumentStore(database), encoder, make_dense, dense)
    except StoreUnavailable:
        database.close()
        raise
    except Exception as error:
        database.close()
        if dense is None:
            raise
        # the first call to the provider, whose exceptions are its own
        raise ModelUnavailable(f"{dense.name} gives no embeddings: {type(error).__name__}") from error


def _index_documentation(library: Library) -> None:
    """Bring the collection `docs` to the state of the guide's files; what is unchanged costs nothing."""
    pages = {path.stem: path for path in sorted((HOME / "docs" / "guide").glob("*.md"))}
    for document_id in set(library.stored.digests(DOCS_COLLECTION)) - set(pages):
        library.remove(DOCS_COLLECTION, document_id)
    for document_id, path in pages.items():
        library.add(DOCS_COLLECTION, Submission(data=path.read_bytes(), name=path.name, id=document_id))


def build_collaborators(settings: Settings, library: Library) -> Collaborators:
    """What every run uses. Raises `ModelUnavailable`, `PersonalUnavailable` and `PolicyError`."""
    model = chat_model(
        settings.chat_model,
        temperature=settings.temperature,
        max_tokens=settings.max_tokens,
        timeout=max(settings.first_token_seconds, settings.stall_seconds) + 5,
        max_sentences=settings.max_sentences,
    )
    checker = safety_model(settings)
    planner, writer = planner_model(settings), writer_model(settings)
    extractor = ExtractiveChatModel(max_sentences=settings.max_sentences)
    extract = answer_chain(extractor).with_config(tags=[EXEMPT_TAG])
    embedded = settings.chat_model == EMBEDDED
    policies = load_policies(settings.policy)
    for domain, policy in policies.domains.items():
        if policy.fallback_collection is not None and policy.fallback_collection not in library.sizes():
            log.warning(
                "the domain %s falls back on the collection %s, which is not there", domain, policy.fallback_collection
            )
    descriptions = Descriptions(library.encoder.encode_query)
    if policies.classify:  # the first question shall not wait for the vectors of the descriptions
        descriptions.nearest("", policies.domains)
    return Collaborators(
        library=library,
        answer=answer_chain(model, context_tokens=settings.context_tokens),
        rewrite=plain_rewrite() if embedded or not settings.rewrite else rewrite_chain(model),
        refine=None if embedded else refine_chain(model, context_tokens=settings.context_tokens),
        expand=None if embedded or not settings.multi_query else expand_chain(model, hyde=settings.hyde),
        sufficient=None if embedded or not settings.sufficiency_seconds else sufficiency_chain(model),
        settle=_entailment(settings, model),
        reranker=cross_encoder(settings.reranker) if settings.reranker else None,
        planner=None if planner is None else plan_chain(planner),
        follow_up=None if planner is None else follow_up_chain(planner, context_tokens=settings.context_tokens),
        writer=extract if writer is None else answer_chain(writer, context_tokens=settings.context_tokens),
        extract=extract,
        chat_model=settings.chat_model,
        close=partial(_close_models, model, checker, planner, writer),
        descriptions=descriptions,
        classify=None if embedded else classify_chain(model),
        classify_always=policies.classify,
        summarize=None if embedded else summary_chain(model),
        policies=policies.domains,
        safety=None if checker is None else safety_chain(checker, context_tokens=settings.context_tokens),
        guarding=guarding(settings),
        limits=Limits(
            rewrite_seconds=settings.rewrite_seconds,
            classify_seconds=settings.classify_seconds,
            slow_path_seconds=settings.slow_path_seconds,
            expand_seconds=settings.expand_seconds,
            sufficiency_seconds=settings.sufficiency_seconds,
            verify_seconds=settings.verify_seconds,
            refine_seconds=settings.refine_seconds,
            safety_seconds=settings.safety_seconds,
            section_seconds=settings.section_seconds,
            sections_at_once=settings.sections_at_once,
            first_token_seconds=settings.first_token_seconds,
            stall_seconds=settings.stall_seconds,
            thinking_seconds=settings.thinking_seconds,
            attempts=settings.attempts,
            plan_seconds=settings.plan_seconds,
            branch_seconds=settings.branch_seconds,
            context_tokens=settings.context_tokens,
        ),
    )


def planner_model(settings: Settings) -> BaseChatModel | None:
    """The model that plans deep research, None where rules do. Raises `ModelUnavailable`."""
    name = settings.planner_model or settings.chat_model
    if name == EMBEDDED:
        return None
    seconds = max(settings.plan_seconds, settings.first_token_seconds) + 5
    return chat_model(name, temperature=0, max_tokens=600, timeout=seconds)


def writer_model(settings: Settings) -> BaseChatModel | None:
    """The model that writes reports, None where they are extracted. Raises `ModelUnavailable`."""
    name = settings.writer_model or settings.chat_model
    if name == EMBEDDED:
        return None
    return chat_model(
        name,
        temperature=settings.temperature,
        max_tokens=settings.report_tokens,
        timeout=max(settings.first_token_seconds, settings.stall_seconds) + 5,
    )


def safety_model(settings: Settings) -> BaseChatModel | None:
    """The model of the safety check, if there is one of its own or the chat model. Raises `ModelUnavailable`."""
    name = settings.chat_model if settings.safety_model == CHAT else settings.safety_model
    if name is None:
        return None
    if name == EMBEDDED:
        raise ModelUnavailable("the embedded model cannot check safety; set GROUNDSWELL_SAFETY_MODEL to another one")
    return chat_model(name, temperature=0, max_tokens=20, timeout=settings.safety_seconds + 5)


async def _close_models(*models: BaseChatModel | None) -> None:
    for model in models:
        if model is not None:
            await close_model(model)


def guarding(settings: Settings) -> Guarding:
    """What no answer may hold. Raises `PersonalUnavailable`."""
    made = Guarding(
        prompts=SYSTEM_TEXTS,
        secrets=own_secrets(),
        personal=personal(settings.pii, settings.pii_regions),
    )
    made.guard()  # the first answer shall not wait for what is made of the prompts
    return made


def _entailment(settings: Settings, model: BaseChatModel) -> Settle | None:
    if settings.nli:
        return cross_encoder_entailment(cross_encoder(settings.nli))
    return None if settings.chat_model == EMBEDDED or not settings.verify else model_entailment(model)


def build_hub(settings: Settings, library: Library) -> Hub:
    """The hub for one event loop."""
    limits = HubLimits(
        runs_at_once=settings.max_runs,
        keep_seconds=settings.keep_seconds,
        reconnect_grace=settings.reconnect_grace,
        slow_paths_at_once=settings.slow_paths_at_once,
        allowance=allowance(settings),
        most=Allowance(
            seconds=settings.deep_most_seconds,
            model_calls=settings.deep_most_model_calls,
            tokens=settings.deep_most_tokens,
            sources=settings.deep_most_sources,
        ),
    )
    return Hub(build_graph(), build_collaborators(settings, library), limits, research=build_research())


def allowance(settings: Settings) -> Allowance:
    """What deep research may spend where a question does not say."""
    return Allowance(
        seconds=settings.deep_seconds,
        model_calls=settings.deep_model_calls,
        tokens=settings.deep_tokens,
        sources=settings.deep_sources,
    )


def build_jobs(settings: Settings, library: Library) -> Jobs:
    """The ingestion jobs of one event loop."""
    parser = ParserProcess(parse_limits(settings))
    afterwards = partial(calibrate_when_grown, library, folder=settings.data_dir)
    return Jobs(
        library,
        JobStore(library.stored.database),
        parser,
        most=settings.max_jobs,
        afterwards=afterwards if settings.auto_calibrate else lambda collection: None,
    )


def parse_limits(settings: Settings) -> ParseLimits:
    """What reading one document may take."""
    return ParseLimits(seconds=settings.parse_seconds, memory_bytes=settings.parse_memory_bytes)


def build_context(settings: Settings) -> AppContext:
    """Everything the HTTP application needs."""
    library = open_library(settings)
    return AppContext(
        settings=settings,
        hub=build_hub(settings, library),
        library=library,
        jobs=build_jobs(settings, library),
        web=HOME / "web",
    )
