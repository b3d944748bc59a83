"""Prompt, model, parser: each chain is a LangChain `Runnable` that also works alone."""
