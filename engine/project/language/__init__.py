"""What a template is written in, whatever its resources are.

`yaml_source` is YAML that remembers its lines, `problems` gathers what is wrong at them. `parameters`, `conditions`
and `intrinsics` say what a value stands for, `kinds` what can be known of a resource of each type. `properties` reads
one resource key by key and reports the keys that nobody asks for.
"""
