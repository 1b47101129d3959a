"""The Azure Retail Prices API, simulated: anonymous, read only, in pages (section 10.1 of the Azure contract).

The figures are invented. Their shape is not: what must not be taken for a price stands among the rows.
"""
