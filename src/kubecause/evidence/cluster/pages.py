"""A list of objects: whole from the server's cache, or, where that is too much, page after page from its storage.

The next page is asked for while the last one is worked on. Rules: "Kubernetes API Concepts", "Semantics for get and list"
(``resourceVersion=0`` gives what the cache holds, without pages; tables and every controller are answered from it, too) and
"Retrieving large results sets in chunks" (``limit``, ``continue``, ``410 Expired``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlencode

import msgspec

from kubecause.errors import UnreachableError
from kubecause.evidence.cluster.answers import NOT_UNDERSTOOD, UNREACHABLE, Listing, Page, Refused, decoded, refusal, status_of
from kubecause.evidence.cluster.connection import Reply
from kubecause.evidence.cluster.crew import Crew
from kubecause.evidence.cluster.kinds import Kind

T = TypeVar("T")
Answer = Reply | UnreachableError

PAGE = 500  # objects of a page: client-go's own default
WHOLE = 64 * 1024 * 1024  # bytes of a list, inflated, up to which it is taken in one piece
_JSON = "application/json"
_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_PAGES = 4000  # of one list: two million objects; a server that never ends is cut off
_RESTARTS = 2  # times that a list begins anew because its token expired


class Query(msgspec.Struct, frozen=True):
    """Which objects of a kind are asked for.

    :param labels: a label selector.
    :param fields: a field selector.
    :param most: no more objects than these.
    :param only_metadata: the objects carry only their metadata.
    :param page: no more objects at once than these.
    :param whole: bytes up to which the list is taken in one piece, from the server's cache.
    """

    labels: str | None = None
    fields: str | None = None
    most: int | None = None
    only_metadata: bool = False
    page: int = PAGE
    whole: int = WHOLE

    @property
    def selectors(self) -> dict[str, str]:
        """As the server's query parameters."""
        given = {"labelSelector": self.labels, "fieldSelector": self.fields}
        return {name: value for name, value in given.items() if value}


class Pages:
    """The pages of one list.

    :param ask: sends a path with an ``Accept`` header, and reads only so many bytes of the answer, or all with None; safe to
        call from several threads.
    """

    def __init__(self, ask: Callable[[str, str, int | None], Answer], kind: Kind, namespace: str | None, query: Query) -> None:
        self._ask = ask
        self._kind = kind
        self._namespace = namespace
        self._query = query
        self._collected: str | None = None

    def read(self, take: Callable[[Sequence[msgspec.Raw]], Sequence[T]], uid: Callable[[T], str]) -> Listing[T]:
        """All pages; what was read already is kept when one is refused or a token expires.

        An expired token is exchanged for the one the server offers, or the list begins anew; nothing is counted twice.

        :param take: makes of the objects of a page what is kept of each.
        :param uid: tells an object from others.
        """
        items: list[T] = []
        seen: set[str] | None = None  # uids, once pages may overlap
        token, restarts, most = "", 0, self._query.most
        answer = self._whole() or self._sent("", 0)
        for _ in range(_PAGES):
            reply = answer()
            if isinstance(reply, Reply) and reply.status == 410 and token and restarts < _RESTARTS:
                restarts += 1
                seen = {uid(item) for item in items}
                token = status_of(reply).metadata.continue_
                answer = self._sent(token, len(items))
                continue
            page = self._page(reply)
            if isinstance(page, Refused):
                return Listing(items, page, complete=False, collected=self._collected)
            raws, token = page.items or [], page.metadata.continue_
            enough = most is not None and len(items) + len(raws) >= most
            if token and not enough:
                answer = self._sent(token, len(items) + len(raws))
            try:
                fresh = [each for first in range(0, len(raws), PAGE) for each in take(raws[first : first + PAGE])]
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                refused = Refused(*self._asked, 200, NOT_UNDERSTOOD, "an object of the list is not what Kubernetes sends")
                return Listing(items, refused, complete=False, collected=self._collected)
            items += fresh if seen is None else [item for item in fresh if uid(item) not in seen]
            if enough or not token:
                complete = not token and (most is None or len(items) <= most)
                return Listing(items[:most], None, complete=complete, collected=self._collected)
        return Listing(items, None, complete=False, collected=self._collected)

    @property
    def _asked(self) -> tuple[str, str, str | None, None]:
        return "list", self._kind.resource, self._namespace, None

    def _page(self, reply: Answer) -> Page | Refused:
        if isinstance(reply, UnreachableError):
            return Refused(*self._asked, 0, UNREACHABLE, str(reply))
        self._collected = self._collected or reply.headers.get("date")
        page = decoded(reply, Page) if reply.status == 200 and not reply.cut else None
        if page is None or not page.kind.endswith("List"):
            return refusal("list", self._kind, self._namespace, None, reply)
        return page

    def _whole(self) -> Callable[[], Answer] | None:
        """The list from the server's cache; None where it is too large, or only a part is wanted.

        Selectors of fields but for a few are tried on every object of the storage either way, and events are in no cache.
        """
        if self._query.most is not None or self._query.fields:
            return None
        query = urlencode({**self._query.selectors, "resourceVersion": "0"})
        reply = self._ask(f"{self._kind.path(self._namespace)}?{query}", self._accept, self._query.whole)
        return None if isinstance(reply, Reply) and reply.cut else lambda: reply

    @property
    def _accept(self) -> str:
        return _METADATA if self._query.only_metadata else _JSON

    def _sent(self, token: str, have: int) -> Callable[[], Answer]:
        """Ask for a page; what is returned waits for it. The first is asked for at once, the others meanwhile.

        :param have: how many objects the pages before it hold.
        """
        size, most = self._query.page, self._query.most
        query = {**self._query.selectors, "limit": str(size if most is None else max(1, min(size, most - have)))}
        query.update({"continue": token} if token else {})
        path = f"{self._kind.path(self._namespace)}?{urlencode(query)}"
        if not token:
            reply = self._ask(path, self._accept, None)
            return lambda: reply
        crew: Crew[Answer] = Crew(1)
        crew.submit(lambda: self._ask(path, self._accept, None))
        return lambda: next(answer for answer in crew.results() if answer is not None)
