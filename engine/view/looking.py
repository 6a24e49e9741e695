"""What a client asks to see: a subscription, the life of one request, a page of a view."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from .life import life
from .page import page
from .subscription import Subscription
from .views import Views
from .wishes import parse_view


class Looking:
    """Answers from a thread, so that the event loop never waits for the disk."""

    def __init__(
        self,
        views: Views,
        answered_after: Callable[[str], float | None],
        absences: Callable[[float, float], Sequence[tuple[float, float, bool]]] = lambda _since, _until: (),
    ) -> None:
        """`answered_after` knows how long, in seconds, the sender of an event waited for its 202, or does not;
        `absences` when no engine ran between two moments, and whether the first of each is exact."""
        self._views, self._answered_after, self._absences = views, answered_after, absences

    def subscribe(self) -> Subscription:
        return Subscription(self._views)

    async def life(self, request_id: str) -> dict[str, Any] | None:
        """The life of one request, by its id or the beginning of it."""
        views = self._views
        views.history.hand_over()
        found = partial(
            life,
            request_id,
            peek=views.peek,
            history=views.history,
            functions=dict(views.dispatcher.functions),
            executing=dict(views.pools.executing),
            answered_after=self._answered_after,
            interpreter=views.pools.interpreter,
        )
        row = await asyncio.to_thread(found)
        if row is not None:  # asked here: environments come and go on the loop
            row["processes"] = {name: list(one) for name, one in views.pools.processes(row["function"]).items()}
            until = views.clock.now() if row["ended_at"] is None else row["ended_at"]
            row["absences"] = [list(one) for one in self._absences(row["accepted_at"], until)]
        return row

    async def page(self, wish: Mapping[str, Any], cursor: str | None) -> dict[str, Any]:
        """One page of a view. Raises ValueError for a view or cursor that makes no sense."""
        view = parse_view("page", wish)
        self._views.history.hand_over()
        before = wish.get("before")
        if before is not None and not isinstance(before, int):
            raise ValueError(f"page.before: {before!r} is not a line's number")
        return await asyncio.to_thread(page, self._views, view, cursor, before)
