"""What a monitor sees of the engine. Nothing here changes anything.

`wishes` says what a client wants, `looking` answers. `views` makes the rows of every pane (`function_row` those of
functions, `calls` and `life` what one request went through), `rows` filters, sorts and cuts them. `subscription` sends
a client what changed, `page` goes through a view beyond its window, `notices` keeps what the engine has to say.
"""

from .life import life
from .looking import Looking
from .notices import Notices
from .page import page
from .subscription import Subscription
from .views import Views
from .wishes import parse_view

__all__ = ["Looking", "Notices", "Subscription", "Views", "life", "page", "parse_view"]
