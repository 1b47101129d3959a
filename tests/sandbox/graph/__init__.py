"""The simulated Microsoft Graph.

Models hold state and rules, routes speak the wire, the server does what all calls share.
"""
