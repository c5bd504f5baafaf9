"""Twice the farmers ask for twice as much, and nobody for less than two cores."""

from __future__ import annotations

from benchmarks.capacity import MONTH_SECONDS, Costs, Habits, Prices, need

COSTS = Costs(0.02, 0.02, 0.005, 0.002, 10_000, 90_000)
HABITS = Habits(photos=1, sessions=0, hops=0, messages=0, peak=1, load=0.5, kept_months=10)
PRICES = Prices(message=0.5, core_month=10, gigabyte_month=1)


def test_cores_are_those_of_the_peak_at_half_load() -> None:
    a_second = need(MONTH_SECONDS, COSTS, HABITS, PRICES)  # one photo each second
    assert a_second.photos_a_second == 1
    assert a_second.cores == 2
    assert need(100 * MONTH_SECONDS, COSTS, HABITS, PRICES).cores == 10  # 100 × 0.05 s / 0.5
    assert need(1, COSTS, HABITS, PRICES).cores == 2


def test_what_is_kept_grows_with_the_months_and_money_with_both() -> None:
    one = need(1_000_000, COSTS, HABITS, PRICES)
    assert one.gigabytes == 1_000
    assert one.machines_cost == one.cores * 10 + 1_000
    talks = Habits(1, 0, 0, 2, 1, 0.5, 10)
    assert need(1_000_000, COSTS, talks, PRICES).messages_cost == 1_000_000
