"""Activations: a role that was locked down is given for some hours once its approver said so, with the cost shown."""
