{% macro py_write_table(compiled_code, target_relation) %}
{{ compiled_code }}
# --- write the table --- #
from customer_segmentation.spark import write_table
write_table(
    model(dbtObj(spark.table), spark),
    spark,
    "{{ target_relation }}",
    file_format="{{ config.get('file_format', 'parquet') }}",
    partition_by={{ config.get('partition_by', none) | tojson | replace('null', 'None') }},
)
{%- endmacro %}
