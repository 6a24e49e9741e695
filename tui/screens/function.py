"""One function in full: what it is, how it goes, whether its newest code is running."""

from .. import format as f
from ..model import Change
from .sheet import Lines, Sheet


class FunctionScreen(Sheet):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.function = name

    def title_words(self) -> str:
        return self.function

    def model_changed(self, _change: Change | None) -> None:
        if self.is_mounted:
            self.show_again()

    def lines(self) -> Lines:
        row = self.lamtop.model.rows["functions"].known.get(self.function)
        if row is None:
            return [[("This function is not there any more.", "warning")]]
        reserved = row.get("reserved")
        facts = [
            ("handler", str(row.get("handler") or "")),
            ("code", f"v{row.get('version')}"),
            ("timeout", f.span(float(row.get("timeout") or 0))),
            ("memory", f"{row.get('memory')} MB"),
            ("concurrency", "not reserved" if reserved is None else f"{reserved} reserved"),
            ("environments", str(row.get("environments") or 0)),
            ("in flight", str(row.get("in_flight") or 0)),
            ("queued", str(row.get("queued") or 0)),
            ("invocations", f.number(row.get("invocations") or 0)),
            ("errors", f.number(row.get("errors") or 0)),
            ("throttles", f.number(row.get("throttles") or 0)),
            ("cold starts", f.number(row.get("cold_starts") or 0)),
            ("dead letters", f.number(row.get("dead") or 0)),
            ("p50 / p99", f"{f.short_span(row.get('p50'))} / {f.short_span(row.get('p99'))}"),
            ("payload", f.one_line(self.lamtop.wishes.payload(self.function))),
        ]
        lines: Lines = [[(f"{name:14}", "dim"), (value, "")] for name, value in facts]
        if row.get("limited_by"):
            lines.append([(f"limited by {row['limited_by']}", "warning")])
        if row.get("reload_error"):
            lines += [[("", "")], [("The newest code does not load; the code before it goes on running:", "error")]]
            lines += [[(line, "error")] for line in row["reload_error"].split("\n")]
        return lines
