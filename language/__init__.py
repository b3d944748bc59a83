"""Sentences, words and numbers: what retrieval, verdicts and extraction must agree on."""
