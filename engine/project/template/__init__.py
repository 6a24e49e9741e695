"""A SAM or CloudFormation template -> functions and queues.

`template` reads the whole, `global_properties` what SAM's functions share, and `function_resource` one function, with
a file for each part of it: `environment_variables`, `event_invoke`, `folders`, `lab`, `layers`, `logging_config`.
`queues` reads queues, `targets` the ARNs that functions send to, `versions` published versions and aliases.
"""

from .template import Contents, read_template

__all__ = ["Contents", "read_template"]
