"""The nodes of a web page, one after another, to blocks."""

from selectolax.lexbor import LexborNode

from retrieval.loaders.blocks import Loaded, one_line
from retrieval.loaders.builder import TextBuilder
from retrieval.loaders.html_hidden import Hidden
from retrieval.loaders.html_table import HtmlTable

_LEFT_OUT = set(
    "script style nav template noscript head svg iframe object canvas audio video select button textarea "
    "datalist dialog".split()
)
_INLINE = set(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd label mark math q rp rt ruby s samp "
    "br small span strike strong sub sup time tt u var wbr".split()
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}


class Page:
    """Takes `enter` and `leave` for each node in the order of the document, and gives the blocks."""

    def __init__(self, builder: TextBuilder, hidden: Hidden) -> None:
        self._builder = builder
        self._hidden = hidden
        self._inline: list[str] = []
        self._bullet = ""
        self._verbatim = 0
        self._table: HtmlTable | None = None

    def loaded(self) -> Loaded:
        """The page's text and blocks."""
        self._flush()
        return self._builder.loaded()

    def enter(self, node: LexborNode) -> bool:
        """Begin a node; whether what is in it is to be visited."""
        tag = node.tag or ""
        if tag == "-text":
            self._say(" " if self._hidden.text_in(node.parent) else node.text_content or "")
        elif tag == "br":
            self._say("\n" if self._verbatim else " ")
        if tag in _LEFT_OUT or tag.startswith("-") or (tag != "body" and self._hidden.element(node)):
            return False
        if self._table is not None:
            self._enter_in_table(self._table, tag)
        elif tag not in _INLINE and not self._verbatim:
            self._flush()
            self._enter_block(node, tag)
        return True

    def leave(self, node: LexborNode) -> None:
        """End a node, whether or not what is in it was visited."""
        tag = node.tag or ""
        if tag in _LEFT_OUT or tag.startswith("-") or tag in _INLINE or (tag != "body" and self._hidden.element(node)):
            return
        if self._table is not None:
            self._leave_in_table(self._table, node, tag)
        elif tag in _HEADINGS:
            heading, self._inline = "".join(self._inline), []
            self._builder.heading(_HEADINGS[tag], heading)
        elif tag == "pre":
            self._flush("code")
            self._verbatim = 0
        elif not self._verbatim:
            self._flush()
            self._bullet = ""

    def _enter_block(self, node: LexborNode, tag: str) -> None:
        if tag == "li":
            self._bullet = "- "
        elif tag == "pre":
            self._verbatim = 1
        elif tag == "table" and not _is_layout(node):
            self._table = HtmlTable()

    def _enter_in_table(self, table: HtmlTable, tag: str) -> None:
        if tag == "tr":
            table.begin_row()
        elif tag == "thead":
            table.of_header = True
        elif tag in ("td", "th"):
            table.cell = []
        elif tag not in _INLINE:
            self._say(" ")

    def _leave_in_table(self, table: HtmlTable, node: LexborNode, tag: str) -> None:
        if tag in ("td", "th"):
            table.end_cell(node)
        elif tag == "thead":
            table.of_header = False
        elif tag == "caption":
            self._builder.add(one_line("".join(table.cell)))
            table.cell = []
        elif tag == "table":
            self._table = None
            self._end_table(table)
        elif tag not in _INLINE:
            self._say(" ")

    def _end_table(self, table: HtmlTable) -> None:
        for text in table.lines():
            self._builder.row(text)
        self._builder.end_table()

    def _say(self, text: str) -> None:
        (self._inline if self._table is None else self._table.cell).append(text)

    def _flush(self, kind: str = "text") -> None:
        text, self._inline = "".join(self._inline), []
        if kind == "code":
            self._builder.add(text.strip("\n"), "code")
        elif text := one_line(text):
            self._builder.add(self._bullet + text)
            self._bullet = ""


def _is_layout(table: LexborNode) -> bool:
    """Whether a table only arranges a page: it holds headings, code or other tables."""
    return table.css_first("tr table, tr h1, tr h2, tr h3, tr h4, tr pre") is not None
