"""Alarms go out: to a webhook of the deployment, and to Teams. What could not be delivered yet is kept and tried again."""
