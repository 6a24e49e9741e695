"""What a monitor sees of the engine. Nothing here changes anything."""

from .life import life
from .looking import Looking
from .notices import Notices
from .page import page
from .subscription import Subscription
from .views import Views, parse_view

__all__ = ["Looking", "Notices", "Subscription", "Views", "life", "page", "parse_view"]
