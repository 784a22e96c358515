"""Turns a retailer's raw tables into customer segments people can act on."""
