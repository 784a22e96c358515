{#- every column of these tables but the source system; a test compares them with the
    contracts -#}
{%- set tables = {
    'customers': [
        'customer_key', 'customer_id', 'joined_at', 'gender', 'city', 'country', 'age',
        'annual_income', 'spending_score', 'first_transacted_at', 'last_transacted_at',
        'last_completed_at', 'lifetime_transactions', 'lifetime_purchases',
        'lifetime_spent',
    ],
    'transactions': [
        'transaction_key', 'customer_key', 'branch_key', 'merchant_key',
        'merchant_name', 'transacted_at', 'completed_at', 'status', 'is_completed',
        'is_return', 'coupon_code', 'amount',
    ],
    'transaction_lines': [
        'transaction_line_key', 'transaction_key', 'product_key', 'is_product',
        'description', 'quantity', 'unit_price', 'amount',
    ],
    'products': ['product_key', 'product_id', 'product_name', 'category', 'is_product'],
} -%}
with

{% for table_name, columns in tables.items() -%}
{{ missing_counts(table_name, columns) }},

{% endfor -%}
united as (

    {% for table_name in tables -%}
    select * from {{ table_name }}_counted
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

missing_values as (

    select
        source_system,
        table_name,
        column_name,
        row_count,
        missing,
        {{ ratio('missing', 'row_count') }} as missing_share

    from united

)

select * from missing_values
