"""Which functions are meant: a template, a folder, one file, or the examples.

`project` finds the project and reads it, by way of `template` (SAM and CloudFormation; `language` is what any template
is written in, whatever it is about), `discovery` (a folder or file without one) or `examples` (copied where nothing
is). On top come `env_file` (variables for all functions), `packages` (what is installed beside the code) and
`debugged` (the function under a debugger). `text` reads a file that somebody wrote, `paths` says how paths are shown,
`errors` what is raised.
"""

from .debugged import Debugged
from .errors import ConfigurationError
from .packages import missing_packages
from .project import Found, Project, find, load

__all__ = ["ConfigurationError", "Debugged", "Found", "Project", "find", "load", "missing_packages"]
