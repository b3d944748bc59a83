"""Makers of files in every format the loaders read, sound and unsound."""

import io
import zipfile
from collections.abc import Callable, Sequence

import docx
from PIL import Image
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

Table = Sequence[Sequence[str]]

PROSE = (
    "The ferry leaves the northern pier at noon and returns before the evening tide. "
    "Passengers with bicycles board first, and the crew ties every bicycle to the rail. "
    "In a storm the harbour master may close the pier without further notice. "
)


def pdf(draw: Callable[[Canvas], None], title: str = "", password: str = "", size: tuple[float, float] = A4) -> bytes:
    """A PDF of what `draw` puts on a canvas; it ends its own pages."""
    out = io.BytesIO()
    encryption = StandardEncryption(password, canPrint=0) if password else None
    canvas = Canvas(out, pagesize=size, encrypt=encryption, invariant=1)
    canvas.setTitle(title)
    draw(canvas)
    canvas.save()
    return out.getvalue()


def write(canvas: Canvas, lines: Sequence[str], x: float = 72, y: float = 760, font: str = "Helvetica-10") -> float:
    """Lines of text under each other, from `y` down. Returns where the next line would go."""
    name, _, size = font.rpartition("-")
    canvas.setFont(name, int(size))
    for line in lines:
        canvas.drawString(x, y, line)
        y -= int(size) * 1.3
    return y


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` characters, broken between words."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def report_pdf(bookmarks: bool = False, pages: int = 4) -> bytes:
    """A running header, a page number, a heading and two paragraphs on every page."""

    def draw(canvas: Canvas) -> None:
        for number in range(1, pages + 1):
            write(canvas, ["Harbour report 2024"], y=815, font="Helvetica-8")
            write(canvas, [str(number)], x=290, y=30, font="Helvetica-8")
            if bookmarks:
                canvas.bookmarkPage(f"p{number}")
                canvas.addOutlineEntry(f"Chapter {number}", f"p{number}", level=0)
            size = 10 if bookmarks else 16
            y = write(canvas, [f"Chapter {number}"], font=f"Helvetica-{size}") - 10
            y = write(canvas, wrapped(PROSE, 90), y=y) - 10
            write(canvas, wrapped(f"On page {number} the tide is high. " + PROSE, 90), y=y)
            canvas.showPage()

    return pdf(draw, title="Report of the harbour")


def columns_pdf() -> bytes:
    """A page in two columns, drawn line by line across both, under a title."""

    def draw(canvas: Canvas) -> None:
        write(canvas, ["A study of tides in two columns of text across one page"], x=150, y=800, font="Helvetica-14")
        left = wrapped("Left begins here. " + PROSE * 3 + "Left ends here.", 45)
        right = wrapped("Right begins here. " + PROSE * 3 + "Right ends here.", 45)
        for at, (one, other) in enumerate(zip(left, right, strict=False)):
            write(canvas, [one], x=60, y=760 - 13 * at)
            write(canvas, [other], x=320, y=760 - 13 * at)
        canvas.showPage()

    return pdf(draw)


def statement_pdf(turned: bool = False) -> bytes:
    """A financial statement: a header over two lines, currency signs apart, a group, a label on two lines."""
    rows = [
        ("Net sales", "$", "1,234", "$", "1,100"),
        ("Cost of sales", "", "(800)", "", "(750)"),
        ("Current assets:", "", "", "", ""),
        ("   Inventories", "", "310", "", "-"),
        ("Earnings attributable to the owners", "", "", "", ""),
        ("of the harbour", "", "12.5", "", "9.1"),
    ]

    def draw(canvas: Canvas) -> None:
        if turned:
            canvas.setPageRotation(90)
            canvas.translate(A4[0], 0)
            canvas.rotate(90)
        top = 500
        write(canvas, ["The results of the year were as follows (in thousands):"], y=top + 60)
        canvas.setFont("Helvetica-Bold", 10)
        canvas.drawCentredString(395, top + 26, "Year Ended December 31,")
        for right, year in ((360, "2023"), (460, "2022")):
            canvas.drawRightString(right, top + 13, year)
        canvas.setFont("Helvetica", 10)
        for at, (label, sign, value, other_sign, other) in enumerate(rows):
            y = top - 13 * at
            canvas.drawString(72 + 10 * (len(label) - len(label.lstrip())) / 3, y, label.strip())
            canvas.drawString(310, y, sign)
            canvas.drawRightString(360, y, value)
            canvas.drawString(410, y, other_sign)
            canvas.drawRightString(460, y, other)
        write(canvas, ["The tide was kind to the harbour in both of these years."], y=top - 13 * len(rows) - 30)
        canvas.showPage()

    return pdf(draw)


def words_pdf(paragraphs: Sequence[Sequence[str]]) -> bytes:
    """Paragraphs given as lines, one under the other."""

    def draw(canvas: Canvas) -> None:
        y = 760.0
        for lines in paragraphs:
            y = write(canvas, lines, y=y) - 12
        canvas.showPage()

    return pdf(draw)


def scanned_pdf() -> bytes:
    """A page that is one picture."""

    def draw(canvas: Canvas) -> None:
        canvas.drawInlineImage(_grey_image(), 0, 0, *landscape(A4))
        canvas.showPage()

    return pdf(draw)


def _grey_image() -> Image.Image:
    return Image.new("L", (40, 40), 128)


def word(build: Callable[[docx.document.Document], None], title: str = "") -> bytes:
    """A Word document of what `build` adds to an empty one."""
    document = docx.Document()
    document.core_properties.title = title
    build(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def add_table(document: docx.document.Document, rows: Table) -> None:
    """Append a table of strings."""
    table = document.add_table(rows=len(rows), cols=len(rows[0]))
    for row, cells in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text


def zipped(parts: dict[str, bytes]) -> bytes:
    """A zip file of named parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


def with_part(package: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """A zip file with one part changed."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    return zipped({**parts, name: change(parts[name])})


def boastful_zip(package: bytes) -> bytes:
    """A zip file whose directory declares that its parts unpack to almost 4 GiB each."""
    out = bytearray(package)
    at = out.find(b"PK\x01\x02")
    while at >= 0:
        out[at + 24 : at + 28] = (2**32 - 2).to_bytes(4, "little")
        at = out.find(b"PK\x01\x02", at + 4)
    return bytes(out)
