"""Source systems that are declared in YAML, and the dbt models that follow."""
