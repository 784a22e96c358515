"""The calendar says of each day what Python says of it."""

from datetime import timedelta

from dbt_project import Sample


def test_the_calendar_is_that_of_python(sample: Sample) -> None:
    rows = sample.rows(
        """
        select calendar_date, week_date, weekday_number, month_date, quarter_date,
            year_date, year_number, quarter_number, month_number, iso_year_number,
            iso_week_number, day_of_month, day_of_year, is_weekend
        from dates order by calendar_date
        """
    )
    assert rows[0][0].timetuple().tm_yday == 1
    assert (rows[-1][0].month, rows[-1][0].day) == (12, 31)
    for number, row in enumerate(rows):
        day = rows[0][0] + timedelta(days=number)
        iso = day.isocalendar()
        quarter = (day.month + 2) // 3
        assert row == (
            day,
            day - timedelta(days=day.weekday()),
            iso.weekday,
            day.replace(day=1),
            day.replace(month=3 * quarter - 2, day=1),
            day.replace(month=1, day=1),
            day.year,
            quarter,
            day.month,
            iso.year,
            iso.week,
            day.day,
            day.timetuple().tm_yday,
            day.weekday() >= 5,
        )
