"""The headings above a place in a document."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Sections:
    """The path of headings, outermost first; the document's own title is its first heading unless given."""

    title: str | None = None
    _path: list[tuple[int, str]] = field(default_factory=list)

    def enter(self, level: int, heading: str) -> None:
        """A heading of a level, 1 the outermost: it ends the sections of its level and below."""
        self.title = self.title or heading
        self._path = [(depth, name) for depth, name in self._path if depth < level] + [(level, heading)]

    @property
    def section(self) -> str | None:
        """The path joined by ` > `, the document's title left out."""
        return self._joined(self._path)

    def above(self, level: int) -> str | None:
        """The section that a heading of `level` would itself stand in."""
        return self._joined([(depth, name) for depth, name in self._path if depth < level])

    def _joined(self, path: list[tuple[int, str]]) -> str | None:
        return " > ".join(name for depth, name in path if name != self.title or depth > 1) or None
