"""Azure Resource Manager, simulated: subscriptions, who may do what on them, and PIM for their roles.

The sections that docstrings name are those of the Azure contract.
"""
