"""PDF files. PDFium is not thread-safe: one file at a time in a process."""

from retrieval.loaders.pdf.document import load_pdf

__all__ = ["load_pdf"]
