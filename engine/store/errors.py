"""What can be wrong with the state folder."""


class StoreError(Exception):
    """The state folder cannot be used; the message says why and what to do."""


class StoreFull(StoreError):
    """There is no room to write. Nothing is lost, and it can be tried again."""
