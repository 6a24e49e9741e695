"""Everything that touches the world: one outside thing per file. Siblings never import each other."""
