"""The grammar of faults as the engine reads it: values only, and loaded when somebody first writes a fault."""


def trouble(sentence: str) -> str:
    """What is wrong with a fault's sentence, in the grammar's own words; "" if nothing is."""
    from lamtop.engine.core.fault_words import parse

    try:
        parse(sentence)
    except ValueError as error:
        return str(error)
    return ""
