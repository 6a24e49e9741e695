"""What can be wrong with the state folder."""


class StoreError(Exception):
    """The state folder cannot be used; the message says why and what to do."""


class Unwritable(StoreError):
    """The queue cannot be written at the moment: no room, or somebody's lock. Nothing is lost; try again."""
