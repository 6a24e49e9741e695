"""Where a handler's modules, programs and libraries are searched: its code, its packages, its layers.

On AWS the layers are unpacked over each other to /opt, so a later one hides what an earlier one has. Here they stay
folders, searched from the last to the first. Sources: Lambda guide, "Layer paths for each Lambda runtime" and "Search
paths for runtime-included modules".
"""

from ...core.function import Function


def python_path(function: Function, own: str) -> str:
    """The value of PYTHONPATH: `own` of the function's variables, then installed packages, then layers.

    The code's folder is not in it: the bootstrap puts it first.
    """
    layers = function.layers[::-1]
    site_packages = [f"{layer}/python/lib/{function.runtime}/site-packages" for layer in layers]
    folders = [f"{layer}/python" for layer in layers]
    return ":".join([*([own] if own else []), *function.packages, *site_packages, *folders])


def program_path(function: Function, before: str) -> str:
    """The value of PATH: what was there `before`, then the layers' programs."""
    return ":".join([before, *(f"{layer}/bin" for layer in function.layers[::-1])])


def library_path(function: Function) -> str:
    """The value of LD_LIBRARY_PATH: the code, then the layers' libraries."""
    return ":".join([function.code, f"{function.code}/lib", *(f"{layer}/lib" for layer in function.layers[::-1])])
