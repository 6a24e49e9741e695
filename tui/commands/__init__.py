"""The commands of `lamtop`, by what they are about."""
